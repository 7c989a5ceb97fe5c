"""What readers do, and what the desk refuses."""

import io
import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from unittest import mock

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import SimpleTestCase, TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from desk.secret import secret_key
from library.export import loan_lines
from library.models import LOAN_TIME, Author, Book, Copy, Loan, NoCopyFree, Suggestion
from library.validators import picture_type, validate_cover, validate_isbn, validate_year

GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"


class WithBook(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.reader = get_user_model().objects.create_user("ada", password="lovelace-1843")
        cls.book = Book.objects.create(
            title="Flatland", author=Author.objects.create(name="Edwin A. Abbott"), year=1884
        )
        cls.copy = Copy.objects.create(book=cls.book, number="001a")


class Uploads(TestCase):
    """Tests that store uploads, in a folder that goes with them."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        media = override_settings(MEDIA_ROOT=self.folder)
        media.enable()
        self.addCleanup(media.disable)


class Validation(SimpleTestCase):
    def test_isbn(self):
        for value, code in [
            ("978-0-14-043208-4", None),
            ("9780140432084", None),
            ("9780140432085", "isbn_check"),
            ("978014043208", "isbn_form"),
            ("97801404３2084", "isbn_form"),
            ("", "isbn_form"),
        ]:
            with self.subTest(value):
                self.assertEqual(refusal(validate_isbn, value), code)

    def test_year(self):
        this_year = timezone.localdate().year
        for value, code in [(1449, "year"), (1450, None), (this_year, None), (this_year + 1, "year")]:
            with self.subTest(value):
                self.assertEqual(refusal(validate_year, value), code)

    def test_cover(self):
        for name, content, code in [
            ("picture", GIF, None),
            ("page called .gif", b"<html>", "cover_type"),
            ("empty", b"", "cover_type"),
            ("large", GIF + bytes(2 << 20), "cover_size"),
        ]:
            with self.subTest(name):
                self.assertEqual(refusal(validate_cover, SimpleUploadedFile("a.gif", content)), code)

    def test_picture_type(self):
        self.assertEqual(picture_type(b"\x89PNG\r\n\x1a\n\0"), "image/png")
        self.assertIsNone(picture_type(b"<svg>"))


def refusal(validate, value):
    """The code of the error that validate raises, None if it accepts."""
    try:
        validate(value)
    except ValidationError as err:
        return err.code
    return None


class Lending(WithBook):
    def test_last_copy(self):
        loan = Loan.objects.begin(self.book, self.reader)
        self.assertEqual(loan.copy, self.copy)
        with self.assertRaises(NoCopyFree):
            Loan.objects.begin(self.book, self.reader)
        loan.end()
        self.assertEqual(Loan.objects.begin(self.book, self.reader).copy, self.copy)

    def test_database_refuses_second_loan(self):
        Loan.objects.create(copy=self.copy, reader=self.reader)
        with self.assertRaises(IntegrityError), transaction.atomic():
            Loan.objects.create(copy=self.copy, reader=self.reader)

    def test_availability(self):
        Copy.objects.create(book=self.book, number="001b")
        Loan.objects.begin(self.book, self.reader).end()
        Loan.objects.begin(self.book, self.reader)
        book = Book.objects.with_availability().get()
        self.assertEqual((book.copies_total, book.copies_free), (2, 1))

    def test_overdue(self):
        today = timezone.localdate()
        loan = Loan(copy=self.copy, reader=self.reader, due_on=today)
        self.assertFalse(loan.overdue)
        loan.due_on = today - timedelta(days=1)
        self.assertTrue(loan.overdue)
        loan.returned_on = today
        self.assertFalse(loan.overdue)

    def test_due_by_default(self):
        loan = Loan.objects.begin(self.book, self.reader)
        self.assertEqual(loan.due_on - loan.begun_on, LOAN_TIME)


class Pages(WithBook):
    def test_shelf_searches(self):
        self.assertContains(self.client.get(reverse("shelf")), "Flatland")
        self.assertContains(self.client.get(reverse("shelf"), {"q": "abbott flat"}), "1 book for")
        self.assertNotContains(self.client.get(reverse("shelf"), {"q": "whale"}), "Flatland")

    def test_words_are_escaped(self):
        page = self.client.get(reverse("shelf"), {"q": "<script>"})
        self.assertNotContains(page, "<script>")

    def test_borrow_and_bring_back(self):
        self.client.force_login(self.reader)
        page = self.client.post(reverse("borrow", args=[self.book.pk]), follow=True)
        self.assertContains(page, "is yours until")
        again = self.client.post(reverse("borrow", args=[self.book.pk]), follow=True)
        self.assertContains(again, "All copies of")
        loan = Loan.objects.get()
        back = self.client.post(reverse("give_back", args=[loan.pk]), follow=True)
        self.assertContains(back, "Thank you")

    def test_strangers_log_in_first(self):
        page = self.client.post(reverse("borrow", args=[self.book.pk]))
        self.assertRedirects(page, f"/accounts/login/?next=/books/{self.book.pk}/")
        self.assertRedirects(self.client.post(reverse("give_back", args=[1])), "/accounts/login/?next=/loans/")
        self.assertEqual(Loan.objects.count(), 0)

    def test_nobody_returns_for_others(self):
        loan = Loan.objects.begin(self.book, self.reader)
        self.client.force_login(get_user_model().objects.create_user("eve"))
        self.assertEqual(self.client.post(reverse("give_back", args=[loan.pk])).status_code, 404)

    def test_methods(self):
        self.client.force_login(self.reader)
        self.assertEqual(self.client.get(reverse("borrow", args=[self.book.pk])).status_code, 405)

    def test_book_without_cover(self):
        self.assertEqual(self.client.get(reverse("cover", args=[self.book.pk])).status_code, 404)


class Suggesting(Uploads):
    fields = {"title": "Cranford", "author": "Elizabeth Gaskell", "year": 1853, "reason": "Bonnets."}

    def test_with_cover(self):
        upload = SimpleUploadedFile("c.gif", GIF)
        page = self.client.post(reverse("suggest"), {**self.fields, "cover": upload}, follow=True)
        self.assertContains(page, "Thank you.")
        book = Suggestion.objects.get().accept()
        self.assertEqual(book.author.name, "Elizabeth Gaskell")
        cover = self.client.get(reverse("cover", args=[book.pk]))
        self.assertEqual(cover["Content-Type"], "image/gif")
        self.assertEqual(b"".join(cover.streaming_content), GIF)

    def test_accept_once(self):
        suggestion = Suggestion.objects.create(**self.fields)
        self.assertEqual(suggestion.accept(), suggestion.accept())
        self.assertEqual(Book.objects.count(), 1)

    def test_refused(self):
        page = self.client.post(reverse("suggest"), {**self.fields, "year": 3000, "isbn": "12"})
        self.assertContains(page, "The year lies between")
        self.assertContains(page, "thirteen digits")
        self.assertEqual(Suggestion.objects.count(), 0)

    def test_known(self):
        Suggestion.objects.create(**self.fields).accept()
        page = self.client.post(reverse("suggest"), {**self.fields, "title": "cranford"})
        self.assertContains(page, "We have this book already.")


class Admin(WithBook):
    def setUp(self):
        self.client.force_login(get_user_model().objects.create_superuser("root"))

    def test_lists(self):
        Loan.objects.begin(self.book, self.reader)
        for model in ("author", "book", "loan", "suggestion"):
            with self.subTest(model):
                page = self.client.get(reverse(f"admin:library_{model}_changelist"), {"q": "flat"})
                self.assertEqual(page.status_code, 200)

    def test_filters(self):
        url = reverse("admin:library_loan_changelist")
        Loan.objects.begin(self.book, self.reader)
        self.assertContains(self.client.get(url, {"state": "open"}), "001a")
        self.assertNotContains(self.client.get(url, {"state": "returned"}), "001a")

    def test_export_and_take_back(self):
        loan = Loan.objects.begin(self.book, self.reader)
        url = reverse("admin:library_loan_changelist")
        choice = {"_selected_action": [loan.pk]}
        csv = self.client.post(url, {"action": "export", **choice})
        self.assertIn(b"001a,Flatland,ada", b"".join(csv.streaming_content))
        self.client.post(url, {"action": "take_back", **choice})
        loan.refresh_from_db()
        self.assertEqual(loan.returned_on, timezone.localdate())


class Export(SimpleTestCase):
    def test_formulas_are_text(self):
        book = Book(title="=1+1")
        loan = Loan(copy=Copy(book=book, number="1"), reader=get_user_model()(username="ada"))
        self.assertIn("'=1+1", list(loan_lines([loan]))[1])


class Filling(TestCase):
    def test_twice(self):
        outputs = []
        for _ in range(2):
            out = io.StringIO()
            call_command("fill_desk", stdout=out)
            outputs.append(out.getvalue())
        self.assertNotEqual(*outputs, "the password has to be a new one")
        books = Book.objects.count()
        self.assertGreater(books, 5)
        self.assertEqual(Loan.objects.count(), 2)
        _, _, password = outputs[1].strip().rpartition(" ")
        self.assertTrue(self.client.login(username="demo", password=password))

    def test_password_from_the_environment(self):
        out = io.StringIO()
        with mock.patch.dict(os.environ, DESK_PASSWORD="correct-horse-7"):
            call_command("fill_desk", stdout=out)
        self.assertEqual(out.getvalue(), "user demo\n", "output is logged")
        self.assertTrue(self.client.login(username="demo", password="correct-horse-7"))


class Secret(SimpleTestCase):
    def test_made_once_and_private(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "new", "key")
            key = secret_key(path)
            self.assertGreaterEqual(len(key), 50)
            self.assertEqual(secret_key(path), key)
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            self.assertEqual([p.name for p in path.parent.iterdir()], ["key"])
