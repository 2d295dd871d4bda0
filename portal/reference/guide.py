"""A page of `docs/` that people read in the portal too."""

from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from parity_reports.domain import markdown


@dataclass(frozen=True, slots=True)
class Guide:
    """A document: its title, and the rest as HTML."""

    title: str
    body: SafeString


@cache
def read(name: str) -> Guide:
    """Read a document of this repository, once per process."""
    heading, _, text = (settings.BASE_DIR / "docs" / name).read_text(encoding="utf-8").partition("\n")
    body = mark_safe(markdown.render(text).html)  # noqa: S308  (it lets a short list of elements through)
    return Guide(heading.removeprefix("# "), body)
