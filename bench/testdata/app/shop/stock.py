"""Makes the database with its one lamp: python -m shop.stock"""

import shop.wsgi  # noqa: F401 (it sets Django up)
from django.db import connection

from shop.models import Lamp

with connection.schema_editor() as editor:
    editor.create_model(Lamp)
Lamp.objects.create(name="Standing lamp", price="49.50")
