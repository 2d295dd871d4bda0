"""Obligations: what was promised, mapped to the checks that keep it."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from compliance.domain.obligations import STANDARD, Kind
from compliance.models import Obligation
from core import ledger
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from core.readiness import CHECKS


class UnableToRecord(UseCaseError):
    """The obligation cannot be recorded like this."""


class UnableToPlan(UseCaseError):
    """The plan cannot be written down like this."""


def adopt_standard(*, tenant_id: UUID, by: Actor, at: datetime) -> int:
    """Give an account the charter's promises; return how many were new.

    Safe to repeat: what is there stays as it is. A promise whose checks this installation does not have is left out.
    """
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=tenant_id)
    added = 0
    with transaction.atomic(durable=True):
        present = set(Obligation.objects.filter(tenant_id=tenant_id).values_list("key", flat=True))
        for one in STANDARD:
            if one.key in present or (one.checks and not set(one.checks) & set(CHECKS)):
                continue
            row = Obligation.objects.create(
                tenant_id=tenant_id, key=one.key, kind=one.kind.value, title=one.title, promise=one.promise,
                source=one.source, owner=one.owner, checks=list(one.checks), control=one.control,
                recorded_at=at, recorded_by=by.known_id,
            )  # fmt: skip
            _note("compliance.obligation.recorded", row, by=by, at=at)
            added += 1
    return added


def record(
    *,
    tenant_id: UUID,
    key: str,
    kind: str,
    title: str,
    promise: str,
    source: str,
    owner: str,
    checks: Sequence[str] = (),
    control: str = "",
    by: Actor,
    at: datetime,
) -> Obligation:
    """Record a promise of this customer's own contract; `checks` are the ids that keep it."""
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=tenant_id)
    if not (title.strip() and promise.strip() and source.strip()):
        raise UnableToRecord("Say what was promised, and where it stands written.")
    try:
        with transaction.atomic(durable=True):
            row = Obligation.objects.create(
                tenant_id=tenant_id, key=key, kind=Kind(kind).value, title=title.strip(), promise=promise.strip(),
                source=source.strip(), owner=owner, checks=sorted(set(checks)), control=control.strip(),
                recorded_at=at, recorded_by=by.known_id,
            )  # fmt: skip
            _note("compliance.obligation.recorded", row, by=by, at=at)
    except IntegrityError as error:
        raise UnableToRecord(
            f"“{key}” is recorded for this account already.", fix="Change that one, or choose another key."
        ) from error
    return row


def state_control(*, obligation: Obligation, control: str, by: Actor, at: datetime) -> None:
    """State what keeps a promise that no check asks about."""
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=obligation.tenant_id)
    if not control.strip():
        raise UnableToRecord("Say what keeps the promise.")
    if obligation.checks:
        raise UnableToRecord("Checks keep this promise: what can be asked is asked, and not stated.")
    _change(obligation, "compliance.obligation.control_stated", by=by, at=at, control=control.strip())


def plan(*, obligation: Obligation, plan: str, due_on: date, by: Actor, at: datetime) -> None:
    """Write down what will keep a promise that nothing keeps yet, and by when."""
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=obligation.tenant_id)
    if not plan.strip():
        raise UnableToPlan("Say what will keep the promise.")
    if due_on < at.date():
        raise UnableToPlan("The plan's day lies in the past.", fix="Choose the day on which it will be done.")
    _change(obligation, "compliance.obligation.planned", by=by, at=at, plan=plan.strip(), plan_due_on=due_on)


def retire(*, obligation: Obligation, by: Actor, at: datetime) -> bool:
    """End a promise that the contract no longer holds; say whether it stood. Safe to repeat."""
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=obligation.tenant_id)
    with transaction.atomic(durable=True):
        standing = Obligation.objects.filter(pk=obligation.pk, retired_at=None)
        if not standing.update(retired_at=at, retired_by=by.known_id):
            return False
        _note("compliance.obligation.retired", obligation, by=by, at=at)
    obligation.refresh_from_db()
    return True


def _change(obligation: Obligation, event: str, *, by: Actor, at: datetime, **values: object) -> None:
    with transaction.atomic(durable=True):
        if not Obligation.objects.filter(pk=obligation.pk, retired_at=None).update(**values):
            raise UnableToRecord("This promise has ended.", fix="Record it anew if it holds again.")
        _note(event, obligation, by=by, at=at)
    obligation.refresh_from_db()


def _note(event: str, row: Obligation, *, by: Actor, at: datetime) -> None:
    ledger.record(event, by=by, at=at, tenant_id=row.tenant_id, subject=row, data={"key": row.key, "kind": row.kind})
