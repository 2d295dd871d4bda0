"""Deliveries: hand each copy over once, try again what failed for now, and say what was refused for good."""

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from comms.domain import deliveries as domain
from comms.domain import letters
from comms.domain.deliveries import DeliveryState
from comms.domain.ladder import Audience
from comms.models import Delivery, Mailing
from comms.queries import recipients, wording
from comms.services.mailings import SEND
from core import ledger, ports, queue
from core.actor import Actor
from core.errors import UseCaseError
from core.letters import Letter
from core.permissions import Permission

log = logging.getLogger(__name__)

AT_ONCE = 100
"""How many copies one job hands over; the rest is for the next."""
PATIENCE = 3
"""After so many failures in a row the mail server is left alone until the next attempt."""


class UnableToSend(UseCaseError):
    """The copy cannot be sent again."""


def send(*, tenant_id: UUID, mailing_id: UUID, by: Actor, at: datetime) -> int:
    """Hand over the copies of a mailing that are due; return how many left. Safe to repeat and to run side by side.

    Each copy is claimed before it is handed over, so that two workers never send the same one.
    """
    by.require(Permission.MANAGE_COMMS, tenant_id=tenant_id)
    mailing = Mailing.objects.select_related("tenant").get(tenant_id=tenant_id, pk=mailing_id)
    due = Delivery.objects.filter(
        tenant_id=tenant_id, mailing=mailing, state=DeliveryState.WAITING, next_at__lte=at
    ).select_related("person")
    sent = failures = 0
    for delivery in due.order_by("next_at", "id")[:AT_ONCE]:
        left = _send(delivery, mailing=mailing, at=at)
        sent += left is True
        failures = failures + 1 if left is None else 0
        if failures >= PATIENCE:
            log.warning("comms.mail_server_away mailing=%s", mailing_id)
            return sent
    if due.exists():
        queue.enqueue(SEND, tenant_id=tenant_id, key=str(mailing_id), mailing_id=mailing_id)
    return sent


def release_lost(*, by: Actor, at: datetime) -> int:
    """Mark the copies whose sender vanished half-way as unsure, for staff to look at; return how many.

    They may have left, so they are not sent again by themselves. Needs a staff scope.
    """
    by.require(Permission.MANAGE_COMMS)
    lost = Delivery.objects.filter(state=DeliveryState.SENDING, claimed_until__lte=at)
    return lost.update(
        state=DeliveryState.UNSURE.value, claimed_until=None, problem="Whoever sent it stopped half-way."
    )


def send_again(*, delivery: Delivery, by: Actor, at: datetime) -> Delivery:
    """Try a copy again that was refused, given up or may have left. Safe to repeat."""
    by.require(Permission.MANAGE_COMMS, tenant_id=delivery.tenant_id)
    with transaction.atomic(durable=True):
        troubled = Delivery.objects.filter(pk=delivery.pk, state__in=[state.value for state in domain.TROUBLED])
        if not troubled.update(state=DeliveryState.WAITING.value, attempts=0, next_at=at, problem=""):
            raise UnableToSend("This copy was sent or waits already.")
        key = str(delivery.mailing_id)
        queue.enqueue(SEND, tenant_id=delivery.tenant_id, key=key, mailing_id=delivery.mailing_id)
        ledger.record("comms.delivery.sent_again", by=by, at=at, tenant_id=delivery.tenant_id, subject=delivery)
    delivery.refresh_from_db()
    return delivery


def _send(delivery: Delivery, *, mailing: Mailing, at: datetime) -> bool | None:
    """Hand one copy over; return whether it left, None when the mail server did not take it for now."""
    row = Delivery.objects.filter(tenant_id=mailing.tenant_id, pk=delivery.pk)
    until = at + domain.LEASE
    claimed = row.filter(state=DeliveryState.WAITING, next_at__lte=at).update(
        state=DeliveryState.SENDING.value, claimed_until=until, attempts=F("attempts") + 1
    )
    if not claimed:
        return False
    ours = row.filter(state=DeliveryState.SENDING, claimed_until=until)
    is_for_leavers = mailing.audience == Audience.LEAVERS
    if not is_for_leavers and not recipients.belongs(delivery.person_id, tenant_id=mailing.tenant_id):
        # they left since it was said
        ours.update(state=DeliveryState.GIVEN_UP.value, claimed_until=None, problem="They left the account.")
        return False
    try:
        ports.mail().send(_letter(delivery, mailing=mailing))
    except ports.Rejected as error:
        log.warning("comms.refused delivery=%s", delivery.pk)
        ours.update(state=DeliveryState.REFUSED.value, claimed_until=None, problem=str(error)[:200])
        return False
    except ports.Unavailable as error:
        attempts = delivery.attempts + 1
        ours.update(
            state=domain.after_failure(attempts=attempts).value,
            claimed_until=None,
            next_at=at + domain.pause(attempts=attempts),
            problem=str(error)[:200],
        )
        return None
    return bool(ours.update(state=DeliveryState.SENT.value, claimed_until=None, sent_at=at, problem=""))


def _letter(delivery: Delivery, *, mailing: Mailing) -> Letter:
    messages = wording.address(mailing.tenant.slug, "messages/")
    tail = "" if mailing.is_essential else "\n\nYou can switch messages like this one off under “Messages”."
    hello = letters.greeting(delivery.person.name)
    text = f"{hello}\n\n{mailing.text}{tail}\n\nCrossing"
    return Letter(
        id=f"crossing-{delivery.pk}",
        to=delivery.person.email,
        subject=letters.one_line(mailing.subject),
        text=text + "\n",
        html=letters.page(letters.one_line(mailing.subject), letters.as_html(text, link=mailing.link)),
        headers={} if mailing.is_essential else {"List-Unsubscribe": f"<{messages}>"},
    )
