"""Choices: what the customer decides about what cannot stay as it is."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from core import ledger, outbox
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from entitlements.domain.preview import Choice
from entitlements.models import Decision
from entitlements.queries import previews


class UnableToChoose(UseCaseError):
    """The choice cannot be made so."""


def choose(*, tenant_id: UUID, subject: str, choice: str, basis: str, by: Actor, at: datetime) -> Decision:
    """Record what the customer chose; `basis` is what they were shown, and must still be what is offered.

    A choice may be changed until the cutover is signed: the earlier one is replaced and stays on record. Safe to
    repeat.
    """
    by.require(Permission.DECIDE_ENTITLEMENTS, tenant_id=tenant_id)
    made = _offered(tenant_id, subject, choice, basis, at=at)
    standing = Decision.objects.filter(tenant_id=tenant_id, subject=subject, replaced_at=None)
    same = standing.filter(choice=made, basis=basis).first()
    if same is not None:
        return same
    try:
        with transaction.atomic(durable=True):
            standing.update(replaced_at=at, replaced_by=by.known_id)
            decision = Decision.objects.create(
                tenant_id=tenant_id,
                subject=subject,
                choice=made.value,
                basis=basis,
                decided_at=at,
                decided_by=by.known_id,
            )
            outbox.publish("entitlements.choice.made", tenant_id=tenant_id, decision_id=decision.pk)
            ledger.record(
                "entitlements.choice.made",
                by=by,
                at=at,
                tenant_id=tenant_id,
                subject=decision,
                data={"subject": subject, "choice": made.value, "basis": basis},
            )
    except IntegrityError as error:  # one choice stands at a time
        raise UnableToChoose("Somebody else has just chosen.", fix="Look at the page again.") from error
    return decision


def _offered(tenant_id: UUID, subject: str, choice: str, basis: str, *, at: datetime) -> Choice:
    state = previews.state(tenant_id=tenant_id, at=at)
    options = {one.subject: one for one in state.preview.options} if state else {}
    option = options.get(subject)
    if option is None:
        raise UnableToChoose("There is nothing to choose here any more.", fix="Look at the page again.")
    if choice not in option.choices:
        raise UnableToChoose("Choose one of the answers shown.")
    if basis != option.basis:
        raise UnableToChoose("The offer has changed since you saw it.", fix="Read it again, then choose.")
    return Choice(choice)
