"""What a customer was promised, which system controls keep it, and how it stands."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from compliance.domain.datasets import GONE


class Kind(StrEnum):
    """What a promise is about."""

    SERVICE = "service"
    RETENTION = "retention"
    RESIDENCY = "residency"
    TRANSFER = "transfer"
    DELETION = "deletion"
    NOTICE = "notice"
    BILLING = "billing"
    INTEGRITY = "integrity"
    ACCESS = "access"

    @property
    def label(self) -> str:
        """Its name for people."""
        return _LABELS[self]


_LABELS = {
    Kind.SERVICE: "Service level",
    Kind.RETENTION: "Retention",
    Kind.RESIDENCY: "Residency",
    Kind.TRANSFER: "Basis of transfer",
    Kind.DELETION: "Deletion",
    Kind.NOTICE: "Notice of incidents",
    Kind.BILLING: "Billing",
    Kind.INTEGRITY: "Integrity of data",
    Kind.ACCESS: "Access",
}


class Standing(StrEnum):
    """How a promise stands now."""

    KEPT = "kept"
    """Every check it is mapped to lets a gate open, or a control is stated that no check can ask about."""
    AT_RISK = "at risk"
    """A check it is mapped to blocks, or has no answer."""
    PLANNED = "planned"
    """Nothing keeps it yet; a plan with a date says what will."""
    GAP = "gap"
    """Nothing keeps it, and nothing is planned; or the plan's day has passed."""


@dataclass(frozen=True, slots=True)
class Standard:
    """A promise that every customer has, with the checks that keep it."""

    key: str
    kind: Kind
    title: str
    promise: str
    source: str
    owner: str
    checks: tuple[str, ...] = ()
    control: str = ""


STANDARD = (
    Standard(
        "no-data-loss", Kind.INTEGRITY, "No data loss",
        "Every record of the legacy platform arrives, or is left behind by a rule you can read.",
        "Migration charter, non-negotiables", "data", ("backfills.conserved", "backfills.dead_letters"),
    ),
    Standard(
        "parity", Kind.INTEGRITY, "The new platform holds what the legacy platform held",
        "Both platforms are compared record by record; at most 0.1% may differ.",
        "Migration charter, success metrics", "data", ("parity_reports.parity", "parity_reports.invariants"),
    ),
    Standard(
        "no-surprise-billing", Kind.BILLING, "No surprise billing",
        "What you pay on the new platform is agreed before you move.",
        "Migration charter, non-negotiables", "identity-billing", ("entitlements.billing_matches",),
    ),
    Standard(
        "least-privilege", Kind.ACCESS, "Least privilege",
        "Whoever can move your account signs in with more than a password.",
        "Migration charter, principles", "identity-billing", ("accounts.owner_has_second_factor",),
    ),
    Standard(
        "agreed-window", Kind.SERVICE, "No move outside the agreed window",
        "Traffic moves in a window that you chose, after both sides signed.",
        "Migration charter, cutover policy", "sre", ("cutover.window_set", "runbooks.steps_signed"),
    ),
    Standard(
        "deletion", Kind.DELETION, "Copies made for the move are deleted",
        "What was copied or kept for the move is deleted 90 days after it at the latest, unless a legal hold stands;"
        " you get a sealed attestation of what, when and how it was verified.",
        "Data processing agreement, deletion", "legal-privacy", (GONE,),
    ),
)  # fmt: skip
"""The charter's promises, as an account gets them when its move begins."""


def standing(
    *, checks: Collection[str], opens: Mapping[str, bool], control: str, plan: str, plan_due_on: date | None, on: date
) -> Standing:
    """Return how a promise stands on a day.

    `opens` says for each check that exists whether its answer lets a gate open now; a check that does not exist keeps
    nothing. A stated control counts only where no check is named: what can be asked is asked.
    """
    known = [check for check in checks if check in opens]
    if known:
        return Standing.KEPT if all(opens[check] for check in known) else Standing.AT_RISK
    if control.strip() and not checks:
        return Standing.KEPT
    if plan.strip() and plan_due_on is not None and on <= plan_due_on:
        return Standing.PLANNED
    return Standing.GAP
