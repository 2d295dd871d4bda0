"""The page for who came by a password where only the company's sign-in counts: it leads there."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

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
    if user.is_staff:
        return None
    places = tenancy.find_memberships(user_id=user.pk)
    refusing = [place for place in places if place.sso_only]
    tenant_ids = [place.tenant_id for place in refusing]
    if not refusing or len(refusing) < len(places) or enforcement.proves(request, user=user, tenant_ids=tenant_ids):
        return None
    return _page(request, {place.sso_only: place.name for place in refusing})


def _page(request: HttpRequest, ways: dict[str, str], *, here: str = "") -> HttpResponse:
    return render(request, PAGE, {"ways": ways, "here": here}, status=REFUSED)
