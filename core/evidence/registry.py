"""What goes into a pack: each app contributes parts in its `evidence.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from core.registry import Registry


class Builder(Protocol):
    """Gathers one part's JSON values about one tenant; `at` is the moment of the request."""

    def __call__(self, *, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
        """Return the part."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """One part that an app puts into every pack."""

    name: str
    title: str
    build: Builder


PARTS: Registry[Contribution] = Registry("evidence parts")


def part(name: str, *, title: str) -> Callable[[Builder], Builder]:
    """Register a function that gathers one part of every evidence pack.

    `name` is `app.noun`; it becomes a file name. The values must be JSON, without personal data: ids, digests,
    numbers, moments. A part that raises stops the request: a pack with a hole would be signed as if it were whole.
    """

    def register(build: Builder) -> Builder:
        PARTS.add(name, Contribution(name, title, build))
        return build

    return register
