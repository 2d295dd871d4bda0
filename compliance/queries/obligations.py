"""Obligations as they stand, for pages, readiness and evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from compliance.domain import obligations
from compliance.domain.obligations import Standing
from compliance.models import Attestation, Deletion, Obligation
from core import readiness


@dataclass(frozen=True, slots=True)
class Control:
    """One check that keeps a promise."""

    title: str
    opens: bool
    link: str


@dataclass(frozen=True, slots=True)
class Row:
    """One promise as it stands."""

    obligation: Obligation
    standing: Standing
    controls: list[Control]

    @property
    def state(self) -> str:
        """The state's name among the components."""
        states = {Standing.KEPT: "pass", Standing.AT_RISK: "block", Standing.PLANNED: "warn", Standing.GAP: "fail"}
        return states[self.standing]

    @property
    def words(self) -> str:
        """The state in words."""
        return self.standing.value.capitalize()


def current(*, tenant_id: UUID) -> QuerySet[Obligation]:
    """Return the promises that hold for a tenant."""
    return Obligation.objects.filter(tenant_id=tenant_id, retired_at=None)


def stand(*, tenant_id: UUID, at: datetime, own_check: str = "") -> list[Row]:
    """Return every promise with how it stands; `own_check` is left out, so that a check need not ask itself."""
    lines = {
        line.check_id: line for line in readiness.overview(tenant_id=tenant_id, at=at) if line.check_id != own_check
    }
    opens: Mapping[str, bool] = {check_id: not line.blocks for check_id, line in lines.items()}
    return [
        Row(
            row,
            obligations.standing(
                checks=row.checks,
                opens=opens,
                control=row.control,
                plan=row.plan,
                plan_due_on=row.plan_due_on,
                on=at.date(),
            ),
            [
                Control(lines[check].check.title, opens[check], lines[check].link)
                for check in row.checks
                if check in lines
            ],
        )
        for row in current(tenant_id=tenant_id)
    ]


def attestations(*, tenant_id: UUID) -> QuerySet[Attestation]:
    """Return the tenant's attestations, newest first."""
    return Attestation.objects.filter(tenant_id=tenant_id).select_related("deletion")


def open_deletions(*, tenant_id: UUID) -> QuerySet[Deletion]:
    """Return the deletions that are ordered and not done."""
    return Deletion.objects.filter(tenant_id=tenant_id, done_at=None)
