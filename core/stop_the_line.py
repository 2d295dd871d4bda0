"""Stop-the-line: apps say in their `stop_the_line.py` when a tenant's cutover must halt by itself, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from core.registry import Registry


@dataclass(frozen=True, slots=True)
class Alarm:
    """Why the line must stop, in words for the customer, and since when that has been so."""

    reason: str
    since: datetime


class Signal(Protocol):
    """Says whether a tenant's line must stop now."""

    def __call__(self, *, tenant_id: UUID, at: datetime) -> Alarm | None:
        """Return why, or None while all is well; only reads, in the tenant's scope."""
        ...


SIGNALS: Registry[Signal] = Registry("stop-the-line signal")


def signal[F: Callable[..., Alarm | None]](signal_id: str) -> Callable[[F], F]:
    """Register a `Signal`, named `<app>.<subject>`. One that crashes fails the job that asked, which is tried again."""

    def register(function: F) -> F:
        SIGNALS.add(signal_id, function)
        return function

    return register


def raised(*, tenant_id: UUID, at: datetime) -> list[Alarm]:
    """Return every reason for which a tenant's line must stop now, the oldest first."""
    alarms = (ask(tenant_id=tenant_id, at=at) for ask in SIGNALS.values())
    return sorted((alarm for alarm in alarms if alarm), key=lambda alarm: alarm.since)
