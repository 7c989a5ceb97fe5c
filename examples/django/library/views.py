from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import redirect_to_login
from django.contrib.messages.views import SuccessMessageMixin
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_POST, require_safe
from django.views.generic import CreateView, DetailView, ListView

from library.forms import SuggestionForm
from library.models import Book, Loan, NoCopyFree, Suggestion
from library.validators import picture_type


class Shelf(ListView):
    """All books, or those that match what was searched for."""

    template_name = "library/shelf.html"
    paginate_by = 24

    def get_queryset(self):
        books = Book.objects.select_related("author").with_availability()
        # Grouping for the counts drops the model's own order.
        return books.matching(self.request.GET.get("q", "")).order_by("title", "pk")

    def get_context_data(self, **kwargs):
        return super().get_context_data(words=self.request.GET.get("q", ""), **kwargs)


class BookPage(DetailView):
    template_name = "library/book.html"

    def get_queryset(self):
        return Book.objects.select_related("author").with_availability()


@require_safe
def cover(request, pk):
    """Hand out a book's cover, its type told by its content."""
    book = get_object_or_404(Book, pk=pk)
    if not book.cover:
        raise Http404("This book has no cover.")
    try:
        picture = book.cover.open("rb")
    except FileNotFoundError:
        raise Http404("The cover is gone.") from None
    media_type = picture_type(picture.read(16))
    picture.seek(0)
    return FileResponse(picture, content_type=media_type or "application/octet-stream")


@require_POST
def borrow(request, pk):
    book = get_object_or_404(Book, pk=pk)
    if not request.user.is_authenticated:
        # Back to the page with the button: the login ends with a GET.
        return redirect_to_login(book.get_absolute_url())
    try:
        loan = Loan.objects.begin(book, request.user)
    except NoCopyFree:
        messages.error(request, f"All copies of “{book}” are lent.")
        return redirect(book)
    messages.success(request, f"“{book}” is yours until {loan.due_on:%d %B}.")
    return redirect("loans")


@require_POST
def give_back(request, pk):
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("loans"))
    loan = get_object_or_404(Loan, pk=pk, reader=request.user, returned_on=None)
    loan.end()
    messages.success(request, f"Thank you for bringing back “{loan.copy.book}”.")
    return redirect("loans")


class Loans(LoginRequiredMixin, ListView):
    """What the reader has at home, and had."""

    template_name = "library/loans.html"

    def get_queryset(self):
        return self.request.user.loans.select_related("copy__book__author")


class Suggest(SuccessMessageMixin, CreateView):
    model = Suggestion
    form_class = SuggestionForm
    template_name = "library/suggest.html"
    success_url = reverse_lazy("suggest")
    success_message = "Thank you. We will look into “%(title)s”."
