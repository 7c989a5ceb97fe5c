import os

from django.http import HttpResponse

from shop.models import Lamp


def lamp(request):
    """One query."""
    found = Lamp.objects.get(pk=1)
    return HttpResponse(f"<h1>{found.name}</h1><p>{found.price}</p>")


def pid(request):
    """Which worker answers."""
    return HttpResponse(str(os.getpid()), content_type="text/plain")
