"""The single sign-on of a tenant: the connection to its provider."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.domain import certificates, connections
from accounts.domain.setup_guides import GUIDES
from accounts.models import SsoConnection, Tenant
from accounts.queries import sso as known
from accounts.services import sso, sso_certificates, sso_sources, sso_tests
from accounts.services.sso_changes import require_trust
from core.errors import UseCaseError
from core.permissions import Permission
from core.saml import MOST_METADATA
from core.web import ActingRequest, tenant_view

PAGE = "accounts/sso.html"
TESTS_A_PAGE = 10
STANDINGS = {
    "trusted": ("pass", "Trusted"),
    "coming": ("info", "Not valid yet"),
    "ending": ("warn", "Ends soon"),
    "ended": ("expired", "Out of date"),
    "retired": ("none", "Retired"),
}
REFUSALS = (
    sso.UnableToConnect,
    sso.UnableToDisconnect,
    sso.UnableToDecline,
    sso_certificates.UnableToTrust,
    sso_certificates.UnableToRetire,
    sso_sources.UnableToFollow,
    sso_sources.UnableToDecide,
    sso_tests.UnableToTest,
)


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def show(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show the connection, our own values, and the tests so far."""
    return render(request, PAGE, context_of(request, tenant))


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def begin(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Hand out our values for the provider's side."""
    return do(request, tenant, lambda at: sso.begin(tenant_id=tenant.pk, by=request.actor, at=at))


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def connect(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Take metadata, uploaded or pasted; refused ones come back with the reason."""
    upload = request.FILES.get("file")
    pasted = request.POST.get("metadata", "")
    # One byte more than allowed, so that what is too large is known to be.
    document = upload.read(MOST_METADATA + 1) if upload else pasted.encode()

    def take(at: datetime) -> None:
        seen = request.POST.get("seen", "")
        sso.connect(tenant_id=tenant.pk, document=document, by=request.actor, at=at, seen=seen)
        messages.success(request, "The metadata are read. What counts now stands below; test a sign-in next.")

    return do(
        request,
        tenant,
        take,
        problem_name="connect_problem",
        pasted=pasted[: MOST_METADATA + 1],
        given=document.decode(errors="replace") if upload else pasted,
    )


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def disconnect(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Remove the provider's metadata."""
    return do(request, tenant, lambda at: sso.disconnect(tenant_id=tenant.pk, by=request.actor, at=at))


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def decline(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """State that everybody signs in without a provider."""
    return do(request, tenant, lambda at: sso.decline(tenant_id=tenant.pk, by=request.actor, at=at))


def do(
    request: ActingRequest,
    tenant: Tenant,
    use: Callable[[datetime], object],
    *,
    problem_name: str = "problem",
    **typed: str,
) -> HttpResponse:
    """Do what was asked and go back to the page, or show there why not, with what was typed."""
    try:
        use(timezone.now())
    except sso.NotSeenYet as unseen:
        return render(
            request,
            PAGE,
            {**context_of(request, tenant), **typed, "unseen": unseen, "pasted": ""},
            status=unseen.status,
        )
    except REFUSALS as refusal:
        context = {**context_of(request, tenant), problem_name: refusal, **typed}
        return render(request, PAGE, context, status=refusal.status)
    return redirect("accounts:sso", tenant.slug)


def context_of(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    """Return what the page shows."""
    connection = known.of_tenant(tenant_id=tenant.pk)
    tests = Paginator(known.tests(tenant_id=tenant.pk), TESTS_A_PAGE).get_page(request.GET.get("page"))
    now = timezone.now()
    return {
        "tenant": tenant,
        "connection": connection,
        "sp": known.service_provider(connection) if connection else None,
        "second": known.service_provider(connection, failover=True) if connection and settings.FAILOVER_URL else None,
        "start_url": known.start_url(connection) if connection else "",
        **(_connected(connection, now) if connection and connection.is_connected else {}),
        "guides": GUIDES.values(),
        "page": tests,
        "now": now,
        "may_manage": may_manage(request, tenant),
        "may_trust": may_trust(request, tenant),
        "may_see_people": request.actor.can(Permission.VIEW_MEMBERS, tenant_id=tenant.pk),
        "demo_provider": settings.DEMO_IDENTITY_PROVIDER and f"{settings.DEMO_IDENTITY_PROVIDER}{tenant.slug}/",
    }


def _connected(connection: SsoConnection, now: datetime) -> dict[str, object]:
    """Return what the page shows of a provider that is connected."""
    rows = list(known.certificates(connection))
    for row in rows:
        row.state, row.words = STANDINGS[certificates.standing(row.held, at=now)]  # type: ignore[attr-defined]
    source = known.source(tenant_id=connection.tenant_id)
    return {
        "provider": connection,
        "trusted": [row for row in rows if not row.retired_at],
        "retired": [row for row in rows if row.retired_at],
        "source": source,
        "changes": known.changes(connection, connections.from_plain(source.proposal), at=now)
        if source and source.proposal
        else (),
        "last": known.latest_answered(connection=connection),
    }


def may_manage(request: ActingRequest, tenant: Tenant) -> bool:
    """Say whether who asks may change the connection."""
    return request.actor.can(Permission.MANAGE_SSO, tenant_id=tenant.pk)


def may_trust(request: ActingRequest, tenant: Tenant) -> bool:
    """Say whether who asks may change what the provider is believed: owners alone, once it speaks for them."""
    try:
        require_trust(tenant_id=tenant.pk, by=request.actor)
    except UseCaseError:
        return False
    return True
