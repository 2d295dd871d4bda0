"""Keeping a round of shadow reads: its counts and times, what appeared, what still stands, and what agrees again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from core import ledger, outbox
from core.actor import Actor
from core.comparison import Plan
from core.sealing import seal
from core.shadowing import Answer, Read, Unasked
from parity_reports.domain import drift, shadow
from parity_reports.domain.drift import Cause
from parity_reports.domain.shadow import Ending
from parity_reports.models import ShadowMismatch, ShadowRound, ShadowSample

CHANGED = "parity_reports.shadow.changed"
_LONGEST_SHOWN, _NAMES = 200, 100
"""Characters of what was asked for, and records that facts explain, that are kept at most."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One read whose answers differ. `records` leaves out what differs as the last comparison says."""

    answer: Answer
    about: str
    """What was asked for, by its name in this tenant's reports."""
    records: Sequence[tuple[drift.Found, Cause]]

    @property
    def is_mismatch(self) -> bool:
        """Whether anything differs that was not known."""
        return bool(self.records)

    @property
    def is_unexplained(self) -> bool:
        """Whether no fact explains one of the records."""
        return any(cause is Cause.UNKNOWN for _, cause in self.records)

    @property
    def cause(self) -> Cause:
        """The cause of the whole: unknown if that of one record is, else that of the first."""
        return Cause.UNKNOWN if self.is_unexplained else self.records[0][1]

    @property
    def is_newer(self) -> bool:
        """Whether it differs only because people work on the new platform already."""
        return self.is_mismatch and all(cause is Cause.NEW_WRITE for _, cause in self.records)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a round found, or its `problem`. `drawn` are the sampled records, the others were asked again."""

    answers: Sequence[Answer] = ()
    about: Mapping[str, str] = field(default_factory=dict)
    """What each answer, by its key, is about: by its name in this tenant's reports."""
    drawn: frozenset[str] = frozenset()
    found: Sequence[Disagreement] = ()
    again: frozenset[str] = frozenset()
    """Of mismatches that were asked again, what they are about."""
    left: Sequence[str] = ()
    number: int = 0
    problem: str = ""

    @property
    def compared(self) -> list[Answer]:
        """The sampled reads that were compared; what was asked again would bias their share."""
        return [one for one in self.answers if one.unasked is None and one.key in self.drawn]

    @property
    def reads(self) -> int:
        """How many reads were made of each platform."""
        return len(self.answers)


def keep(
    plan: Plan,
    read: Read,
    outcome: Outcome,
    pace: shadow.Pace,
    *,
    tenant_id: UUID,
    by: Actor,
    began_at: datetime,
    at: datetime,
) -> ShadowRound:
    """Write a round down, all or nothing."""
    with transaction.atomic():
        kept = ShadowRound.objects.create(
            tenant_id=tenant_id,
            entity=plan.entity,
            read=read.name,
            title=read.title,
            began_at=began_at,
            ended_at=at,
            slowed=pace.slowed,
            due_at=pace.due_at,
            problem=outcome.problem,
            expires_at=at + shadow.KEPT,
            **_counted(outcome),
        )
        if outcome.problem:
            return kept
        _keep_sample(plan, read, outcome, tenant_id=tenant_id, at=at)
        appeared = _see(plan, read, outcome, tenant_id=tenant_id, at=at)
        over = _end(plan, read, outcome, tenant_id=tenant_id, at=at)
        if appeared or over:
            data = {"entity": plan.entity, "read": read.name, "appeared": appeared, "resolved": over}
            ledger.record(CHANGED, by=by, at=at, tenant_id=tenant_id, subject=kept, data=data)
            outbox.publish(CHANGED, tenant_id=tenant_id)
    return kept


def _counted(outcome: Outcome) -> dict[str, object]:
    compared = outcome.compared
    of_sample = [one for one in outcome.found if one.answer.key in outcome.drawn]
    newer = sum(one.is_newer for one in of_sample)
    return {
        "compared": len(compared),
        "mismatched": sum(one.is_mismatch for one in of_sample) - newer,
        "newer": newer,
        "known": sum(not one.is_mismatch for one in of_sample),
        "settled": sum(one.settled for one in compared),
        "unasked": sum(one.unasked is not None for one in outcome.answers if one.key in outcome.drawn),
        "legacy": [round(1e6 * one.legacy) for one in compared],
        "new": [round(1e6 * one.new) for one in compared],
    }


