"""Toggles: a behaviour switched on for one tenant, always for a time and with a reason (rule 13)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from core import ledger
from core.actor import Actor
from core.errors import UseCaseError
from core.models import ToggleSetting
from core.permissions import Permission
from core.registry import Registry


@dataclass(frozen=True, slots=True)
class Toggle:
    """A behaviour that can be switched on, declared in code by the app that has it."""

    name: str
    title: str
    permission: Permission
    longest: timedelta
    """How long it may be on without somebody deciding again."""


TOGGLES: Registry[Toggle] = Registry("toggle")


class UnableToSwitch(UseCaseError):
    """The toggle cannot be switched like this."""


def is_on(name: str, *, tenant_id: UUID, at: datetime) -> bool:
    """Say whether a toggle is on for a tenant; from its expiry on it is off, whether or not anybody ended it."""
    return name in on(tenant_id=tenant_id, at=at, names=[TOGGLES[name].name])


def on(*, tenant_id: UUID, at: datetime, names: list[str] | None = None) -> dict[str, datetime]:
    """Return the toggles that are on for a tenant, with their expiry."""
    rows = ToggleSetting.objects.filter(tenant_id=tenant_id, ended_at=None, expires_at__gt=at)
    if names is not None:
        rows = rows.filter(name__in=names)
    return dict(rows.order_by("name").values_list("name", "expires_at"))


def on_of_many(*, tenant_ids: Collection[UUID], at: datetime, names: list[str]) -> dict[UUID, dict[str, datetime]]:
    """Return which of these toggles are on for many tenants, with their expiry, in one query."""
    rows = ToggleSetting.objects.filter(tenant_id__in=tenant_ids, name__in=names, ended_at=None, expires_at__gt=at)
    found: dict[UUID, dict[str, datetime]] = {}
    for tenant_id, name, expires_at in rows.values_list("tenant_id", "name", "expires_at"):
        found.setdefault(tenant_id, {})[name] = expires_at
    return found


def where_on(name: str, *, at: datetime) -> dict[UUID, datetime]:
    """Return the tenants for which a toggle is on, with its expiry, of those that the scope shows."""
    rows = ToggleSetting.objects.filter(name=name, ended_at=None, expires_at__gt=at)
    return dict(rows.order_by("tenant_id").values_list("tenant_id", "expires_at"))


def switch_on(
    name: str,
    *,
    tenant_id: UUID,
    expires_at: datetime,
    reason: str,
    by: Actor,
    at: datetime,
    durable: bool = True,
) -> ToggleSetting:
    """Switch a toggle on until it expires; raises `UnableToSwitch` if it is on or the time is none or too long.

    With `durable=False` it is a part of the caller's transaction.
    """
    toggle = TOGGLES[name]
    by.require(toggle.permission, tenant_id=tenant_id)
    if not reason.strip():
        raise UnableToSwitch("Say why it is switched on: the reason is kept with it.")
    if not at < expires_at <= at + toggle.longest:
        raise UnableToSwitch(f"“{toggle.title}” must end within {toggle.longest.days} days, and not in the past.")
    try:
        with transaction.atomic(durable=durable):
            for lapsed in ToggleSetting.objects.filter(
                tenant_id=tenant_id, name=name, ended_at=None, expires_at__lte=at
            ):
                _end(lapsed, by=by, at=at, event="core.toggle.expired")
            setting = ToggleSetting.objects.create(
                tenant_id=tenant_id,
                name=name,
                reason=reason.strip(),
                switched_on_at=at,
                switched_on_by=by.known_id,
                expires_at=expires_at,
            )
            ledger.record(
                "core.toggle.switched_on",
                by=by,
                at=at,
                tenant_id=tenant_id,
                subject=setting,
                data={"name": name, "expires_at": expires_at},
            )
    except IntegrityError as error:
        raise UnableToSwitch(
            f"“{toggle.title}” is on already.", fix="Switch it off first to change its end."
        ) from error
    return setting


def switch_off(name: str, *, tenant_id: UUID, by: Actor, at: datetime, durable: bool = True) -> bool:
    """Switch a toggle off; say whether it was on. Safe to repeat. `durable` as for `switch_on`."""
    by.require(TOGGLES[name].permission, tenant_id=tenant_id)
    with transaction.atomic(durable=durable):
        setting = ToggleSetting.objects.filter(tenant_id=tenant_id, name=name, ended_at=None).first()
        return setting is not None and _end(setting, by=by, at=at, event="core.toggle.switched_off")


def end_expired(*, by: Actor, at: datetime) -> int:
    """Write down the end of every toggle whose time is over; return how many. Needs a staff scope."""
    ended = 0
    for setting in ToggleSetting.objects.filter(ended_at=None, expires_at__lte=at):
        with transaction.atomic(durable=True):
            ended += _end(setting, by=by, at=at, event="core.toggle.expired")
    return ended


def _end(setting: ToggleSetting, *, by: Actor, at: datetime, event: str) -> bool:
    if not ToggleSetting.objects.filter(pk=setting.pk, ended_at=None).update(ended_at=at, ended_by=by.id):
        return False
    ledger.record(event, by=by, at=at, tenant_id=setting.tenant_id, subject=setting, data={"name": setting.name})
    return True
