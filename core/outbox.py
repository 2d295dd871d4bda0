"""The outbox: an event is published in the transaction that made it happen, and handed on after the commit.

Each subscriber gets each event at least once, in a job of its own, in the order in which the tenant's events were
published; so it is safe to repeat, and knows an event by its id. Order is kept by holding up: a delivery waiting for
another attempt holds up the tenant's later ones to the same subscriber, until it succeeds or is given up.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from core import queue
from core.models import Event
from core.queue.worker import scope
from core.registry import Registry

_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A function that wants to know of an event."""

    name: str
    event: str
    function: Callable[..., object]


SUBSCRIBERS: Registry[Subscriber] = Registry("subscriber")


def subscribe[F: Callable[..., object]](event: str) -> Callable[[F], F]:
    """Register a function in `<app>/subscribers.py` for an event (`app.subject.past_tense`).

    It runs in the tenant's scope and is called with keywords, those it names of: the payload as JSON gave it back,
    `tenant_id` (UUID), `event_id` (UUID), `at` (when the event was published). It makes one call of a use case that
    is safe to repeat.
    """

    def register(function: F) -> F:
        name = f"{function.__module__}.{function.__name__}"
        SUBSCRIBERS.add(f"{name}({event})", Subscriber(f"{name}({event})", event, function))
        return function

    return register


def publish(event: str, *, tenant_id: UUID, **payload: Any) -> UUID:
    """Publish an event in the caller's transaction; return its id.

    `payload` must be JSON (ids and times become text) and holds ids, not facts that age.
    """
    plain = json.loads(json.dumps(payload, cls=DjangoJSONEncoder))
    with transaction.atomic():
        published = Event.objects.create(tenant_id=tenant_id, name=event, payload=plain)
        for subscriber in SUBSCRIBERS.values():
            if subscriber.event == event:
                queue.enqueue(
                    "core.tasks.deliver",
                    tenant_id=tenant_id,
                    lane=f"event:{subscriber.name}",
                    event_id=published.id,
                    subscriber=subscriber.name,
                )
    return published.id


def deliver(*, tenant_id: UUID, event_id: UUID, subscriber: str) -> None:
    """Hand an event to a subscriber; one that a newer release no longer has wants nothing."""
    if subscriber not in SUBSCRIBERS:
        return
    event = Event.objects.get(tenant_id=tenant_id, pk=event_id)
    offered = {
        **event.payload,
        "tenant_id": tenant_id,
        "event_id": event_id,
        "at": event.published_at,
    }
    queue.call(SUBSCRIBERS[subscriber].function, offered)


def prune(*, at: datetime) -> int:
    """Delete events published long ago."""
    with scope(None):
        return Event.objects.filter(published_at__lt=at - _KEPT).delete()[0]
