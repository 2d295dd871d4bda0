"""The tenant's sidebar: every app brings its pages in `<app>/navigation.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from core.permissions import Permission
from core.registry import Registry


class Section(StrEnum):
    """What pages stand under in the sidebar, in this order."""

    MOVE = "Your move"
    PREPARE = "Get ready"
    DATA = "Your data"
    PEOPLE = "Your people"
    RECORDS = "Records"


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of a tenant in the sidebar and the command palette.

    `order` counts within the section. `url` is a URL name that takes the tenant's slug; `icon` a lucide name. `words`
    are other words people may type to find the page. `count` returns how many things wait there (nothing is shown for
    zero); it costs the same however many rows there are.
    """

    id: str
    label: str
    url: str
    icon: str
    permission: Permission
    section: Section
    order: int
    words: str = ""
    count: Callable[[UUID], int] | None = None


_entries: Registry[Entry] = Registry("navigation entry")


def add(entry: Entry) -> Entry:
    """Add a page to the sidebar."""
    return _entries.add(entry.id, entry)


def entries() -> list[Entry]:
    """Return every page in the order of the sidebar."""
    sections = list(Section)
    return sorted(_entries.values(), key=lambda entry: (sections.index(entry.section), entry.order, entry.label))


def find(name: str) -> Entry | None:
    """Return the page with this id, if an app brings it."""
    return dict(_entries.items()).get(name)