def _keep_sample(plan: Plan, read: Read, outcome: Outcome, *, tenant_id: UUID, at: datetime) -> None:
    sealed = seal(json.dumps(outcome.left))
    of_read: dict[str, Any] = {"tenant_id": tenant_id, "entity": plan.entity, "read": read.name}
    same = ShadowSample.objects.filter(**of_read, number=outcome.number)
    if not same.update(sealed_keys=sealed):
        drawn = {"number": outcome.number, "drawn_at": at, "expires_at": at + shadow.SAMPLE_LIVES}
        ShadowSample.objects.update_or_create(**of_read, defaults={**drawn, "sealed_keys": sealed})


def _see(plan: Plan, read: Read, outcome: Outcome, *, tenant_id: UUID, at: datetime) -> int:
    """Keep what does not agree; return how much of it is new."""
    standing, appeared = {row.about: row for row in _standing(plan, read, tenant_id=tenant_id)}, 0
    shown = plan.spec.column(read.by or plan.spec.target_key).public
    for found in outcome.found:
        if not found.is_mismatch:
            continue
        row = standing.get(found.about)
        if row is None:
            about = found.answer.about
            row = standing[found.about] = ShadowMismatch(
                tenant_id=tenant_id,
                entity=plan.entity,
                read=read.name,
                about=found.about,
                shown=about[:_LONGEST_SHOWN] if shown and about.isprintable() else "",
                sealed_key=seal(found.answer.key),
                first_seen_at=at,
                last_seen_at=at,
            )
            appeared += 1
        _describe(row, read, found, at=at)
        row.save()
    return appeared


def _describe(row: ShadowMismatch, read: Read, found: Disagreement, *, at: datetime) -> None:
    first, _ = found.records[0]
    row.title = read.title
    row.last_seen_at = max(row.last_seen_at, at)  # workers' clocks need not agree
    unknown = [one.record for one, cause in found.records if cause is Cause.UNKNOWN]
    # Each that no fact explains, however many: it is over once every one of them is explained, and not before.
    row.names = unknown or [one.record for one, _ in found.records[:_NAMES]]
    row.records, row.kind, row.because = len(found.records), first.kind, first.because
    row.columns = {column: kind.value for one, _ in found.records for column, kind in one.columns.items()}
    row.cause = found.cause.value
    row.unexplained_since = (row.unexplained_since or at) if found.is_unexplained else None


def _end(plan: Plan, read: Read, outcome: Outcome, *, tenant_id: UUID, at: datetime) -> int:
    """End what was asked for and no longer stands, each as it did; return how much."""
    answers = {outcome.about[answer.key]: answer for answer in outcome.answers if answer.about}
    news = {one.about for one in outcome.found if one.is_mismatch}
    over = []
    for row in _standing(plan, read, tenant_id=tenant_id):
        answer = answers.get(row.about)
        if answer is None and row.about not in outcome.again:
            continue
        row.ended = _ending(answer, is_news=row.about in news)
        if row.ended:
            row.resolved_at, row.sealed_key = at, ""
            over.append(row)
    ShadowMismatch.objects.bulk_update(over, ["resolved_at", "sealed_key", "ended"])
    return len(over)


def _ending(answer: Answer | None, *, is_news: bool) -> str:
    """Say how a mismatch that was asked for ended, by what was answered about it; '' while it stands.

    That a list is too long by now says nothing of how it would be answered.
    """
    if answer is not None and (is_news or answer.unasked is Unasked.TOO_MANY):
        return ""
    if answer is None or answer.unasked:
        return Ending.GONE.value
    return (Ending.KNOWN if answer.differences else Ending.ALIKE).value


def _standing(plan: Plan, read: Read, *, tenant_id: UUID) -> QuerySet[ShadowMismatch]:
    rows = ShadowMismatch.objects.select_for_update()
    return rows.filter(tenant_id=tenant_id, entity=plan.entity, read=read.name, resolved_at=None)
