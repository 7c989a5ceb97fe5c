from django.contrib import admin, messages
from django.http import StreamingHttpResponse

from library.export import loan_lines
from library.models import Author, Book, Copy, Loan, Suggestion


class CopyInline(admin.TabularInline):
    model = Copy
    extra = 1


@admin.register(Author)
class AuthorAdmin(admin.ModelAdmin):
    search_fields = ["name"]


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    list_display = ["title", "author", "year", "free"]
    list_filter = ["copies__condition", "author"]
    list_select_related = ["author"]
    search_fields = ["title", "author__name", "isbn"]
    autocomplete_fields = ["author"]
    inlines = [CopyInline]

    def get_queryset(self, request):
        return super().get_queryset(request).with_availability()

    @admin.display(description="on the shelf")
    def free(self, book):
        return f"{book.copies_free} of {book.copies_total}"


class OpenLoans(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("open", "lent"), ("returned", "returned")]

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        return queryset.filter(returned_on__isnull=self.value() == "open")


@admin.register(Loan)
class LoanAdmin(admin.ModelAdmin):
    list_display = ["copy", "reader", "begun_on", "due_on", "returned_on"]
    list_filter = [OpenLoans, "due_on"]
    list_select_related = ["copy__book", "reader"]
    search_fields = ["copy__number", "copy__book__title", "reader__username"]
    date_hierarchy = "begun_on"
    actions = ["take_back", "export"]

    @admin.action(description="Take the selected copies back")
    def take_back(self, request, queryset):
        open_loans = queryset.filter(returned_on=None)
        for loan in open_loans:
            loan.end()
        self.message_user(request, "The copies are back on the shelf.", messages.SUCCESS)

    @admin.action(description="Export the selected loans as CSV")
    def export(self, request, queryset):
        loans = queryset.select_related("copy__book", "reader").iterator(chunk_size=500)
        return StreamingHttpResponse(
            loan_lines(loans),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="loans.csv"'},
        )


@admin.register(Suggestion)
class SuggestionAdmin(admin.ModelAdmin):
    list_display = ["title", "author", "year", "made_at", "accepted"]
    list_filter = ["made_at"]
    search_fields = ["title", "author"]
    readonly_fields = ["made_at"]
    actions = ["accept"]

    @admin.display(boolean=True)
    def accepted(self, suggestion):
        return suggestion.book_id is not None

    @admin.action(description="Put the selected books on the list")
    def accept(self, request, queryset):
        for suggestion in queryset:
            suggestion.accept()
        self.message_user(request, "The books are on the list.", messages.SUCCESS)
