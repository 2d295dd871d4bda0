"""How a tenant's people may sign in now, and whether a session was opened in a way that counts."""

import math
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone

from accounts.domain.enforcement import EXPIRY_WARNING, LONGEST, Standing
from accounts.models import BreakGlassOwner, Cutback, Enforcement, PasswordRemoval, RecoveryCode, Tenant
from accounts.queries import cutbacks
from core.permissions import Permission, TenantRole
from core.toggles import TOGGLES, Toggle

TOGGLE = TOGGLES.add(
    "enforce_sso", Toggle("enforce_sso", "Sign-in by your company alone", Permission.MANAGE_SSO, LONGEST)
)

SAML, RECOVERY = "saml", "recovery_code"
"""By what a session was opened, as its records say (beside allauth's own methods); `tenant_id` says of whom."""


def standing(*, tenant_id: UUID, at: datetime) -> Standing:
    """Return what stands for a tenant, in one query: every page asks."""
    of_it = {"tenant_id": OuterRef("pk")}
    enforced, cutback = _enforced(at).filter(**of_it), _running(at).filter(**of_it)
    removal = PasswordRemoval.objects.filter(restored_at=None, **of_it)
    found = Tenant.objects.filter(pk=tenant_id).values(
        takes_effect_at=Subquery(enforced.values("takes_effect_at")[:1]),
        expires_at=Subquery(enforced.values("toggle__expires_at")[:1]),
        cutback_starts_at=Subquery(cutback.values("starts_at")[:1]),
        cutback_ends_at=Subquery(cutback.values("ends_at")[:1]),
        removed_at=Subquery(removal.values("removed_at")[:1]),
    )
    row = found.first()
    return Standing(**row) if row else Standing()


def current(*, tenant_id: UUID, at: datetime) -> Enforcement | None:
    """Return the enforcement that stands or is announced, with its toggle."""
    return _enforced(at).filter(tenant_id=tenant_id).select_related("toggle").first()


def ending(*, at: datetime) -> QuerySet[Enforcement]:
    """Return those that end by themselves within two weeks, or did so lately, as long as not all of it was told."""
    rows = Enforcement.objects.filter(
        ~Q(warned_days=0), toggle__expires_at__gt=at - EXPIRY_WARNING, toggle__expires_at__lte=at + EXPIRY_WARNING
    )  # fmt: skip
    by_itself = Q(toggle__ended_at=None) | Q(toggle__ended_at__gte=F("toggle__expires_at"))
    return rows.filter(by_itself).select_related("toggle").order_by("toggle__expires_at")


def end_of(*, enforcement_id: UUID) -> datetime | None:
    """Return when an enforcement ends by itself."""
    rows = Enforcement.objects.filter(pk=enforcement_id)
    return rows.values_list("toggle__expires_at", flat=True).first()


def _enforced(at: datetime) -> QuerySet[Enforcement]:
    return Enforcement.objects.filter(toggle__ended_at=None, toggle__expires_at__gt=at)


def _running(at: datetime) -> QuerySet[Cutback]:
    return Cutback.objects.filter(cutbacks.is_running(at))


def break_glass(*, tenant_id: UUID) -> QuerySet[BreakGlassOwner]:
    """Return the tenant's break-glass owners who still are active owners, by seat."""
    rows = BreakGlassOwner.objects.filter(
        tenant_id=tenant_id, ended_at=None, member__deactivated_at=None, member__role=TenantRole.OWNER,
        member__user__is_active=True,
    )  # fmt: skip
    return rows.select_related("member__user").order_by("seat")


def usable_codes(*, tenant_id: UUID, at: datetime) -> QuerySet[RecoveryCode]:
    """Return the codes that would sign somebody in."""
    rows = RecoveryCode.objects.filter(tenant_id=tenant_id, used_at=None, replaced_at=None)
    return rows.filter(Q(lapses_at=None) | Q(lapses_at__gt=at))


def makers(*, tenant_id: UUID) -> set[UUID]:
    """Return the break-glass owners who ever made codes."""
    return set(RecoveryCode.objects.filter(tenant_id=tenant_id).values_list("owner_id", flat=True))


def last_used(*, tenant_id: UUID) -> dict[UUID, datetime]:
    """Return when each break-glass owner used a code last."""
    rows = RecoveryCode.objects.filter(tenant_id=tenant_id, used_at__isnull=False).order_by("used_at")
    return {owner_id: used_at for owner_id, used_at in rows.values_list("owner_id", "used_at") if used_at}


def holders(*, tenant_id: UUID) -> set[UUID]:
    """Return the break-glass owners who hold a whole set: codes that do not lapse because one was used."""
    owners = list(break_glass(tenant_id=tenant_id).values_list("pk", flat=True))
    rows = RecoveryCode.objects.filter(
        tenant_id=tenant_id, owner_id__in=owners, used_at=None, replaced_at=None, lapses_at=None
    )
    return set(rows.values_list("owner_id", flat=True))


def proves(request: HttpRequest, *, user: Any, tenant_ids: Collection[UUID]) -> bool:
    """Tell whether this session was opened by something better than a password, for one of these tenants.

    A passkey counts everywhere; a company's sign-in and a recovery code count for the tenant that they are of. A
    password does not become more by a second factor behind it: the company could not end it.
    """
    tenants = {str(tenant_id) for tenant_id in tenant_ids}
    return any(_counts(record, tenants) for record in get_authentication_records(request, user))


def _counts(record: Mapping[str, Any], tenants: Collection[str]) -> bool:
    if record.get("method") == "mfa":
        return bool(record.get("passwordless"))
    if record.get("ends_at", math.inf) <= timezone.now().timestamp():
        return False  # as the company's provider wanted it, though another account's sign-in keeps the session
    return record.get("method") in (SAML, RECOVERY) and record.get("tenant_id") in tenants
