"""The domains of a tenant: claim, publish, check."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.challenge import Record
from accounts.models import Domain, DomainCheck, Tenant
from accounts.queries import domains as listed
from accounts.services import domains
from core.errors import UseCaseError
from core.permissions import Permission
from core.web import ActingRequest, answer, tenant_view

PAGE = "accounts/domains.html"
ROW = f"{PAGE}#row"


@dataclass(frozen=True, slots=True)
class Row:
    """A domain as its page shows it."""

    domain: Domain
    last: DomainCheck | None

    @property
    def state(self) -> str:
        """The state's name among the components."""
        if self.domain.is_verified:
            return "pass"
        return "fail" if self.domain.failed_at else "queued"

    @property
    def words(self) -> str:
        """The state in words."""
        if self.domain.is_verified:
            return "Proven"
        return "Given up" if self.domain.failed_at else "Waiting for the record"

    @property
    def mark(self) -> str:
        """Differs as soon as there is something new to show."""
        return f"{self.state}-{self.last.pk if self.last else 'none'}"

    @property
    def records(self) -> list[dict[str, str]]:
        """What to publish."""
        return [_shown(domains.challenge_of(self.domain).txt)]

    @property
    def alternatives(self) -> list[dict[str, str]]:
        """What to publish where TXT is not possible."""
        return [_shown(domains.challenge_of(self.domain).cname)]

    @property
    def label(self) -> str:
        """The host without the zone, as most providers want it."""
        return domains.challenge_of(self.domain).txt.label


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def listing(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show every domain with its record, what was found, and when it is looked up next."""
    return render(request, PAGE, _context(request, tenant))


@require_POST
@tenant_view(Permission.MANAGE_DOMAINS)
def claim(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Put a domain on the list; a refused one comes back with its reason and what was typed."""
    typed = request.POST.get("name", "")
    try:
        domain = domains.claim(tenant_id=tenant.pk, typed=typed, by=request.actor, at=timezone.now())
    except domains.UnableToClaim as refusal:
        context = {**_context(request, tenant), "typed": typed[:300], "claim_problem": refusal}
        return render(request, PAGE, context, status=refusal.status)
    return redirect(f"{_address(tenant)}#domain-{domain.pk}")


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def show(request: ActingRequest, tenant: Tenant, domain_id: UUID) -> HttpResponse:
    """Answer a page that waits: the domain's card if anything changed, 204 if not; to a plain browser the list."""
    domain = get_object_or_404(listed.listed(tenant_id=tenant.pk), pk=domain_id)
    if request.headers.get("HX-Request") != "true":
        return redirect(f"{_address(tenant)}#domain-{domain_id}")
    row = _row(domain)
    if request.GET.get("seen") == row.mark:
        response = HttpResponse(status=204)
    else:
        response = render(request, ROW, _card(request, tenant, row))
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@tenant_view(Permission.MANAGE_DOMAINS)
def check(request: ActingRequest, tenant: Tenant, domain_id: UUID) -> HttpResponse:
    """Look the record up now."""
    return _changed(
        request, tenant, domain_id, lambda domain, at: domains.check(domain=domain, by=request.actor, at=at)
    )


@require_POST
@tenant_view(Permission.MANAGE_DOMAINS)
def renew(request: ActingRequest, tenant: Tenant, domain_id: UUID) -> HttpResponse:
    """Issue a new token."""
    return _changed(
        request, tenant, domain_id, lambda domain, at: domains.renew(domain=domain, by=request.actor, at=at)
    )


@require_POST
@tenant_view(Permission.MANAGE_DOMAINS)
def release(request: ActingRequest, tenant: Tenant, domain_id: UUID) -> HttpResponse:
    """Take a domain off the list."""
    domain = get_object_or_404(Domain, tenant=tenant, pk=domain_id)
    domains.release(domain=domain, by=request.actor, at=timezone.now())
    return redirect(_address(tenant))


def _changed(
    request: ActingRequest, tenant: Tenant, domain_id: UUID, use: Callable[[Domain, datetime], object]
) -> HttpResponse:
    domain = get_object_or_404(Domain, tenant=tenant, pk=domain_id)
    problem: UseCaseError | None = None
    try:
        use(domain, timezone.now())
    except (domains.UnableToCheck, domains.UnableToRenew) as refusal:
        problem = refusal
    context = _card(request, tenant, _row(listed.listed(tenant_id=tenant.pk).get(pk=domain_id)))
    return answer(request, ROW, context, to=f"{_address(tenant)}#domain-{domain_id}", problem=problem)


def _card(request: ActingRequest, tenant: Tenant, row: Row) -> dict[str, object]:
    return {"tenant": tenant, "row": row, "may_manage": _may_manage(request, tenant), "is_fragment": True}


def _context(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    return {
        "tenant": tenant,
        "rows": [_row(domain) for domain in listed.listed(tenant_id=tenant.pk)],
        "may_manage": _may_manage(request, tenant),
        "demo_dns_console": settings.DEMO_DNS_CONSOLE,
    }


def _may_manage(request: ActingRequest, tenant: Tenant) -> bool:
    return request.actor.can(Permission.MANAGE_DOMAINS, tenant_id=tenant.pk)


def _row(domain: Domain) -> Row:
    return Row(domain, next(iter(domain.checks.all()), None))


def _shown(record: Record) -> dict[str, str]:
    return {"type": record.kind, "name": record.host, "value": record.value}


def _address(tenant: Tenant) -> str:
    return reverse("accounts:domains", args=[tenant.slug])
