"""What stands now: the latest answer of every check, and the gates they open or keep shut."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from core.domain import gates
from core.domain.checks import Check
from core.domain.gates import Answer, Cover, GateState, Line
from core.findings import Finding, Outcome
from core.models import RecordedFinding
from core.readiness.registry import CHECKS, EXCEPTIONS, checks_of

log = logging.getLogger(__name__)


def latest(*, tenant_id: UUID) -> dict[str, Answer]:
    """Return the latest answer of each check that ever answered, by check id."""
    return latest_of_many(tenant_ids=[tenant_id]).get(tenant_id, {})


def latest_of_many(*, tenant_ids: Collection[UUID], brief: bool = False) -> dict[UUID, dict[str, Answer]]:
    """Return the latest answers of many tenants in one query; `brief` ones without fix, facts and evidence."""
    rows = RecordedFinding.objects.filter(tenant_id__in=tenant_ids, is_latest=True)
    if brief:
        return _brief(rows)
    found: dict[UUID, dict[str, Answer]] = {}
    for row in rows.order_by():
        found.setdefault(row.tenant_id, {})[row.check_id] = _answer(row)
    return found


def history(*, tenant_id: UUID, check_id: str, limit: int = 20) -> list[Answer]:
    """Return what a check said over time, newest first."""
    rows = RecordedFinding.objects.filter(tenant_id=tenant_id, check_id=check_id)
    return [_answer(row) for row in rows.order_by("-evaluated_at")[:limit]]


def blocked_over_time(*, tenant_id: UUID, limit: int = 30) -> list[tuple[datetime, int]]:
    """Return how many checks did not pass after each of the latest evaluations, oldest first.

    It replays what was recorded, so expiry and exceptions do not count; the earliest points may lack checks whose
    last answer lies further back than `limit` evaluations.
    """
    rows = RecordedFinding.objects.filter(tenant_id=tenant_id).order_by("-evaluated_at")
    recorded = rows.values_list("evaluated_at", "check_id", "outcome")[: limit * max(1, len(CHECKS))]
    standing: dict[str, bool] = {}
    counts: dict[datetime, int] = {}
    for evaluated_at, check_id, outcome in reversed(recorded):
        standing[check_id] = not Outcome(outcome).opens
        counts[evaluated_at] = sum(standing.values())
    return list(counts.items())[-limit:]


def overview(*, tenant_id: UUID, at: datetime) -> tuple[Line, ...]:
    """Return every check with what it means now, in order of id."""
    return _lines(checks=CHECKS.values(), tenant_ids=[tenant_id], at=at)[tenant_id]


def overview_of_many(
    *, tenant_ids: Collection[UUID], at: datetime, brief: bool = False
) -> dict[UUID, tuple[Line, ...]]:
    """Return the same for many tenants, in as many queries as for one; `brief` answers say the outcome alone."""
    return _lines(checks=CHECKS.values(), tenant_ids=tenant_ids, at=at, brief=brief)


def gate(*, tenant_id: UUID, name: str, at: datetime) -> GateState:
    """Return a gate's state; an unknown, missing or expired answer keeps it shut. KeyError for no such gate."""
    return gate_of_many(tenant_ids=[tenant_id], name=name, at=at)[tenant_id]


def gate_of_many(*, tenant_ids: Collection[UUID], name: str, at: datetime) -> dict[UUID, GateState]:
    """Return a gate's state for many tenants, in as many queries as for one."""
    found = _lines(checks=checks_of(name), tenant_ids=tenant_ids, at=at)
    return {tenant_id: GateState(name=name, at=at, lines=lines) for tenant_id, lines in found.items()}


def needs_you(*, tenant_id: UUID, at: datetime) -> Counter[str]:
    """Count what blocks, by whose turn it is (`.total()` is the one number)."""
    return gates.waiting_by_owner(overview(tenant_id=tenant_id, at=at))


def passing(*, check_ids: Collection[str], at: datetime) -> QuerySet[RecordedFinding, Any]:
    """Return the ids of the tenants that pass every named check now, as a subquery for a filter over all of them.

    Stricter than a gate: an exception lets a gate open, and passes nothing.
    """
    rows = RecordedFinding.objects.filter(
        is_latest=True,
        check_id__in=check_ids,
        outcome__in=[one.value for one in Outcome if one.opens],
        expires_at__gt=at,
    )
    counted = rows.order_by().values("tenant_id").annotate(passed=Count("pk"))
    return counted.filter(passed=len(set(check_ids))).values("tenant_id")


def _lines(
    *, checks: Iterable[Check], tenant_ids: Collection[UUID], at: datetime, brief: bool = False
) -> dict[UUID, tuple[Line, ...]]:
    asked = list(checks)
    answers = latest_of_many(tenant_ids=tenant_ids, brief=brief)
    standing = covers(tenant_ids=tenant_ids, at=at)
    return {
        tenant_id: gates.lines(
            checks=asked, answers=answers.get(tenant_id, {}), covers=standing.get(tenant_id, []), at=at
        )
        for tenant_id in tenant_ids
    }


def covers(*, tenant_ids: Collection[UUID], at: datetime) -> dict[UUID, list[Cover]]:
    """Return the policy exceptions that stand for many tenants; a source that fails covers nothing."""
    found: dict[UUID, list[Cover]] = {}
    for name, source in EXCEPTIONS.items():
        try:
            told = source(tenant_ids=tenant_ids, at=at)
            parts = {tenant_id: list(covers) for tenant_id, covers in told.items()}
        except Exception:  # a source that fails covers nothing: the gate stays shut
            log.exception("readiness.exceptions_failed source=%s", name)
            continue
        for tenant_id, covers in parts.items():
            found.setdefault(tenant_id, []).extend(covers)
    return found


def _brief(rows: QuerySet[RecordedFinding]) -> dict[UUID, dict[str, Answer]]:
    """Read what a list of hundreds of answers needs, past the making of model instances."""
    found: dict[UUID, dict[str, Answer]] = {}
    columns = ("tenant_id", "check_id", "outcome", "summary", "items", "evaluated_at", "expires_at")
    for tenant_id, check_id, outcome, summary, items, evaluated_at, expires_at in rows.order_by().values_list(*columns):
        finding = Finding(Outcome(outcome), summary, items=items)
        found.setdefault(tenant_id, {})[check_id] = Answer(check_id, finding, evaluated_at, expires_at)
    return found


def _answer(row: RecordedFinding) -> Answer:
    finding = Finding(
        Outcome(row.outcome), row.summary, facts=row.facts, evidence=row.evidence, fix=row.fix, link=row.link,
        items=row.items,
    )  # fmt: skip
    return Answer(row.check_id, finding, row.evaluated_at, row.expires_at, row.evaluated_by)
