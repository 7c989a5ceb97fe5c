"""Fills an empty desk with books and makes somebody who may look behind it."""

import os
import secrets
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from library.models import LOAN_TIME, Author, Book, Copy, Loan
from library.sample import BOOKS


class Command(BaseCommand):
    help = "Adds sample books unless there are books, and gives the demo user a new password."

    def add_arguments(self, parser):
        parser.add_argument("--user", default="demo", help="name of the demo user (demo)")
        parser.add_argument(
            "--password",
            default=os.environ.get("DESK_PASSWORD"),
            help="the password to give; what DESK_PASSWORD holds, else one at random",
        )

    @transaction.atomic
    def handle(self, *args, user, password, **options):
        person, _ = get_user_model().objects.get_or_create(username=user)
        person.is_staff = person.is_superuser = True
        made = not password
        if made:
            password = secrets.token_urlsafe(9)
        person.set_password(password)
        person.save()
        if not Book.objects.exists():
            self.fill(person)
        # Whoever gave the password knows it, and output ends up in logs.
        self.stdout.write(f"user {user}, password {password}" if made else f"user {user}")

    def fill(self, reader):
        for number, (title, author, year, summary, copies) in enumerate(BOOKS, start=1):
            book = Book.objects.create(
                title=title,
                author=Author.objects.get_or_create(name=author)[0],
                year=year,
                summary=summary,
            )
            for letter in "abcdef"[:copies]:
                Copy.objects.create(book=book, number=f"{number:03}{letter}")
        # One loan that runs and one that is late, so that the pages show both.
        today = timezone.localdate()
        first_copies = Copy.objects.filter(number__endswith="a")
        for copy, days_ago in zip(first_copies[:2], (4, 30), strict=True):
            begun = today - timedelta(days=days_ago)
            Loan.objects.create(copy=copy, reader=reader, begun_on=begun, due_on=begun + LOAN_TIME)
