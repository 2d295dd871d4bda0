"""Keeping what a re-check found: one drift per record, from when it is first seen until it is gone."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import ledger, outbox
from core.actor import Actor
from core.comparison import Looked
from core.sealing import seal
from parity_reports.domain import drift
from parity_reports.domain.drift import Cause, Found
from parity_reports.models import Drift, EntityResult, Report, Watch

type Judged = tuple[Found, Cause]

CHANGED = "parity_reports.drift.changed"
_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Look:
    """One look at an entity: the differing records with their causes, how many differ in all, and what was read."""

    found: Sequence[Judged]
    total: int
    keys_are_public: bool
    looked: Looked

    @property
    def is_whole(self) -> bool:
        """Whether every differing record is among those found, so that one that is not there is equal again."""
        return self.total == len(self.found)


def begin(report: Report, entities: Collection[str], *, by: Actor, at: datetime) -> None:
    """Let go of entities that the newest comparison no longer has; their drifts are over."""
    with transaction.atomic():
        Watch.objects.filter(tenant_id=report.tenant_id).exclude(entity__in=entities).delete()
        left = Drift.objects.filter(tenant_id=report.tenant_id, resolved_at=None).exclude(entity__in=entities)
        if ended := left.update(resolved_at=at, sealed_key=""):
            data = {"entity": "", "appeared": 0, "resolved": ended}
            ledger.record(CHANGED, by=by, at=at, tenant_id=report.tenant_id, subject=report, data=data)


def give_up(report: Report, entity: EntityResult, problem: str, *, due_at: datetime) -> None:
    """Remember why an entity could not be read. What is known of it stays, and grows old."""
    with transaction.atomic():
        kept = {"title": entity.title, "due_at": due_at, "problem": problem}
        of_report = Watch.objects.filter(tenant_id=report.tenant_id, entity=entity.entity, report=report)
        if not of_report.update(**kept):
            Watch.objects.update_or_create(
                tenant_id=report.tenant_id,
                entity=entity.entity,
                defaults={**kept, "report": report, "looked_at": None},
            )


def keep(
    report: Report,
    entity: EntityResult,
    look: Look,
    *,
    by: Actor,
    began_at: datetime,
    at: datetime,
    due_at: datetime,
) -> None:
    """Write down what was found: what appeared, what still stands, and what is equal again."""
    with transaction.atomic():
        watch, _ = Watch.objects.select_for_update().get_or_create(
            tenant_id=report.tenant_id,
            entity=entity.entity,
            defaults={"report": report, "title": entity.title, "due_at": due_at},
        )
        standing = {row.record: row for row in Drift.objects.select_for_update().filter(**_open(entity))}
        again = [(standing[found.record], found, cause) for found, cause in look.found if found.record in standing]
        for row, found, cause in again:
            _see(row, found, cause, at=at)
        new = drift.listed(
            [one for one in look.found if one[0].record not in standing],
            cause=lambda one: one[1],
            room=drift.LISTED - len(again),
        )
        made = Drift.objects.bulk_create(_drift(entity, one, shown=look.keys_are_public, at=at) for one in new)
        Drift.objects.bulk_update([row for row, *_ in again], _SEEN)
        over = standing.keys() - {found.record for found, _ in look.found} if look.is_whole else set()
        Drift.objects.filter(**_open(entity), record__in=over).update(resolved_at=at, sealed_key="")
        _count(watch, look, kept=[*made, *(row for row, *_ in again)], at=at)
        watch.report, watch.title, watch.due_at = report, entity.title, due_at
        watch.began_at, watch.looked_at = began_at, at
        watch.problem, watch.mark = "", seal(look.looked.mark) if look.looked.mark else ""
        watch.whole_at = at if look.looked.whole else watch.whole_at
        watch.save()
        if made or over:
            data = {"entity": entity.entity, "appeared": len(made), "resolved": len(over)}
            data |= {"standing": watch.differing, "unexplained": watch.causes.get(Cause.UNKNOWN.value, 0)}
            ledger.record(CHANGED, by=by, at=at, tenant_id=report.tenant_id, subject=watch, data=data)
        if made or over or watch.causes.get(Cause.UNKNOWN.value):
            tell(report.tenant_id, entity.entity)


def tell(tenant_id: UUID, entity: str) -> None:
    """Let others know, once this transaction is committed, that what is known of drift has moved."""
    outbox.publish(CHANGED, tenant_id=tenant_id, entity=entity)


_SEEN = (
    "kind", "columns", "because", "cause", "last_seen_at", "unexplained_since",
    "explained_at", "explained_by", "explained_until", "explanation",
)  # fmt: skip


def _open(entity: EntityResult) -> dict[str, object]:
    return {"tenant_id": entity.tenant_id, "entity": entity.entity, "resolved_at": None}


def _drift(entity: EntityResult, judged: Judged, *, shown: bool, at: datetime) -> Drift:
    found, cause = judged
    return Drift(
        tenant_id=entity.tenant_id,
        entity=entity.entity,
        record=found.record,
        key=found.key[:_LONGEST_KEY] if shown and found.key.isprintable() else "",
        sealed_key=seal(found.key),
        kind=found.kind,
        columns=_kinds(found),
        because=found.because,
        cause=cause.value,
        first_seen_at=at,
        last_seen_at=at,
        unexplained_since=at if cause is Cause.UNKNOWN else None,
    )


def _see(row: Drift, found: Found, cause: Cause, *, at: datetime) -> None:
    """Bring a drift up to date. One that now differs otherwise is not what somebody explained."""
    differs_otherwise = (row.kind, row.columns) != (found.kind, _kinds(found))
    row.kind, row.columns, row.because, row.last_seen_at = found.kind, _kinds(found), found.because, at
    row.cause = cause.value
    if cause is not Cause.UNKNOWN:
        row.unexplained_since = None
    elif row.unexplained_since is None or (differs_otherwise and row.explained_at):
        row.unexplained_since = at
    if differs_otherwise:
        row.explained_at = row.explained_by = row.explained_until = None
        row.explanation = ""


def _kinds(found: Found) -> dict[str, str]:
    return {column: kind.value for column, kind in found.columns.items()}


def _count(watch: Watch, look: Look, *, kept: Sequence[Drift], at: datetime) -> None:
    """Count all that differs; unexplained records that are not kept one by one are timed together."""
    causes = Counter(cause.value for _, cause in look.found)
    causes[Cause.UNKNOWN.value] += look.total - len(look.found)
    watch.differing, watch.causes = look.total, {cause: number for cause, number in causes.items() if number}
    unlisted = causes[Cause.UNKNOWN.value] - sum(row.cause == Cause.UNKNOWN for row in kept)
    watch.unlisted_since = (watch.unlisted_since or at) if unlisted > 0 else None
