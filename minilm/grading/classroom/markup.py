"""The small pieces that the class page is made of. Every text that goes through here comes out escaped.

What this file does not do: know what the page says (page.py, details.py).
"""

from html import escape

from .messages import clean


def text(text):
    return escape(clean(str(text)))


def name(name):
    """A name, kept from turning the line around it: some are written from right to left."""
    return f"<bdi>{text(name)}</bdi>"


def link(place, graded):
    return f'<a href="#s{place + 1}">{name(graded[place].name)}</a>'


def many(number, word):
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
