"""A page of `docs/` that people read in the portal too."""

import re
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from parity_reports.domain import markdown

_BESIDE = {"api.md": "../api/", "domains.md": "../dns/", "single-sign-on.md": "../saml/"}
"""Where the documents stand that a document may name; another one's name is left without a link."""
_NAMED = re.compile(r"\[([^\]]+)\]\(([\w/.-]+\.md)\)")


@dataclass(frozen=True, slots=True)
class Guide:
    """A document: its title, and the rest as HTML."""

    title: str
    body: SafeString


@cache
def read(name: str) -> Guide:
    """Read a document of this repository, once per process."""
    heading, _, text = (settings.BASE_DIR / "docs" / name).read_text(encoding="utf-8").partition("\n")
    text = _NAMED.sub(lambda found: f"[{found[1]}]({_BESIDE[found[2]]})" if found[2] in _BESIDE else found[1], text)
    body = mark_safe(markdown.render(text).html)  # noqa: S308  (it lets a short list of elements through)
    return Guide(heading.removeprefix("# "), body)
