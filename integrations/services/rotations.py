"""Rotations: give an endpoint a new signing secret beside the old one, end the old one, take the new one back."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from core import ledger, outbox, sealing
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from integrations.domain.rotation import LONGEST_OVERLAP
from integrations.models import Endpoint
from integrations.services import endpoints

CHANGED = "integrations.endpoints.changed"
_NO_OLD = {"old_secret": "", "old_ends_at": None}


class UnableToRotate(UseCaseError):
    """The secret cannot be replaced like this now."""


class UnableToTakeBack(UseCaseError):
    """There is no new secret that could be taken back."""


def begin(*, endpoint: Endpoint, overlap: timedelta, by: Actor, at: datetime) -> str:
    """Sign with a new secret from now on, and with the old one too until the overlap is over; return the new one.

    It is shown once. Without an overlap the old one ends at once: for a secret that others know.
    """
    by.require(Permission.MANAGE_INTEGRATIONS, tenant_id=endpoint.tenant_id)
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise UnableToRotate(f"The old secret may sign for {LONGEST_OVERLAP.days} days at most.")
    secret, ends_at = endpoints.new_secret(), at + overlap
    old = {"old_secret": F("secret"), "old_ends_at": ends_at} if overlap else _NO_OLD
    with transaction.atomic(durable=True):
        settled = _row(endpoint).filter(Q(old_ends_at=None) | Q(old_ends_at__lte=at), off_at=None)
        if not settled.update(secret=sealing.seal(secret), secret_changed_at=at, secret_changed_by=by.known_id, **old):
            raise _refusal(endpoint)
        outbox.publish(CHANGED, tenant_id=endpoint.tenant_id)
        ledger.record(
            "integrations.endpoint.rotation_begun",
            by=by,
            at=at,
            tenant_id=endpoint.tenant_id,
            subject=endpoint,
            data={"old_ends_at": ends_at},
        )
    return secret


def end_old(*, endpoint: Endpoint, by: Actor, at: datetime) -> bool:
    """Sign with the new secret alone from now on; say whether there was an old one. Safe to repeat."""
    by.require(Permission.MANAGE_INTEGRATIONS, tenant_id=endpoint.tenant_id)
    with transaction.atomic(durable=True):
        return _end(_row(endpoint).exclude(old_ends_at=None), endpoint, by=by, at=at)


def take_back(*, endpoint: Endpoint, by: Actor, at: datetime) -> None:
    """Sign with the old secret alone again, as long as it has not ended: the way back where the new one was lost."""
    by.require(Permission.MANAGE_INTEGRATIONS, tenant_id=endpoint.tenant_id)
    with transaction.atomic(durable=True):
        both = _row(endpoint).filter(old_ends_at__gt=at)
        if not both.update(secret=F("old_secret"), secret_changed_at=at, secret_changed_by=by.known_id, **_NO_OLD):
            raise UnableToTakeBack("The old secret has ended.", fix="Replace the secret once more.")
        outbox.publish(CHANGED, tenant_id=endpoint.tenant_id)
        ledger.record(
            "integrations.endpoint.rotation_taken_back", by=by, at=at, tenant_id=endpoint.tenant_id, subject=endpoint
        )


def end_due(*, by: Actor, at: datetime) -> int:
    """Forget every old secret whose overlap is over; return how many. Needs a staff scope; safe to repeat."""
    ended = 0
    for endpoint in Endpoint.objects.filter(old_ends_at__lte=at):
        with transaction.atomic(durable=True):
            ended += _end(_row(endpoint).filter(old_ends_at__lte=at), endpoint, by=by, at=at)
    return ended


def _row(endpoint: Endpoint) -> QuerySet[Endpoint]:
    return Endpoint.objects.filter(pk=endpoint.pk, tenant_id=endpoint.tenant_id)


def _refusal(endpoint: Endpoint) -> UnableToRotate:
    if _row(endpoint).filter(off_at=None).exists():
        return UnableToRotate(
            "Its secret is being replaced already.",
            fix="End the old secret, or take the new one back, then begin again.",
        )
    return UnableToRotate("This endpoint is switched off.", fix="Register the address again.")


def _end(rows: QuerySet[Endpoint], endpoint: Endpoint, *, by: Actor, at: datetime) -> bool:
    if not rows.update(**_NO_OLD):
        return False
    outbox.publish(CHANGED, tenant_id=endpoint.tenant_id)
    ledger.record(
        "integrations.endpoint.old_secret_ended", by=by, at=at, tenant_id=endpoint.tenant_id, subject=endpoint
    )
    return True
