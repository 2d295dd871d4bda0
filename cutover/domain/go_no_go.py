"""The go/no-go: whose signatures it needs, and who may give which."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from cutover.domain.phases import Phase

ACTION = "cutover.go_no_go"
CUSTOMER, VENDOR = "customer_approver", "runbook_owner"

SEAT_NAMES: Mapping[str, str] = {CUSTOMER: "Customer's approver", VENDOR: "Runbook owner"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a decision about asking looks at."""

    phase: Phase
    window_set: bool
    runbook_owner: UUID | None
    approver_active: bool
    """False when an approver was named who has left since."""


def refusal_to_ask(asked: Asked) -> tuple[str, str] | None:
    """Say why a go/no-go cannot be asked for, and what to do; None when it can. The gate is judged besides."""
    if asked.phase is not Phase.PREFLIGHT:
        return (
            f"A go/no-go is decided in phase Preflight; this account is in {asked.phase.label}.",
            "Your runbook owner moves you to Preflight when preparation is complete."
            if asked.phase in (Phase.DISCOVER, Phase.PREPARE)
            else "",
        )
    if not asked.window_set:
        return ("The cutover window is not set.", "Set it first: the signature is for that window.")
    if asked.runbook_owner is None:
        return ("No runbook owner is assigned to you yet.", "Ask customer success to assign one; they must sign too.")
    if not asked.approver_active:
        return ("The named approver has left this account.", "An owner can name another one under Cutover window.")
    return None


@dataclass(frozen=True, slots=True)
class Signer:
    """The person who wants to sign, and what they hold."""

    user_id: UUID | None
    is_member: bool
    may_approve: bool
    """Holds the customer's permission to approve the cutover."""
    may_sign_for_vendor: bool
    """Holds the vendor's permission to sign as runbook owner."""


def seat_of(signer: Signer, named: Mapping[str, UUID | None]) -> str | None:
    """Return the seat a person may sign in, or None. `named` are the only people who may, where one is named."""
    if signer.user_id is None:
        return None
    if not signer.is_member:
        if signer.may_sign_for_vendor and named.get(VENDOR) == signer.user_id:
            return VENDOR
        return None
    approver = named.get(CUSTOMER)
    if approver == signer.user_id or (approver is None and signer.may_approve):
        return CUSTOMER
    return None


def refusal_of_seat(signer: Signer, named: Mapping[str, UUID | None]) -> str:
    """Say why a person has no seat, in words fit for them."""
    if not signer.is_member:
        if signer.may_sign_for_vendor:
            return "You are not this account's runbook owner, so you cannot sign for it."
        return "Your role does not include signing as runbook owner."
    if named.get(CUSTOMER) is not None:
        return "Another person is named as the approver of this account's cutover."
    return "Only an owner of this account can sign the go/no-go, unless an owner names another approver."
