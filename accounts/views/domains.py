"""The domains of a tenant: claim, publish, check."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from accounts.domain import names
from accounts.domain.challenge import Method, Record
from accounts.domain.diagnosis import Code
from accounts.domain.transfers import OPEN
from accounts.models import Domain, DomainCheck, DomainLink, Tenant
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
    links: Sequence[DomainLink] = ()
    """Those that still open something."""

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
        if self.domain.passed_on_at and self.domain.failed_at:
            return "Handed over"
        return "Given up" if self.domain.failed_at else "Waiting for the record"

    @property
    def mark(self) -> str:
        """Differs as soon as there is something new to show."""
        wish = self.domain.transfer
        return f"{self.state}-{self.last.pk if self.last else 'none'}-{wish.state if wish else ''}"

    @property
    def may_be_asked_for(self) -> bool:
        """Whether a right record has shown that another account holds the domain, and nobody asked for it yet."""
        wish = self.domain.transfer
        held = self.last is not None and self.last.code == Code.HELD_ELSEWHERE
        return held and (wish is None or wish.state not in OPEN)

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

    @property
    def by_file(self) -> bool:
        """Whether the token is looked for on the web site."""
        return self.domain.method == Method.FILE

    @property
    def file(self) -> dict[str, str]:
        """What to put on the web site where DNS is not possible."""
        asked = domains.challenge_of(self.domain)
        return {"url": asked.file_url, "name": asked.token, "content": asked.file_content}

    @property
    def via(self) -> str:
        """What proved the domain, in words."""
        return f"by {self.domain.get_proven_via_display()}" if self.domain.proven_via else ""

    @property
    def kept_until(self) -> datetime | None:
        """Until when name servers may keep the last answer; nothing once that is over."""
        if self.last is None or self.last.ttl is None:
            return None
        until = self.last.checked_at + timedelta(seconds=self.last.ttl)
        return until if until > timezone.now() else None

    @property
    def mixed(self) -> str:
        """The scripts that a name's letters are taken from where they are several: it may be a look-alike."""
        return " and ".join(names.scripts(self.domain.text)) if names.is_mixed(self.domain.text) else ""


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def listing(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show every domain with its record, what was found, and when it is looked up next."""
    return render(request, PAGE, page_context(request, tenant))


@require_POST
@tenant_view(Permission.MANAGE_DOMAINS)
def claim(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Put a domain on the list; a refused one comes back with its reason and what was typed."""
    typed = request.POST.get("name", "")
    try:
        domain = domains.claim(tenant_id=tenant.pk, typed=typed, by=request.actor, at=timezone.now())
    except domains.UnableToClaim as refusal:
        context = {**page_context(request, tenant), "typed": typed[:300], "claim_problem": refusal}
        return render(request, PAGE, context, status=refusal.status)
    return redirect(f"{_address(tenant)}#domain-{domain.pk}")


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def show(request: ActingRequest, tenant: Tenant, domain_id: UUID) -> HttpResponse:
    """Answer a page that waits: the domain's card if anything changed, 204 if not; to a plain browser the list."""
    domain = get_object_or_404(listed.listed(tenant_id=tenant.pk), pk=domain_id)
    if request.headers.get("HX-Request") != "true":
        return redirect(f"{_address(tenant)}#domain-{domain_id}")
    row = _with_links(tenant, domain)
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
def choose(request: ActingRequest, tenant: Tenant, domain_id: UUID) -> HttpResponse:
    """Say where the token will be published."""
    method = request.POST.get("method", "")
    return _changed(
        request,
        tenant,
        domain_id,
        lambda domain, at: domains.choose(domain=domain, method=method, by=request.actor, at=at),
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
    except (domains.UnableToCheck, domains.UnableToChoose, domains.UnableToRenew) as refusal:
        problem = refusal
    context = _card(request, tenant, _with_links(tenant, listed.listed(tenant_id=tenant.pk).get(pk=domain_id)))
    return answer(request, ROW, context, to=f"{_address(tenant)}#domain-{domain_id}", problem=problem)


def _card(request: ActingRequest, tenant: Tenant, row: Row) -> dict[str, object]:
    return {"tenant": tenant, "row": row, "may_manage": _may_manage(request, tenant), "is_fragment": True}


def page_context(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    """Return what the page of a tenant's domains shows."""
    links = listed.open_links(tenant_id=tenant.pk, at=timezone.now())
    return {
        "tenant": tenant,
        "rows": [as_row(domain, links.get(domain.pk, ())) for domain in listed.listed(tenant_id=tenant.pk)],
        "may_manage": _may_manage(request, tenant),
        "demo_dns_console": settings.DEMO_DNS_CONSOLE,
    }


def _may_manage(request: ActingRequest, tenant: Tenant) -> bool:
    return request.actor.can(Permission.MANAGE_DOMAINS, tenant_id=tenant.pk)


def _with_links(tenant: Tenant, domain: Domain) -> Row:
    return as_row(domain, listed.open_links(tenant_id=tenant.pk, at=timezone.now()).get(domain.pk, ()))


def as_row(domain: Domain, links: Sequence[DomainLink] = ()) -> Row:
    """Return a domain as its page shows it."""
    return Row(domain, domain.last_check, links)


def _shown(record: Record) -> dict[str, str]:
    return {"type": record.kind, "name": record.host, "value": record.value}


def _address(tenant: Tenant) -> str:
    return reverse("accounts:domains", args=[tenant.slug])
