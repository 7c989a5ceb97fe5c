from django import forms

from library.models import Book, Suggestion


class SuggestionForm(forms.ModelForm):
    class Meta:
        model = Suggestion
        fields = ["title", "author", "year", "isbn", "reason", "cover"]
        widgets = {
            "reason": forms.Textarea(attrs={"rows": 4}),
            "cover": forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/gif"}),
        }
        help_texts = {
            "isbn": "Thirteen digits, if you have it at hand.",
            "cover": "JPEG, PNG or GIF, at most 2 MB.",
        }

    def clean(self):
        cleaned = super().clean()
        title, author = cleaned.get("title"), cleaned.get("author")
        if title and author:
            known = Book.objects.filter(title__iexact=title, author__name__iexact=author).first()
            if known:
                raise forms.ValidationError("We have this book already.", code="known")
        return cleaned
