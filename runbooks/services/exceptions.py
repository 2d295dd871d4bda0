"""Asking for, deciding and ending policy exceptions."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import ledger, readiness
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from runbooks.domain import exceptions as domain
from runbooks.models import PolicyException


class UnableToRequest(UseCaseError):
    """The exception cannot be asked for as it is."""


class UnableToDecide(UseCaseError):
    """The exception cannot be approved, refused or revoked now."""


def request(
    *,
    tenant_id: UUID,
    check_id: str,
    reason: str,
    compensating_controls: str,
    owner_id: UUID,
    expires_at: datetime,
    by: Actor,
    at: datetime,
    only: Collection[str] = (),
) -> PolicyException:
    """Ask for an exception from one check until `expires_at`, at most 30 days away.

    Of a check that names what it blocks on it covers what is named now, or `only` some of that, and nothing that comes
    later. It covers nothing until somebody else approves it.
    """
    by.require(Permission.REQUEST_EXCEPTION, tenant_id=tenant_id)
    if check_id not in readiness.CHECKS:
        raise UnableToRequest(
            f"There is no check “{check_id[:100]}”.", fix="Choose one of the checks on the tenant's page."
        )
    if not reason.strip() or not compensating_controls.strip():
        raise UnableToRequest("An exception needs its reason and its compensating controls.")
    if problem := domain.problem_with_expiry(expires_at=expires_at, at=at):
        raise UnableToRequest(problem)
    items = _items(tenant_id, check_id, only)
    with transaction.atomic(durable=True):
        exception = PolicyException.objects.create(
            tenant_id=tenant_id,
            check_id=check_id,
            reason=reason.strip(),
            compensating_controls=compensating_controls.strip(),
            items=items,
            owner_id=owner_id,
            expires_at=expires_at,
            requested_at=at,
            requested_by_id=by.id,  # type: ignore[misc]  # staff have an id
        )
        _record("requested", exception, by=by, at=at)
    return exception


def approve(*, exception: PolicyException, by: Actor, at: datetime) -> PolicyException:
    """Approve an exception that somebody else asked for. Safe to repeat by the same person."""
    by.require(Permission.APPROVE_EXCEPTION, tenant_id=exception.tenant_id)
    if exception.requested_by_id == by.id:
        raise UnableToDecide("Nobody approves their own request.", fix="Ask another member of the steering group.")
    if exception.expires_at <= at:
        raise UnableToDecide("This exception has expired.", fix="Ask for a new one.")
    return _decide(exception, "approved", by=by, at=at)


def refuse(*, exception: PolicyException, by: Actor, at: datetime) -> PolicyException:
    """Refuse an exception. Safe to repeat by the same person."""
    by.require(Permission.APPROVE_EXCEPTION, tenant_id=exception.tenant_id)
    return _decide(exception, "refused", by=by, at=at)


def revoke(*, exception: PolicyException, by: Actor, at: datetime) -> PolicyException:
    """End an exception before it expires; what it covered blocks again at once."""
    by.require(Permission.APPROVE_EXCEPTION, tenant_id=exception.tenant_id)
    with transaction.atomic(durable=True):
        if PolicyException.objects.filter(pk=exception.pk, revoked_at=None).update(revoked_at=at, revoked_by_id=by.id):
            _record("revoked", exception, by=by, at=at)
    exception.refresh_from_db()
    return exception


def _items(tenant_id: UUID, check_id: str, only: Collection[str]) -> dict[str, str]:
    answer = readiness.latest(tenant_id=tenant_id).get(check_id)
    named = dict(answer.finding.items) if answer else {}
    if unknown := sorted(set(only) - named.keys()):
        raise UnableToRequest(
            f"The check does not block on “{unknown[0][:200]}”.",
            fix=f"It blocks on: {', '.join(sorted(named))}." if named else "Leave it empty: the check names nothing.",
        )
    return {item: reach for item, reach in named.items() if not only or item in only}


def _decide(exception: PolicyException, word: str, *, by: Actor, at: datetime) -> PolicyException:
    with transaction.atomic(durable=True):
        undecided = PolicyException.objects.filter(pk=exception.pk, approved_at=None, refused_at=None, revoked_at=None)
        decided = undecided.update(**{f"{word}_at": at, f"{word}_by_id": by.id})
        if decided:
            _record(word, exception, by=by, at=at)
    exception.refresh_from_db()
    if getattr(exception, f"{word}_by_id") != by.id:
        raise UnableToDecide("Somebody else has decided this exception already. Reload the page.")
    return exception


def _record(word: str, exception: PolicyException, *, by: Actor, at: datetime) -> None:
    ledger.record(
        f"runbooks.exception.{word}",
        by=by,
        at=at,
        tenant_id=exception.tenant_id,
        subject=exception,
        data={
            "check": exception.check_id,
            "items": exception.items,
            "expires_at": exception.expires_at.isoformat(),
        },
    )
