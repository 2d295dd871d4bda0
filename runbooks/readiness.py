"""Checks that runbooks contribute."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from core.findings import Finding, Outcome
from core.readiness import Cover, check, exceptions
from runbooks.domain import template
from runbooks.queries import exceptions as registry
from runbooks.queries import runbooks


@check(
    "runbooks.steps_signed",
    title="Runbook steps are signed",
    owner="cs",
    due="T-1",
    valid_for=timedelta(days=1),
)
def steps_signed(*, tenant_id: UUID, at: datetime) -> Finding:
    """Every step that gates the go/no-go carries its signature."""
    runbook = runbooks.of_tenant(tenant_id=tenant_id)
    if runbook is None:
        return Finding(
            Outcome.BLOCK,
            "No runbook has been opened for this account",
            fix="The programme opens one with its owner; nothing is needed from you.",
        )
    states = runbooks.states(tenant_id=tenant_id)
    waiting = template.unsigned_gating(states)
    gating = sum(step.gates for step in states)
    facts = {"waiting": [step.key for step in waiting]}
    if not waiting:
        return Finding(Outcome.PASS, f"All {gating} steps before the go/no-go are signed", facts=facts)
    first = waiting[0]
    return Finding(
        Outcome.BLOCK,
        f"{len(waiting)} of {gating} steps before the go/no-go are not signed",
        facts=facts,
        evidence={
            "steps": [{"day": template.label(step.offset_days), "title": step.title} for step in waiting],
        },
        fix=f"Next: “{first.title}” ({template.label(first.offset_days)}). Its owner signs it in the runbook.",
    )


@exceptions
def standing(*, tenant_ids: Collection[UUID], at: datetime) -> Mapping[UUID, list[Cover]]:
    """The exception registry: what is approved, not revoked and not expired."""
    found: dict[UUID, list[Cover]] = {}
    for row in registry.active(tenant_ids=tenant_ids, at=at):
        cover = Cover(row.check_id, str(row.pk), row.expires_at, title=row.reason, items=row.items)
        found.setdefault(row.tenant_id, []).append(cover)
    return found
