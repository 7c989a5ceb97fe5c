"""Loans as CSV, row by row, so that a long list needs no memory."""

import csv
from collections.abc import Iterable, Iterator


class _Line:
    """A file to csv.writer; hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def loan_lines(loans: Iterable) -> Iterator[str]:
    """Yield the CSV lines of loans, with a heading."""
    writer = csv.writer(_Line())
    yield writer.writerow(["copy", "title", "reader", "begun", "due", "returned"])
    for loan in loans:
        yield writer.writerow(
            [
                loan.copy.number,
                _text(loan.copy.book.title),
                _text(loan.reader.get_username()),
                loan.begun_on.isoformat(),
                loan.due_on.isoformat(),
                loan.returned_on.isoformat() if loan.returned_on else "",
            ]
        )


def _text(value: str) -> str:
    """Keep a spreadsheet from taking text for a formula."""
    return "'" + value if value.startswith(("=", "+", "-", "@")) else value
