"""The tenant's sidebar: every app brings its pages in `<app>/navigation.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from core.permissions import Permission
from core.registry import Registry


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of a tenant in the sidebar and the command palette.

    `url` is a URL name that takes the tenant's slug; `icon` a lucide name. `words` are other words people may
    type to find the page. `count` returns how many things wait there (nothing is shown for zero); it costs the
    same however many rows there are.
    """

    id: str
    label: str
    url: str
    icon: str
    permission: Permission
    order: int
    words: str = ""
    count: Callable[[UUID], int] | None = None


_entries: Registry[Entry] = Registry("navigation entry")


def add(entry: Entry) -> Entry:
    """Add a page to the sidebar."""
    return _entries.add(entry.id, entry)


def entries() -> list[Entry]:
    """Return every page in the order of the sidebar."""
    return sorted(_entries.values(), key=lambda entry: (entry.order, entry.label))


def find(name: str) -> Entry | None:
    """Return the page with this id, if an app brings it."""
    return dict(_entries.items()).get(name)
