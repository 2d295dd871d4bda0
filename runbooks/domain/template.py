"""The runbook every tenant starts from: the charter's timeline framework, T-60 to T+15."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from core.permissions import StaffRole


@dataclass(frozen=True, slots=True)
class StepTemplate:
    """One step: what is done, by whom, until when (days from T0), and how one sees that it is done.

    A `gates` step must be signed before the go/no-go may be requested.
    """

    key: str
    title: str
    due: int
    owner: StaffRole
    validation: str
    gates: bool = True


R = StaffRole

STEPS: tuple[StepTemplate, ...] = (
    StepTemplate(
        "mapping-spec",
        "Finalise the mapping spec",
        -45,
        R.DATA_LEAD,
        "Every field is mapped or dropped by a named rule",
    ),
    StepTemplate(
        "integration-inventory",
        "Take the integration inventory",
        -42,
        R.INTEGRATIONS_LEAD,
        "Every webhook, key and connector has a stated fate",
    ),
    StepTemplate(
        "billing-reconciled", "Reconcile entitlements and billing", -35, R.IDENTITY_BILLING_LEAD, "No open mismatch"
    ),
    StepTemplate(
        "gameday", "Rehearse on a GameDay", -30, R.SRE_LEAD, "Stalled job, outage and rollback were each played through"
    ),
    StepTemplate("dry-run", "Run the backfill dry", -28, R.DATA_LEAD, "The conservation ledger balances"),
    StepTemplate(
        "entitlement-preview", "Open the entitlement preview", -24, R.CS, "The customer has seen their plan old and new"
    ),
    StepTemplate(
        "timeline-published",
        "Publish the timeline to the customer",
        -20,
        R.CS,
        "The customer's admins have received it",
    ),
    StepTemplate(
        "freeze-locked",
        "Lock the freeze",
        -14,
        R.PROGRAMME_MANAGER,
        "No bespoke change is open without the steering group's approval",
    ),
    StepTemplate(
        "rollback-plan", "Finalise the rollback plan", -10, R.SRE_LEAD, "Each gate has its way back, with an owner"
    ),
    StepTemplate(
        "domains-and-sign-in",
        "Complete domain and sign-in verification",
        -7,
        R.IDENTITY_BILLING_LEAD,
        "Each domain is verified, each owner has a second factor",
    ),
    StepTemplate("customer-tests", "Complete the customer's own tests", -4, R.CS, "The customer's admin says so"),
    StepTemplate(
        "parity-reviewed",
        "Review parity and invariants with the customer",
        -2,
        R.DATA_LEAD,
        "Parity error at most 0.1 %, invariants at least 99.9 %",
    ),
    StepTemplate("rollback-proof", "Show the proof of rollback", -1, R.SRE_LEAD, "The rehearsal's record is attached"),
    StepTemplate("go-no-go", "Sign the go/no-go", 0, R.RUNBOOK_OWNER, "Both signatures verify", gates=False),
    StepTemplate(
        "drift-watch",
        "Watch drift and reconcile",
        3,
        R.DATA_LEAD,
        "No drift unexplained for more than 30 minutes",
        gates=False,
    ),
    StepTemplate("support-surge", "Cover the support surge", 7, R.SUPPORT, "The queue is inside its SLA", gates=False),
    StepTemplate(
        "legacy-sign-in-removed",
        "Remove legacy sign-in and screens",
        14,
        R.IDENTITY_BILLING_LEAD,
        "No legacy path answers",
        gates=False,
    ),
    StepTemplate(
        "decommission",
        "Decommission and publish what we retired",
        15,
        R.TECHNICAL_LEAD,
        "Checklist complete, attestations stored",
        gates=False,
    ),
)


@dataclass(frozen=True, slots=True)
class StepState:
    """What the decisions need to know of one step."""

    key: str
    title: str
    offset_days: int
    gates: bool
    signed: bool


def due_on(*, cutover_on: date, offset_days: int) -> date:
    """Return the day a step is due."""
    return cutover_on + timedelta(days=offset_days)


def label(offset_days: int) -> str:
    """Return the day in the programme's own words: `T-14`, `T0`, `T+15`."""
    return "T0" if offset_days == 0 else f"T{offset_days:+d}"


def unsigned_gating(steps: Iterable[StepState]) -> list[StepState]:
    """Return the steps that hold the go/no-go back, in order of their day."""
    return sorted(
        (step for step in steps if step.gates and not step.signed), key=lambda step: (step.offset_days, step.key)
    )


def overdue(steps: Iterable[StepState], *, cutover_on: date, today: date) -> list[StepState]:
    """Return the unsigned steps whose day has passed."""
    return [
        step
        for step in steps
        if not step.signed and due_on(cutover_on=cutover_on, offset_days=step.offset_days) < today
    ]
