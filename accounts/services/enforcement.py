"""Enforcing company sign-in: announce it with a countdown, let it begin by itself, end it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.domain import enforcement as domain
from accounts.domain import roles
from accounts.domain.lockouts import Forecast
from accounts.models import Enforcement
from accounts.queries import enforcement as known
from accounts.queries import lockouts, sso
from core import ledger, outbox, toggles
from core.actor import Actor, ActorKind
from core.errors import UseCaseError
from core.permissions import Permission, TenantRole


class UnableToEnforce(UseCaseError):
    """Company sign-in cannot be enforced so."""


def announce(
    *,
    tenant_id: UUID,
    takes_effect_at: datetime,
    expires_at: datetime,
    reason: str,
    accepted_list: str,
    by: Actor,
    at: datetime,
) -> Enforcement:
    """Announce that from a moment on passwords sign none of the tenant's people in, until it expires.

    It begins by itself. `accepted_list` is the digest of the list of people who would be stuck, as it was seen and
    accepted; without it a grave forecast refuses. Raises UnableToEnforce with the reason, `toggles.UnableToSwitch`
    where it stands already or holds too long.
    """
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    forecast = lockouts.forecast(tenant_id=tenant_id)
    if forecast.owners_stuck and by.kind is ActorKind.MEMBER and TenantRole.OWNER not in roles.grantable(by.roles):
        raise UnableToEnforce(
            "An owner would not get in by themselves, and only an owner accepts that.",
            fix="Ask an owner to announce it.",
        )
    if problem := domain.refusal(
        _asked(tenant_id, forecast, accepted_list, takes_effect_at=takes_effect_at, expires_at=expires_at), at=at
    ):
        raise UnableToEnforce(problem[0], fix=problem[1])
    with transaction.atomic(durable=True):
        setting = toggles.switch_on(
            known.TOGGLE.name, tenant_id=tenant_id, expires_at=expires_at, reason=reason, by=by, at=at, durable=False
        )
        announced = Enforcement.objects.create(
            tenant_id=tenant_id,
            toggle=setting,
            takes_effect_at=takes_effect_at,
            forecast={outcome.value: count for outcome, count in forecast.counts.items()},
            accepted_list=forecast.digest if forecast.is_grave else "",
            warned_days=domain.ending(expires_at=expires_at, told=None, at=at),  # who announces it knows its end
        )
        outbox.publish("accounts.enforcement.announced", tenant_id=tenant_id, enforcement_id=announced.pk)
        ledger.record(
            "accounts.enforcement.announced",
            by=by,
            at=at,
            tenant_id=tenant_id,
            subject=announced,
            data={
                "takes_effect_at": takes_effect_at,
                "expires_at": expires_at,
                "stuck": forecast.stuck,
                "owners_stuck": forecast.owners_stuck,
                "accepted_list": announced.accepted_list,
            },
        )
    return announced


def end(*, tenant_id: UUID, by: Actor, at: datetime) -> bool:
    """Let passwords sign people in again, at once; say whether they did not. Safe to repeat."""
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    standing = known.current(tenant_id=tenant_id, at=at)
    if standing is None:
        return False
    with transaction.atomic(durable=True):
        if not toggles.switch_off(known.TOGGLE.name, tenant_id=tenant_id, by=by, at=at, durable=False):
            return False
        outbox.publish("accounts.enforcement.ended", tenant_id=tenant_id, enforcement_id=standing.pk)
        ledger.record("accounts.enforcement.ended", by=by, at=at, tenant_id=tenant_id, subject=standing)
    return True


def warn(*, enforcement_id: UUID, tenant_id: UUID, by: Actor, at: datetime) -> int | None:
    """Have the tenant's people told that passwords count again within 14, 7 or 1 days, or by now; each step once.

    Returns the step that was told of now; 0 says that it is over. One that was ended before its time, or that the
    taking away of passwords outlasts, is nothing to be warned of.
    """
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        row = known.ending(at=at).select_for_update(of=("self",)).filter(pk=enforcement_id, tenant_id=tenant_id).first()
        if row is None or known.standing(tenant_id=tenant_id, at=at).removed_at is not None:
            return None
        days = domain.ending(expires_at=row.toggle.expires_at, told=row.warned_days, at=at)
        if days is None:
            return None
        Enforcement.objects.filter(pk=row.pk).update(warned_days=days)
        outbox.publish("accounts.enforcement.ending", tenant_id=tenant_id, enforcement_id=row.pk, days=days)
        event = "accounts.enforcement.ending" if days else "accounts.enforcement.expired"
        ledger.record(event, by=by, at=at, tenant_id=tenant_id, subject=row, data={"days": days})
    return days


def _asked(
    tenant_id: UUID,
    forecast: Forecast,
    accepted_list: str,
    *,
    takes_effect_at: datetime,
    expires_at: datetime,
) -> domain.Asked:
    connection = sso.of_tenant(tenant_id=tenant_id)
    is_connected = connection is not None and connection.is_connected
    test = sso.latest_answered(connection=connection) if connection is not None and is_connected else None
    return domain.Asked(
        is_connected=is_connected,
        has_passed=test is not None and test.outcome == "passed",
        break_glass=len(known.holders(tenant_id=tenant_id)),
        forecast=forecast,
        accepted_list=accepted_list,
        takes_effect_at=takes_effect_at,
        expires_at=expires_at,
    )
