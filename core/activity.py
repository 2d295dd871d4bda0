"""The ledger told to people: recent entries as sentences, which each app contributes in its `sentences.py`."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model

from core.actor import ActorKind
from core.models.ledger import LedgerEntry
from core.models.timeboxed import Token
from core.registry import Registry

type Sentence = str | Callable[[Mapping[str, Any]], str]
"""What the actor did, to follow their name: “verified the domain {domain}”, filled from the entry's data."""

SENTENCES: Registry[Sentence] = Registry("sentences")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Activity:
    """One entry for an activity list."""

    at: datetime
    actor: str
    text: str
    event: str
    actor_kind: str
    subject_type: str
    subject_id: str
    data: Mapping[str, Any]
    entry_id: UUID
    seq: int

    @property
    def sentence(self) -> str:
        """Who did what; a text that begins with a capital says it all itself."""
        return self.text if self.text[:1].isupper() else f"{self.actor} {self.text}"


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def sentences(told: Mapping[str, Sentence]) -> None:
    """Contribute how events are told: `{"accounts.domain.verified": "verified the domain {domain}"}`."""
    for event, sentence in told.items():
        SENTENCES.add(event, sentence)


def recent(
    *, tenant_id: UUID, limit: int = 20, subject: tuple[str, Any] | None = None, before: int | None = None
) -> list[Activity]:
    """Return the tenant's latest entries, newest first, as people tell them.

    Of one subject, if given; only those older than the entry whose `seq` is `before`, if given (pages).
    """
    rows = LedgerEntry.objects.filter(chain=tenant_id).order_by("-seq")
    if before is not None:
        rows = rows.filter(seq__lt=before)
    if subject is not None:
        rows = rows.filter(subject_type=subject[0], subject_id=str(subject[1]))
    entries = list(rows[:limit])
    actors = {entry.actor_id for entry in entries if entry.actor_id is not None}
    people = {user.pk: str(user) for user in get_user_model().objects.filter(pk__in=actors)}
    if any(entry.actor_kind == ActorKind.TOKEN for entry in entries):
        people |= {token.pk: f"The token “{token.name}”" for token in Token.objects.filter(pk__in=actors)}
    return [
        Activity(
            at=entry.at,
            actor=_name(entry, people),
            text=tell(entry.event, entry.data),
            event=entry.event,
            actor_kind=entry.actor_kind,
            subject_type=entry.subject_type,
            subject_id=entry.subject_id,
            data=entry.data,
            entry_id=entry.pk,
            seq=entry.seq,
        )
        for entry in entries
    ]


def tell(event: str, data: Mapping[str, Any]) -> str:
    """Return what an event's actor did; one without a sentence, or an entry of an older form, is told by its name."""
    if event in SENTENCES:
        sentence = SENTENCES[event]
        try:
            return sentence(data) if callable(sentence) else sentence.format_map(_Known(data))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            log.exception("The sentence of %s cannot tell this entry", event)
    *_, subject, verb = ["something", *event.replace("_", " ").split(".")]
    return f"{verb} {'an' if subject[:1] in 'aeiou' else 'a'} {subject}"


def _name(entry: LedgerEntry, people: Mapping[Any, str]) -> str:
    if entry.actor_kind == ActorKind.SYSTEM:
        return "Crossing"
    return people.get(entry.actor_id, "Someone")
