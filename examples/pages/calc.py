"""A page that prints: /calc.py?a=1&b=2 gets "a=1&b=2" as its argument."""

import html
import sys
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qs

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A sum</title>
<link rel="stylesheet" href="site.css">
<h1>{result}</h1>
<p><a href="./">Back</a></p>
</html>"""

#: Longer numbers are nobody's, in digits.
LONGEST = 30


def number(fields, name):
    """Return the number in the field."""
    text = fields.get(name, [""])[0]
    if len(text) > LONGEST or not text.replace(".", "", 1).lstrip("-").isdecimal():
        raise ValueError("%s is %r and not a number" % (name, text[:LONGEST]))
    return Decimal(text)


def main():
    fields = parse_qs(sys.argv[1])
    try:
        a, b = number(fields, "a"), number(fields, "b")
        result = "%s + %s = %s" % (a, b, a + b)
    except (ValueError, InvalidOperation) as error:
        # A page that has more to say than its text begins with a head.
        print("Status: 400 Bad Request\nContent-Type: text/html; charset=utf-8\n")
        result = str(error)
    print(PAGE.format(result=html.escape(result)))


if __name__ == "__main__":
    main()
