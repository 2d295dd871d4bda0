"""The single sign-on of a tenant: the connection to its provider, and the tests of it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.verdicts import PERSONAL, Check, Verdict
from accounts.models import SsoTest, Tenant
from accounts.queries import sso as known
from accounts.services import sso, sso_tests
from core import ports
from core.permissions import Permission
from core.saml import MOST_METADATA
from core.web import ActingRequest, tenant_view

PAGE = "accounts/sso.html"
TEST = "accounts/sso_test.html"
TESTS_A_PAGE = 10


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def show(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show the connection, our own values, and the tests so far."""
    return render(request, PAGE, _context(request, tenant))


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def begin(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Hand out our values for the provider's side."""
    return _do(request, tenant, lambda at: sso.begin(tenant_id=tenant.pk, by=request.actor, at=at))


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def connect(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Take metadata, uploaded or pasted; refused ones come back with the reason."""
    upload = request.FILES.get("file")
    pasted = request.POST.get("metadata", "")
    # One byte more than allowed, so that what is too large is known to be.
    document = upload.read(MOST_METADATA + 1) if upload else pasted.encode()
    return _do(
        request,
        tenant,
        lambda at: sso.connect(tenant_id=tenant.pk, document=document, by=request.actor, at=at),
        problem_name="connect_problem",
        pasted=pasted[: MOST_METADATA + 1],
    )


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def disconnect(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Remove the provider's metadata."""
    return _do(request, tenant, lambda at: sso.disconnect(tenant_id=tenant.pk, by=request.actor, at=at))


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def decline(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """State that everybody signs in without a provider."""
    return _do(request, tenant, lambda at: sso.decline(tenant_id=tenant.pk, by=request.actor, at=at))


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def start_test(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Start a test and show the link by which it leaves.

    A link, not a redirect: the policy of our pages lets no form lead to another site.
    """
    started: list[SsoTest] = []
    answer = _do(
        request,
        tenant,
        lambda at: started.append(
            sso_tests.start(
                tenant_id=tenant.pk, by=request.actor, at=at, failover=request.POST.get("address") == "second"
            )
        ),
    )
    return redirect("accounts:sso_test", tenant.slug, started[0].pk) if started else answer


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def show_test(request: ActingRequest, tenant: Tenant, test_id: UUID) -> HttpResponse:
    """Show a test: the link to leave by, that it has lapsed, or what every check found."""
    test = get_object_or_404(known.tests(tenant_id=tenant.pk).select_related("connection"), pk=test_id)
    may_manage = _may_manage(request, tenant)
    context: dict[str, object] = {
        "tenant": tenant,
        "test": test,
        "may_manage": may_manage,
        "has_lapsed": test.answered_at is None and test.expires_at <= timezone.now(),
        "is_current": test.fingerprint == test.connection.fingerprint,
    }
    if test.answered_at is not None:
        context |= _answered(tenant, test, may_manage=may_manage)
    return render(request, TEST, context)


def _answered(tenant: Tenant, test: SsoTest, *, may_manage: bool) -> dict[str, object]:
    """Return what a test's answer told; what it told of a person only to those who manage the connection."""
    kept = known.opened(test)
    rows = [check_row(check, may_manage=may_manage) for check in kept.checks]
    shown: dict[str, object] = {
        "is_trusted": kept.is_trusted,
        "failed": [row for row in rows if row["state"] == "fail"],
        "others": [row for row in rows if row["state"] != "fail"],
        "is_purged": not test.sealed,
    }
    if may_manage and test.sealed:
        shown |= {
            "assertion": kept.assertion,
            "addresses": kept.addresses,
            "member": known.member_named(tenant_id=tenant.pk, addresses=kept.addresses),
            "raw": ports.identity_provider().redacted(kept.message),
        }
    return shown


def check_row(check: Check, *, may_manage: bool) -> dict[str, object]:
    """Return a check as `accounts/_sso_check.html` shows it."""
    hidden = check.code in PERSONAL and not may_manage
    state = "unknown" if check.verdict is Verdict.PASS and not check.is_trusted else check.verdict.value
    words = "Not to be trusted" if state == "unknown" else ""
    return {
        "code": check.code.value,
        "title": check.title,
        "state": state,
        "words": words,
        "expected": check.expected,
        "got": "(shown to owners and admins)" if hidden and check.got else check.got,
        "fix": check.fix,
        "is_trusted": check.is_trusted,
    }


def _do(
    request: ActingRequest,
    tenant: Tenant,
    use: Callable[[datetime], object],
    *,
    problem_name: str = "problem",
    pasted: str = "",
) -> HttpResponse:
    """Do what was asked and go back to the page, or show there why not."""
    try:
        use(timezone.now())
    except (sso.UnableToConnect, sso.UnableToDisconnect, sso.UnableToDecline, sso_tests.UnableToTest) as refusal:
        context = {**_context(request, tenant), problem_name: refusal, "pasted": pasted}
        return render(request, PAGE, context, status=refusal.status)
    return redirect("accounts:sso", tenant.slug)


def _context(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    connection = known.of_tenant(tenant_id=tenant.pk)
    tests = Paginator(known.tests(tenant_id=tenant.pk), TESTS_A_PAGE).get_page(request.GET.get("page"))
    now = timezone.now()
    return {
        "tenant": tenant,
        "connection": connection,
        "sp": known.service_provider(connection) if connection else None,
        "second": known.service_provider(connection, failover=True) if connection and settings.FAILOVER_URL else None,
        "start_url": known.start_url(connection) if connection else "",
        "provider": known.provider(connection) if connection and connection.is_connected else None,
        "last": known.latest_answered(connection=connection) if connection and connection.is_connected else None,
        "page": tests,
        "now": now,
        "may_manage": _may_manage(request, tenant),
        "demo_provider": settings.DEMO_IDENTITY_PROVIDER and f"{settings.DEMO_IDENTITY_PROVIDER}{tenant.slug}/",
    }


def _may_manage(request: ActingRequest, tenant: Tenant) -> bool:
    return request.actor.can(Permission.MANAGE_SSO, tenant_id=tenant.pk)
