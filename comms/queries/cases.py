"""Support cases, for the customer's page, for staff's queue, for readiness and for the tasks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case as Pick
from django.db.models import Count, IntegerField, Q, QuerySet, Value, When

from accounts.queries import members
from comms.domain.cases import OPEN, CaseState, Severity
from comms.domain.sla import Clock
from comms.models import Case, CaseEntry
from core import readiness

CLOSED_AFTER = timedelta(days=7)
"""A resolved case that nobody wrote in for so long is closed."""


@dataclass(frozen=True, slots=True)
class About:
    """The check a case is about, as it stands now."""

    check_id: str
    title: str
    finding: dict[str, Any]


def of_tenant(*, tenant_id: UUID, only_of: UUID | None = None) -> QuerySet[Case]:
    """Return a tenant's cases, open ones first, the newest first; `only_of` one person's own."""
    found = Case.objects.filter(tenant_id=tenant_id).select_related("opened_by", "assignee")
    if only_of is not None:
        found = found.filter(opened_by_id=only_of)
    is_over = When(state__in=(CaseState.RESOLVED, CaseState.CLOSED), then=Value(1))
    over = Pick(is_over, default=Value(0), output_field=IntegerField())
    return found.order_by(over, "-opened_at")


def find(*, tenant_id: UUID, case_id: UUID, only_of: UUID | None = None) -> Case | None:
    """Return one case of a tenant."""
    return of_tenant(tenant_id=tenant_id, only_of=only_of).filter(pk=case_id).first()


def entries(*, case: Case) -> QuerySet[CaseEntry]:
    """Return what was said in a case, in order."""
    return CaseEntry.objects.filter(tenant_id=case.tenant_id, case=case).select_related("written_by")


def clock(case: Case) -> Clock:
    """Return a case's clock."""
    return Clock(case.respond_by, case.resolve_by, case.responded_at is not None, case.paused_at)


def asker(*, tenant_id: UUID, case_id: UUID) -> UUID | None:
    """Return who opened a case, as long as they belong to the account: whoever left hears nothing more of it."""
    active = members.active(tenant_id=tenant_id).values("user_id")
    mine = Case.objects.filter(tenant_id=tenant_id, pk=case_id, opened_by_id__in=active)
    return mine.values_list("opened_by_id", flat=True).first()


def about(*, tenant_id: UUID, check_id: str, at: datetime) -> About | None:
    """Return a check as a case freezes it: what it found, what to do, whose turn it is; None for no such check."""
    if check_id not in readiness.CHECKS:
        return None
    check = readiness.CHECKS[check_id]
    answer = readiness.latest(tenant_id=tenant_id).get(check_id)
    if answer is None:
        return About(check_id, check.title, {"title": check.title})
    found = answer.finding
    return About(
        check_id,
        check.title,
        {
            "title": check.title,
            "outcome": found.outcome.value,
            "summary": found.summary,
            "fix": found.fix,
            "facts": dict(found.facts),
            "evaluated_at": answer.evaluated_at.isoformat(),
        },
    )


def urgent(*, tenant_id: UUID) -> list[Case]:
    """Return the open cases that keep the go/no-go shut."""
    states = [state.value for state in OPEN]
    return list(Case.objects.filter(tenant_id=tenant_id, severity=Severity.URGENT, state__in=states))


def count_open_of(tenant_id: UUID) -> int:
    """Return how many cases wait for the customer, for the sidebar."""
    return Case.objects.filter(tenant_id=tenant_id, state=CaseState.WAITING).count()


def open_by_tenant(tenant_ids: Iterable[UUID]) -> Mapping[UUID, tuple[int, str]]:
    """Return how many cases of each tenant are open, and the gravest severity among them."""
    opened = Case.objects.filter(tenant_id__in=list(tenant_ids), state__in=[state.value for state in OPEN])
    grouped = opened.order_by().values("tenant_id", "severity").annotate(count=Count("pk"))
    found: dict[UUID, tuple[int, str]] = {}
    for row in grouped:
        count, gravest = found.get(row["tenant_id"], (0, row["severity"]))
        found[row["tenant_id"]] = (count + row["count"], min(gravest, row["severity"]))
    return found


def numbers(*, at: datetime) -> tuple[int, int, int]:
    """Return how many cases are open, how many of them are urgent, and how many are past their time."""
    opened = Case.objects.filter(state__in=[state.value for state in OPEN])
    counted = opened.aggregate(
        all=Count("pk"),
        urgent=Count("pk", filter=Q(severity=Severity.URGENT)),
        late=Count("pk", filter=Q(due_at__lt=at)),
    )
    return counted["all"], counted["urgent"], counted["late"]


def to_tend(*, at: datetime, limit: int = 500) -> list[tuple[UUID, UUID]]:
    """Return (tenant, case) of what is to be escalated or closed; needs a staff scope."""
    late = Case.objects.filter(escalates_at__lte=at).order_by("escalates_at").values_list("tenant_id", "pk")[:limit]
    old = (
        Case.objects.filter(state=CaseState.RESOLVED, resolved_at__lte=at - CLOSED_AFTER)
        .order_by("resolved_at")
        .values_list("tenant_id", "pk")[:limit]
    )
    return [*late, *old]
