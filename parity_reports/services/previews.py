"""Previews of reconciliations: what would be done about each record that drifts; nothing is changed by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from backfills import barriers
from core import holds, ports
from core.actor import Actor
from core.comparison import Plan
from core.permissions import Permission
from core.reconciling import Foreseen, Outcome
from core.sealing import unseal
from parity_reports.domain import reconciliation as domain
from parity_reports.domain import redaction
from parity_reports.domain.drift import Cause
from parity_reports.domain.reconciliation import Case, State, Strategy
from parity_reports.domain.redaction import Exposure
from parity_reports.models import Drift, Reconciliation, ReconciliationItem
from parity_reports.queries import drift as drifts
from parity_reports.queries import promises
from parity_reports.services import batches, reconciliations
from parity_reports.services.reconciliations import UnableToReconcile

LONGEST = timedelta(days=90)
"""How long an accepted difference counts at most."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """What is done about one record, and how its object stands; of one that is merged also what becomes of it."""

    row: Drift
    case: Case
    strategy: Strategy
    key: str
    mark: str = ""
    foreseen: Foreseen | None = None

    @property
    def is_left(self) -> bool:
        """Whether merging would change nothing: the object or its source row is gone, or not taken."""
        if self.strategy is not Strategy.MERGE:
            return False
        return self.foreseen is None or self.foreseen.outcome not in (Outcome.WRITTEN, Outcome.EQUAL)

    @property
    def accepts(self) -> bool:
        """Whether the record goes on differing afterwards, as was agreed."""
        merged = self.foreseen.fields if self.foreseen else ()
        return self.strategy is Strategy.TARGET or any(field.keeps for field in merged)


def make(
    *,
    tenant_id: UUID,
    entity: str,
    strategies: Mapping[Cause, Strategy],
    reason: str,
    accepted_until: datetime | None,
    by: Actor,
    at: datetime,
) -> Reconciliation:
    """Write down what would be done about an entity's drift, and how each object stands now; nothing is changed.

    Under a legal hold what would be removed is left, and the preview says so. Raises UnableToReconcile without a
    reason, without anything to do, or where the new platform does not answer.
    """
    by.require(Permission.RECONCILE, tenant_id=tenant_id)
    plan = _plan(tenant_id, entity)
    if not reason.strip():
        raise UnableToReconcile("Say why: the reason is kept with it.")
    cases = _cases(tenant_id, entity, preserves=holds.is_legally_held(tenant_id=tenant_id, at=at))
    aside = domain.aside([case for _, case in cases], strategies)
    chosen = _looked_at(tenant_id, plan, _chosen(cases, strategies), at=at)
    if aside and not chosen:
        raise UnableToReconcile(aside, fix="Choose again once the legal and privacy lead has released the hold.")
    if not chosen:
        raise UnableToReconcile(
            "There is nothing to do by these choices.",
            fix="Records that stand twice or are kept back by a rule are settled in legacy.",
        )
    accepts = any(one.accepts for one in chosen)
    if accepts and (accepted_until is None or not at < accepted_until <= at + LONGEST):
        raise UnableToReconcile(f"Accepted differences need an end, at most {LONGEST.days} days from now.")
    home, exposures = bool(barriers.why_shut(tenant_id=tenant_id)), promises.exposures(plan)
    with transaction.atomic(durable=True):
        made = Reconciliation.objects.create(
            tenant_id=tenant_id,
            entity=entity,
            title=plan.spec.title,
            state=State.PREVIEWED.value,
            strategies={cause.value: strategy.value for cause, strategy in strategies.items()},
            reason=reason.strip()[:500],
            aside=aside,
            second_person=domain.why_second_person([(one.case, one.strategy) for one in chosen], new_is_home=home),
            accepted_until=accepted_until if accepts else None,
            requested_at=at,
            requested_by=by.known_id,
        )
        ReconciliationItem.objects.bulk_create(
            ReconciliationItem(
                tenant_id=tenant_id,
                reconciliation=made,
                drift=one.row,
                strategy=one.strategy.value,
                sealed_key=one.row.sealed_key,
                mark=one.mark,
                fields=_fields(one.foreseen, exposures),
                foreseen=one.foreseen.result if one.foreseen else "",
            )
            for one in chosen
        )
        reconciliations.record("previewed", made, by=by, at=at, records=len(chosen))
    return made


def _plan(tenant_id: UUID, entity: str) -> Plan:
    plan = next((plan for plan in promises.plans(tenant_id=tenant_id) if plan.entity == entity), None)
    if plan is None:
        raise UnableToReconcile("It is no longer mapped.")
    return plan


def _cases(tenant_id: UUID, entity: str, *, preserves: bool) -> list[tuple[Drift, Case]]:
    """Return the records that drift, each as the decision sees it."""
    rows = drifts.listed(tenant_id=tenant_id).filter(entity=entity)
    return [(row, Case(row.kind, Cause(row.cause), bool(row.because), preserves)) for row in rows]


def _chosen(cases: Sequence[tuple[Drift, Case]], strategies: Mapping[Cause, Strategy]) -> list[_Choice]:
    """Return the records about which something is to be done."""
    decided = [(row, case, domain.decide(case, strategies)) for row, case in cases]
    return [
        _Choice(row, case, strategy, unseal(row.sealed_key))
        for row, case, strategy in decided
        if strategy is not Strategy.ASK
    ]


def _looked_at(tenant_id: UUID, plan: Plan, chosen: Sequence[_Choice], *, at: datetime) -> list[_Choice]:
    """Ask the new platform how each object stands and what merging makes of it; leave out what it makes nothing of."""
    merging = [one.key for one in chosen if one.strategy is Strategy.MERGE]
    if merging and not plan.spec.merges:
        raise UnableToReconcile(
            f"The mapping of {plan.spec.title.lower()} says of no column whose value counts.",
            fix="Declare `on_drift` in it, or choose otherwise.",
        )
    if merging:
        reconciliations.demand_rest(tenant_id=tenant_id)
    try:
        marks = ports.reconciler().marks(account_id=tenant_id, spec=plan.spec, keys=[one.key for one in chosen])
        merged = {key: marks[key] for key in merging}
        foreseen = batches.foresee(tenant_id=tenant_id, entity=plan.entity, marks=merged, at=at)
    except (ports.Unavailable, ports.Rejected) as problem:
        raise UnableToReconcile(str(problem), fix="Try again in a moment; nothing was changed.") from problem
    looked_at = [replace(one, mark=marks[one.key], foreseen=foreseen.get(one.key)) for one in chosen]
    return [one for one in looked_at if not one.is_left]


def _fields(foreseen: Foreseen | None, exposures: Mapping[str, Exposure]) -> dict[str, dict[str, object]]:
    """Return what is kept of a merge, column by column: values of public columns alone."""
    told = {}
    for one in foreseen.fields if foreseen else ():
        shown = redaction.values(exposures[one.column], expected=one.legacy, actual=one.new)
        told[one.column] = {"keeps": one.keeps, "legacy": shown.expected, "new": shown.actual}
    return told
