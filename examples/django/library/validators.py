"""What the desk accepts: book numbers, years, cover pictures."""

from django.core.exceptions import ValidationError
from django.utils import timezone

#: The largest cover picture, in bytes.
MAX_COVER = 2 * 1024 * 1024

#: How the files of each kind of picture begin.
PICTURE_MARKS = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}


def validate_isbn(value: str) -> None:
    """Accept thirteen digits whose check digit is right; hyphens are ignored."""
    digits = value.replace("-", "").replace(" ", "")
    if len(digits) != 13 or not digits.isascii() or not digits.isdigit():
        raise ValidationError("An ISBN has thirteen digits.", code="isbn_form")
    total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits))
    if total % 10:
        raise ValidationError("The check digit of this ISBN is wrong.", code="isbn_check")


def validate_year(value: int) -> None:
    """Accept years from the first printed books to the current one."""
    this_year = timezone.localdate().year
    if not 1450 <= value <= this_year:
        raise ValidationError(f"The year lies between 1450 and {this_year}.", code="year")


def picture_type(head: bytes) -> str | None:
    """Name the media type of a picture by its first bytes, None for others."""
    for media_type, marks in PICTURE_MARKS.items():
        if head.startswith(marks):
            return media_type
    return None


def validate_cover(upload) -> None:
    """Accept pictures of a moderate size, by content and not by name."""
    if upload.size > MAX_COVER:
        raise ValidationError("The picture is larger than 2 MB.", code="cover_size")
    upload.seek(0)
    head = upload.read(16)
    upload.seek(0)
    if picture_type(head) is None:
        raise ValidationError("This is no JPEG, PNG or GIF picture.", code="cover_type")
