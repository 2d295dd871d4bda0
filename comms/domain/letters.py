"""Filling a message: a closed set of placeholders, plain text first, and HTML that says the same and loads nothing."""

import html
import string
import unicodedata
from collections.abc import Mapping

PLACEHOLDERS = frozenset({"tenant", "window", "phase", "since", "link", "contact"})
"""What a template may name, and nothing else.

The tenant, the window in its zone, its phase, when what is told of happened, where to act, whom to ask.
"""

LONGEST_VALUE = 300
LONGEST_NOTE = 1000


def require_safe(text: str) -> None:
    """Raise ValueError unless every placeholder is one of ours, without attribute, index, conversion or format."""
    for _, name, form, conversion in string.Formatter().parse(text):
        if name is not None and (name not in PLACEHOLDERS or form or conversion):
            raise ValueError(f"A message cannot use the placeholder {{{name}}}.")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put the values into the text, each as one line: a name can neither add a line nor a placeholder."""
    require_safe(text)
    return string.Formatter().vformat(text, (), {name: one_line(values[name]) for name in PLACEHOLDERS})


def one_line(value: str) -> str:
    """Return the value without control characters and line breaks, its spaces single, at a length fit for a line."""
    return " ".join(_plain(value).split())[:LONGEST_VALUE]


def own_words(note: str, *, longest: int = LONGEST_NOTE) -> str:
    """Return what a person wrote as plain paragraphs, without control characters other than line breaks."""
    lines = ("".join(_plain(line)).rstrip() for line in note.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return "\n".join(lines).strip()[:longest]


def with_note(text: str, note: str, *, of: str) -> str:
    """Put a customer's own words under the message, marked as theirs."""
    words = own_words(note)
    return f"{text}\n\nA word from {one_line(of)}:\n\n{words}" if words else text


def greeting(name: str) -> str:
    """Return how a person is addressed."""
    known = one_line(name)
    return f"Hello {known}," if known else "Hello,"


def as_html(text: str, *, link: str) -> str:
    """Return the text as HTML paragraphs. Everything is escaped; the one thing linked is our own address."""
    safe_link = html.escape(link)
    paragraphs = []
    for block in text.split("\n\n"):
        lines = html.escape(block.strip("\n")).split("\n")
        linked = [f'<a href="{safe_link}">{safe_link}</a>' if link and line == safe_link else line for line in lines]
        paragraphs.append(f"<p>{'<br>'.join(linked)}</p>")
    return "\n".join(paragraphs)


def page(title: str, body: str) -> str:
    """Return a whole mail around paragraphs: no picture, no script, no style sheet, nothing to fetch."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>'
        f"{html.escape(title)}</title></head>\n"
        '<body style="font-family: sans-serif; line-height: 1.5; max-width: 40em">\n'
        f"{body}\n</body>\n</html>\n"
    )


def _plain(value: str) -> str:
    return "".join(" " if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") else char for char in value)
