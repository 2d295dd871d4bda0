"""How a tenant sets its provider up, and what it trusts it by: certificates, and where its metadata stand."""

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from accounts.domain import setup_guides
from accounts.domain.setup_guides import GUIDES
from accounts.models import Tenant
from accounts.queries import sso as known
from accounts.services import sso_certificates, sso_sources
from accounts.views.sso import do
from core.permissions import Permission
from core.web import ActingRequest, tenant_view

GUIDE = "accounts/sso_guide.html"
MOST_TYPED = 100_000


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def guide(request: ActingRequest, tenant: Tenant, product: str) -> HttpResponse:
    """Show how this product is told of us, with our values for this tenant; without any yet, say how to get them."""
    found = GUIDES.get(product)
    if found is None:
        raise Http404
    connection = known.of_tenant(tenant_id=tenant.pk)
    ours = known.our_values(connection) if connection else None
    second = known.our_values(connection, failover=True) if connection and settings.FAILOVER_URL else None
    context = {
        "tenant": tenant,
        "guide": found,
        "guides": GUIDES.values(),
        "steps": setup_guides.told(found, ours) if ours else (),
        "has_second": second is not None,
        "second": setup_guides.second(found, second) if second and found.takes_second else (),
        "may_manage": request.actor.can(Permission.MANAGE_SSO, tenant_id=tenant.pk),
    }
    return render(request, GUIDE, context)


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def follow(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Connect by an address of metadata, and read it again every day."""
    url = request.POST.get("url", "")
    return do(
        request,
        tenant,
        lambda at: sso_sources.follow(
            tenant_id=tenant.pk, url=url, by=request.actor, at=at, seen=request.POST.get("seen", "")
        ),
        problem_name="follow_problem",
        typed_url=url[:MOST_TYPED],
    )


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def leave(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """End the daily reading."""
    return do(request, tenant, lambda at: sso_sources.leave(tenant_id=tenant.pk, by=request.actor, at=at))


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def read(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Read the metadata now."""
    return do(request, tenant, lambda at: sso_sources.refresh(tenant_id=tenant.pk, by=request.actor, at=at))


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def accept(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Say yes to the change that was shown."""
    digest = request.POST.get("digest", "")
    return do(
        request, tenant, lambda at: sso_sources.accept(tenant_id=tenant.pk, digest=digest, by=request.actor, at=at)
    )


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def refuse(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Say no to the change that was shown."""
    digest = request.POST.get("digest", "")
    return do(
        request, tenant, lambda at: sso_sources.refuse(tenant_id=tenant.pk, digest=digest, by=request.actor, at=at)
    )


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def add(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Add a certificate by hand."""
    text = request.POST.get("certificate", "")
    return do(
        request,
        tenant,
        lambda at: sso_certificates.add(tenant_id=tenant.pk, text=text, by=request.actor, at=at),
        problem_name="certificate_problem",
        typed_certificate="" if "PRIVATE KEY" in text else text[:MOST_TYPED],
    )


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def retire(request: ActingRequest, tenant: Tenant, certificate_id: UUID) -> HttpResponse:
    """Trust a certificate no more."""
    get_object_or_404(known.certificates_of(tenant_id=tenant.pk), pk=certificate_id)
    return do(
        request,
        tenant,
        lambda at: sso_certificates.retire(tenant_id=tenant.pk, certificate_id=certificate_id, by=request.actor, at=at),
    )


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def restore(request: ActingRequest, tenant: Tenant, certificate_id: UUID) -> HttpResponse:
    """Trust a retired certificate again."""
    get_object_or_404(known.certificates_of(tenant_id=tenant.pk), pk=certificate_id)
    return do(
        request,
        tenant,
        lambda at: sso_certificates.restore(
            tenant_id=tenant.pk, certificate_id=certificate_id, by=request.actor, at=at
        ),
    )
