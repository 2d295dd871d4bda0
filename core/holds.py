"""Holds: something of a tenant must not be touched (deleted, changed, cut over) until the hold ends (rule 13)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import QuerySet

from core import ledger
from core.actor import Actor
from core.errors import UseCaseError
from core.models import Hold
from core.permissions import Permission
from core.registry import Registry


@dataclass(frozen=True, slots=True)
class HoldKind:
    """A reason to hold (legal hold, freeze), declared in code by the app that respects it."""

    name: str
    title: str
    permission: Permission
    longest: timedelta
    """How long it may stand without somebody deciding again."""


PATIENCE = 20
"""Seconds after which whoever places a hold waits no longer for what is just being written."""

KINDS: Registry[HoldKind] = Registry("kind of hold")

LEGAL_HOLD = "compliance.legal_hold"
"""Nothing of the account's data is deleted: every app that deletes asks for it, so it is declared here."""

KINDS.add(LEGAL_HOLD, HoldKind(LEGAL_HOLD, "Legal hold", Permission.MANAGE_OBLIGATIONS, longest=timedelta(days=365)))


class UnableToHold(UseCaseError):
    """The hold cannot be placed like this."""


class LegallyHeld(UseCaseError):
    """A legal hold stands on the account: nothing of it is removed."""


def is_legally_held(*, tenant_id: UUID, at: datetime) -> bool:
    """Say whether a legal hold stands on a tenant; whatever of it the hold names, nothing at all is removed then."""
    return standing(tenant_id=tenant_id, at=at).filter(kind=LEGAL_HOLD).exists()


def legally_held(*, at: datetime) -> frozenset[UUID]:
    """Return the tenants on which a legal hold stands. Needs a staff scope."""
    held = Hold.objects.filter(kind=LEGAL_HOLD, ended_at=None, expires_at__gt=at)
    return frozenset(held.values_list("tenant_id", flat=True))


@contextmanager
def none_placed(*, tenant_id: UUID) -> Iterator[None]:
    """Have whoever places a hold on a tenant wait until the block is left: keep it to the blink of a commit elsewhere.

    Whether one stands is to be asked inside: it then goes on to be so. A session's lock, since a network call lies
    inside; a connection that breaks takes it along.
    """
    name = [_lock_name(tenant_id)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(hashtextextended(%s, 0))", name)
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_shared(hashtextextended(%s, 0))", name)


@contextmanager
def none_standing(*, tenant_id: UUID, at: datetime) -> Iterator[None]:
    """Let something be committed elsewhere that removes data of an account: in the block no legal hold stands.

    Raises LegallyHeld where one does. See `none_placed`.
    """
    with none_placed(tenant_id=tenant_id):
        if is_legally_held(tenant_id=tenant_id, at=at):
            raise _refusal()
        yield


def is_held_until_commit(*, tenant_id: UUID, at: datetime) -> bool:
    """Say whether a legal hold stands, and have whoever places one wait until this transaction is over.

    To be asked late, after what takes long, and before the ledger is written, whose lock `place` takes second as well.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", [_lock_name(tenant_id)])
    return is_legally_held(tenant_id=tenant_id, at=at)


def demand_none(*, tenant_id: UUID, at: datetime) -> None:
    """Raise LegallyHeld where a legal hold stands, and let none be placed before this transaction is over."""
    if is_held_until_commit(tenant_id=tenant_id, at=at):
        raise _refusal()


def remove(*rows: QuerySet[Any], at: datetime) -> int:
    """Delete rows whose time is over, of many accounts but none under a legal hold; return how many went.

    Each account is a transaction of its own. Needs a staff scope.
    """
    tenant_ids = {one for each in rows for one in each.order_by().values_list("tenant_id", flat=True).distinct()}
    gone = 0
    for tenant_id in sorted(tenant_ids - legally_held(at=at)):
        with suppress(LegallyHeld), transaction.atomic():
            went = sum(each.filter(tenant_id=tenant_id).delete()[0] for each in rows)
            demand_none(tenant_id=tenant_id, at=at)
            gone += went
    return gone


def _refusal() -> LegallyHeld:
    return LegallyHeld(
        "A legal hold stands on this account: nothing of it may be deleted.",
        fix="The legal and privacy lead releases the hold when it no longer applies.",
    )


def _lock_name(tenant_id: UUID) -> str:
    return f"core.holds:{tenant_id}"


def _wait_for_commits(tenant_id: UUID) -> None:
    """Wait until nobody is inside `none_placed`; to the end of the transaction nobody comes in either."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{int(PATIENCE * 1000)}ms"])
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_lock_name(tenant_id)])
    except OperationalError as error:
        raise UnableToHold(
            "The account's data are being written at this moment, and it takes unusually long.",
            fix="Place the hold again. If it goes on, pause the account's runs first.",
        ) from error


def standing(*, tenant_id: UUID, at: datetime) -> QuerySet[Hold]:
    """Return the holds that stand for a tenant, the first to expire first."""
    return Hold.objects.filter(tenant_id=tenant_id, ended_at=None, expires_at__gt=at).order_by("expires_at")


def place(
    kind: str, *, tenant_id: UUID, expires_at: datetime, reason: str, by: Actor, at: datetime, subject: str = ""
) -> Hold:
    """Place a hold until it expires; several may stand side by side, each is released by itself."""
    known = KINDS[kind]
    by.require(known.permission, tenant_id=tenant_id)
    if not reason.strip():
        raise UnableToHold("Say why it is held: the reason is kept with it.")
    if not at < expires_at <= at + known.longest:
        raise UnableToHold(f"“{known.title}” must end within {known.longest.days} days, and not in the past.")
    with transaction.atomic(durable=True):
        _wait_for_commits(tenant_id)
        hold = Hold.objects.create(
            tenant_id=tenant_id,
            kind=kind,
            subject=subject,
            reason=reason.strip(),
            placed_at=at,
            placed_by=by.known_id,
            expires_at=expires_at,
        )
        ledger.record(
            "core.hold.placed",
            by=by,
            at=at,
            tenant_id=tenant_id,
            subject=hold,
            data={"kind": kind, "expires_at": expires_at},
        )
    return hold


def release(hold: Hold, *, by: Actor, at: datetime) -> bool:
    """Release a hold before its time; say whether it stood. Safe to repeat."""
    by.require(KINDS[hold.kind].permission, tenant_id=hold.tenant_id)
    with transaction.atomic(durable=True):
        return _end(hold, by=by, at=at, event="core.hold.released")


def end_expired(*, by: Actor, at: datetime) -> int:
    """Write down the end of every hold whose time is over; return how many. Needs a staff scope."""
    ended = 0
    for hold in Hold.objects.filter(ended_at=None, expires_at__lte=at):
        with transaction.atomic(durable=True):
            ended += _end(hold, by=by, at=at, event="core.hold.expired")
    return ended


def _end(hold: Hold, *, by: Actor, at: datetime, event: str) -> bool:
    if not Hold.objects.filter(pk=hold.pk, ended_at=None).update(ended_at=at, ended_by=by.id):
        return False
    ledger.record(event, by=by, at=at, tenant_id=hold.tenant_id, subject=hold, data={"kind": hold.kind})
    return True
