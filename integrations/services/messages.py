"""Messages: send a test event, try again by the schedule, send again on request."""

import json
import secrets
from datetime import UTC, datetime
from random import random
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from core import ledger, ports, queue
from core.actor import Actor
from core.errors import UseCaseError
from core.outbound import Reply
from core.permissions import Permission
from integrations.domain import excerpts, retries, signing
from integrations.domain.retries import State, Verdict
from integrations.models import Attempt, Endpoint, Message
from integrations.services import endpoints

TASK = "integrations.tasks.deliver"
TEST_EVENT = "crossing.test"
MOST_PENDING = 50
"""How many messages of one tenant may be on their way: a slow receiver must not keep the workers from other tenants."""


class UnableToSend(UseCaseError):
    """The message cannot be sent now."""


def new_id() -> str:
    """Return a message id; nobody can guess one."""
    return f"msg_{secrets.token_hex(12)}"


def body_of(event: str, *, at: datetime) -> str:
    """Return the text of a harmless event: nothing in it is a customer's."""
    told = {"type": event, "timestamp": at.astimezone(UTC).isoformat(), "data": {"test": True, "flight": "XX 0000"}}
    return json.dumps(told, separators=(",", ":"))


def send_test(*, endpoint: Endpoint, by: Actor, at: datetime) -> Message:
    """Put a test event to an endpoint into the queue."""
    by.require(Permission.MANAGE_INTEGRATIONS, tenant_id=endpoint.tenant_id)
    _require_sendable(endpoint)
    with transaction.atomic(durable=True):
        message = Message.objects.create(
            tenant_id=endpoint.tenant_id,
            endpoint=endpoint,
            message_id=new_id(),
            event=TEST_EVENT,
            body=body_of(TEST_EVENT, at=at),
            requested_at=at,
            requested_by=by.known_id,
            next_attempt_at=at,
        )
        _enqueue(message, by=by)
        ledger.record(
            "integrations.message.requested",
            by=by,
            at=at,
            tenant_id=endpoint.tenant_id,
            subject=message,
            data={"event": message.event},
        )
    return message


def resend(*, message: Message, by: Actor, at: datetime) -> Message:
    """Send a settled message again: the same id, a fresh timestamp, the schedule from its beginning."""
    by.require(Permission.MANAGE_INTEGRATIONS, tenant_id=message.tenant_id)
    _require_sendable(message.endpoint)
    with transaction.atomic(durable=True):
        settled = Message.objects.filter(pk=message.pk, tenant_id=message.tenant_id).exclude(state=State.PENDING.value)
        if not settled.update(state=State.PENDING.value, tries=0, next_attempt_at=at, settled_at=None):
            raise UnableToSend("This message is on its way already.", fix="Wait for its next attempt.")
        _enqueue(message, by=by)
        ledger.record(
            "integrations.message.sent_again",
            by=by,
            at=at,
            tenant_id=message.tenant_id,
            subject=message,
            data={"event": message.event},
        )
    message.refresh_from_db()
    return message


def deliver(*, message_id: UUID, by: Actor, at: datetime, job_id: UUID | None = None) -> State | None:
    """Attempt a message that is due, keep what was answered, and plan what follows; None if there is nothing to do.

    One that was asked for while its endpoint was being switched off is given up without a word to the endpoint.

    Safe to repeat: a message that is settled or not yet due is left alone. The network comes before the transaction,
    so a worker that dies in between sends the same id once more.
    """
    message = Message.objects.filter(pk=message_id).select_related("endpoint").first()
    if message is None or message.next_attempt_at is None or message.next_attempt_at > at:
        return None
    by.require(Permission.MANAGE_INTEGRATIONS, tenant_id=message.tenant_id)
    if message.endpoint.off_at is not None:
        _settle(message, Verdict(State.FAILED), at=at)
        return State.FAILED
    queue.progress(job_id, 0, 1, f"Sending to {message.endpoint.url}")
    reply, trouble = _send(message, at=timezone.now())
    verdict = retries.after(
        status=reply.status if reply else None,
        attempts=message.tries + 1,
        chance=random(),  # noqa: S311  (spreads retries, guards nothing)
        retry_after=retries.retry_after(reply.headers.get("retry-after", "")) if reply else None,
    )
    with transaction.atomic():
        if not _settle(message, verdict, at=at):
            return None
        Attempt.objects.create(
            tenant_id=message.tenant_id,
            message=message,
            attempted_at=at,
            status=reply.status if reply else None,
            took_ms=reply.took_ms if reply else 0,
            trouble=trouble[:300],
            excerpt=excerpts.excerpt(reply.body) if reply else "",
        )
        _note_health(message.endpoint, verdict, by=by, at=at)
        queue.progress(job_id, 1, 1, f"{message.endpoint.url} answered {reply.status}" if reply else trouble)
    return verdict.state


def _send(message: Message, *, at: datetime) -> tuple[Reply | None, str]:
    """Sign and send; return the answer, or None and why there is none."""
    signed = signing.headers(
        secrets=endpoints.secrets_of(message.endpoint, at=at), message_id=message.message_id, at=at, body=message.body
    )
    try:
        return ports.outbound().post(message.endpoint.url, body=message.body.encode(), headers=signed), ""
    except (ports.Unavailable, ports.Rejected) as error:
        return None, str(error)


def _settle(message: Message, verdict: Verdict, *, at: datetime) -> bool:
    """Write what an attempt leads to, unless somebody was first."""
    expected = Message.objects.filter(pk=message.pk, state=State.PENDING.value, tries=message.tries)
    if verdict.state is not State.PENDING:
        return bool(
            expected.update(state=verdict.state.value, tries=message.tries + 1, next_attempt_at=None, settled_at=at)
        )
    assert verdict.pause is not None
    due = at + verdict.pause
    if not expected.update(tries=message.tries + 1, next_attempt_at=due):
        return False
    queue.enqueue(
        TASK, tenant_id=message.tenant_id, key=str(message.pk), not_before=due, message_id=message.pk
    )  # the row is the truth; the minute's sweep finds it should this job be lost
    return True


def _note_health(endpoint: Endpoint, verdict: Verdict, *, by: Actor, at: datetime) -> None:
    """Remember since when nothing arrives; switch an endpoint off that asks for it or fails for five days."""
    rows = Endpoint.objects.filter(pk=endpoint.pk)
    if verdict.state is State.DELIVERED:
        rows.exclude(failing_since=None).update(failing_since=None)
        return
    if verdict.disables:
        endpoints.switch_off(endpoint=endpoint, by=by, at=at, why=Endpoint.Off.GONE)
        return
    rows.filter(failing_since=None).update(failing_since=at)
    if endpoint.failing_since and at - endpoint.failing_since >= retries.DISABLE_AFTER:
        endpoints.switch_off(endpoint=endpoint, by=by, at=at, why=Endpoint.Off.FAILING)


def _require_sendable(endpoint: Endpoint) -> None:
    if endpoint.off_at is not None:
        raise UnableToSend("This endpoint is switched off.", fix="Register the address again.")
    pending = Message.objects.filter(tenant_id=endpoint.tenant_id, state=State.PENDING.value)
    if pending.count() >= MOST_PENDING:
        raise UnableToSend(f"{MOST_PENDING} messages are on their way.", fix="Wait until some of them have arrived.")


def _enqueue(message: Message, *, by: Actor) -> None:
    queue.enqueue(TASK, tenant_id=message.tenant_id, key=str(message.pk), by=by, message_id=message.pk)
