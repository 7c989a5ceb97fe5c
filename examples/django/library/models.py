"""Books, the copies on the shelf, who has them, and what readers wish for."""

from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from library.validators import validate_cover, validate_isbn, validate_year

#: How long a reader may keep a copy.
LOAN_TIME = timedelta(days=21)


class Author(models.Model):
    name = models.CharField(max_length=120, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class BookQuerySet(models.QuerySet):
    def with_availability(self):
        """Add copies_total and copies_free, counted in the same query."""
        return self.annotate(
            copies_total=Count("copies", distinct=True),
            copies_free=Count(
                "copies",
                filter=~Q(copies__in=Copy.objects.lent()),
                distinct=True,
            ),
        )

    def matching(self, words: str):
        """Keep books that have every word in the title or the author's name."""
        found = self
        for word in words.split():
            found = found.filter(Q(title__icontains=word) | Q(author__name__icontains=word))
        return found


class Book(models.Model):
    title = models.CharField(max_length=200)
    author = models.ForeignKey(Author, models.PROTECT, related_name="books")
    year = models.PositiveSmallIntegerField("first printed", validators=[validate_year])
    isbn = models.CharField("ISBN", max_length=17, blank=True, validators=[validate_isbn])
    summary = models.TextField(blank=True)
    cover = models.FileField(upload_to="covers/", blank=True, validators=[validate_cover])

    objects = BookQuerySet.as_manager()

    class Meta:
        ordering = ["title"]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("book", args=[self.pk])


class CopyQuerySet(models.QuerySet):
    def lent(self):
        return self.filter(loans__returned_on=None, loans__isnull=False)

    def free(self):
        return self.exclude(pk__in=Copy.objects.lent())


class Copy(models.Model):
    class Condition(models.TextChoices):
        NEW = "new", "as new"
        GOOD = "good", "good"
        WORN = "worn", "worn"

    book = models.ForeignKey(Book, models.CASCADE, related_name="copies")
    number = models.CharField("label", max_length=12, unique=True)
    condition = models.CharField(max_length=4, choices=Condition, default=Condition.GOOD)

    objects = CopyQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        verbose_name_plural = "copies"

    def __str__(self):
        return f"{self.number} · {self.book}"


class NoCopyFree(Exception):
    """All copies of a book are lent."""


class LoanManager(models.Manager):
    @transaction.atomic
    def begin(self, book: Book, reader) -> "Loan":
        """Lend a free copy of book to reader; raise NoCopyFree if there is none."""
        copy = book.copies.free().first()
        if copy is None:
            raise NoCopyFree(book)
        return self.create(copy=copy, reader=reader)


def due_date():
    return timezone.localdate() + LOAN_TIME


class Loan(models.Model):
    copy = models.ForeignKey(Copy, models.CASCADE, related_name="loans")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="loans")
    begun_on = models.DateField(default=timezone.localdate)
    due_on = models.DateField(default=due_date)
    returned_on = models.DateField(null=True, blank=True)

    objects = LoanManager()

    class Meta:
        ordering = ["-begun_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["copy"],
                condition=Q(returned_on=None),
                name="one_open_loan_per_copy",
                violation_error_message="This copy is lent already.",
            ),
        ]

    def __str__(self):
        return f"{self.copy} → {self.reader}"

    @property
    def overdue(self) -> bool:
        return self.returned_on is None and self.due_on < timezone.localdate()

    def end(self) -> None:
        """Take the copy back."""
        self.returned_on = timezone.localdate()
        self.save(update_fields=["returned_on"])


class Suggestion(models.Model):
    """A book that a reader would like the library to buy."""

    title = models.CharField(max_length=200)
    author = models.CharField(max_length=120)
    year = models.PositiveSmallIntegerField("first printed", validators=[validate_year])
    isbn = models.CharField("ISBN", max_length=17, blank=True, validators=[validate_isbn])
    reason = models.TextField("why we should have it", max_length=1000)
    cover = models.FileField(
        "cover picture", upload_to="covers/", blank=True, validators=[validate_cover]
    )
    made_at = models.DateTimeField(auto_now_add=True)
    book = models.OneToOneField(Book, models.SET_NULL, null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-made_at"]

    def __str__(self):
        return f"{self.title} by {self.author}"

    @transaction.atomic
    def accept(self) -> Book:
        """Put the suggested book on the list, once."""
        if self.book is None:
            author, _ = Author.objects.get_or_create(name=self.author)
            self.book = Book.objects.create(
                title=self.title,
                author=author,
                year=self.year,
                isbn=self.isbn,
                summary=self.reason,
                cover=self.cover.name,
            )
            self.save(update_fields=["book"])
        return self.book
