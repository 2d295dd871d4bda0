"""Every address that the portal answers, read from the resolver, so that no page can be forgotten by a test."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True, slots=True)
class Address:
    """One route: its pattern as text (`t/<slug:slug>/domains/`), its name with namespaces, and its view."""

    route: str
    name: str
    view: Any

    @property
    def ours(self) -> bool:
        """Whether the view is written here; the packages' views are listed with their reason."""
        return self.view.__module__.split(".")[0] in OURS


OURS = frozenset(path.parent.name for path in Path(__file__).parents[1].glob("*/apps.py"))


def every() -> list[Address]:
    """Return every route of the resolver."""
    return list(_walk(get_resolver().url_patterns, "", ""))


def _walk(patterns: list[Any], route: str, namespace: str) -> Iterator[Address]:
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = ":".join(filter(None, (namespace, pattern.namespace)))
            yield from _walk(pattern.url_patterns, here, inner)
        elif isinstance(pattern, URLPattern):
            yield Address(here, ":".join(filter(None, (namespace, pattern.name))), pattern.callback)
