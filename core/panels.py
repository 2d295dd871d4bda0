"""What apps show on a tenant's overview: each brings its panels in `<app>/panels.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.actor import Actor
from core.registry import Registry


@dataclass(frozen=True, slots=True)
class OverviewPanel:
    """A part of the overview: a template, and what it needs for one reader.

    `read` is called with `tenant`, `by` and `at`; None means that there is nothing to show, and then nothing is. It
    costs the same however many rows there are.
    """

    template: str
    read: Callable[..., Mapping[str, Any] | None]
    order: int = 50


PANELS: Registry[OverviewPanel] = Registry("panel of the overview")


def read(*, tenant: Any, by: Actor, at: datetime) -> list[dict[str, Any]]:
    """Return the panels that have something to show to this reader, each with its template, in order."""
    found = []
    for panel in sorted(PANELS.values(), key=lambda panel: panel.order):
        context = panel.read(tenant=tenant, by=by, at=at)
        if context is not None:
            found.append({"template": panel.template, **context})
    return found
