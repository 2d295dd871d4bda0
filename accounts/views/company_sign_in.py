"""The page for who came by a password where only the company's sign-in counts: it leads there."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.domain.enforcement import State
from accounts.queries import enforcement, tenants
from core import tenancy

PAGE = "accounts/company_sign_in.html"
REFUSED = 403


def require(request: HttpRequest, tenant_id: UUID, *, provider_id: str) -> HttpResponse | None:
    """Return that page unless this session counts for the tenant; the vendor's people are the vendor's to judge."""
    user: Any = request.user
    if user.is_staff or enforcement.proves(request, user=user, tenant_ids=[tenant_id]):
        return None
    with tenancy.scope(tenant_id=tenant_id):
        name = tenants.get(tenant_id=tenant_id).name
    return _page(request, {provider_id: name}, here=request.get_full_path() if request.method == "GET" else "")


def refuse(request: HttpRequest, user: Any) -> HttpResponse | None:
    """Return that page for somebody who is about to sign in, where nothing would open for them; None otherwise.

    Who belongs to an account that still takes passwords is let in, and led on from the pages of the others.
    """
    closed = closed_to(request, user)
    if not closed or len(closed) < len(tenancy.find_memberships(user_id=user.pk)):
        return None
    return _page(request, {place.sso_only: place.name for place in closed})


def closed_to(request: HttpRequest, user: Any) -> list[tenancy.TenantName]:
    """Return the accounts of a person that this session does not open; none of the vendor's people."""
    return [
        place
        for place in ([] if user.is_staff else tenancy.find_memberships(user_id=user.pk))
        if place.sso_only and not enforcement.proves(request, user=user, tenant_ids=[place.tenant_id])
    ]


def lent_to(request: HttpRequest, user: Any) -> list[tenancy.TenantName]:
    """Return the accounts of a person that a cutback alone opens to this session."""
    return [
        place
        for place in ([] if user.is_staff else tenancy.find_memberships(user_id=user.pk))
        if not place.sso_only and is_lent(request, tenant_id=place.tenant_id)
    ]


def is_lent(request: HttpRequest, *, tenant_id: UUID) -> bool:
    """Say whether a cutback alone opens an account to this session: then what would outlive it is not made in it."""
    at = timezone.now()
    with tenancy.scope(tenant_id=tenant_id):
        state = enforcement.standing(tenant_id=tenant_id, at=at).state(at=at)
    return state is State.CUT_BACK and not enforcement.proves(request, user=request.user, tenant_ids=[tenant_id])


def _page(request: HttpRequest, ways: dict[str, str], *, here: str = "") -> HttpResponse:
    return render(request, PAGE, {"ways": ways, "here": here}, status=REFUSED)
