"""Links for whoever edits a domain's DNS: made and taken back by the tenant's people, opened by anybody who has one."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.domain import setup_guides
from accounts.domain.diagnosis import Code, Diagnosis
from accounts.domain.setup_guides import GUIDES
from accounts.models import Domain, DomainLink, Tenant
from accounts.queries import domains as listed
from accounts.queries import sso
from accounts.services import domain_links
from accounts.services.lookups import UnableToCheck
from accounts.views import domains as pages
from core import tenancy
from core.errors import UseCaseError
from core.permissions import Permission
from core.web import ActingRequest, public_view, tenant_view

PAGE = "accounts/domain_link.html"
CLOSED = "accounts/domain_link_closed.html"
PRIVATE = {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}


@never_cache
@require_POST
@tenant_view(Permission.MANAGE_DOMAINS)
def make(request: ActingRequest, tenant: Tenant, domain_id: UUID) -> HttpResponse:
    """Make a link; its address is in this answer alone."""
    domain = get_object_or_404(Domain, tenant=tenant, pk=domain_id)
    try:
        link, secret = domain_links.make(domain=domain, by=request.actor, at=timezone.now())
    except domain_links.UnableToMake as refusal:
        context = {**pages.page_context(request, tenant), "link_problem": refusal}
        return render(request, pages.PAGE, context, status=refusal.status)
    context = {**pages.page_context(request, tenant), "made": link, "address": domain_links.address(secret)}
    return render(request, pages.PAGE, context)


@require_POST
@tenant_view(Permission.MANAGE_DOMAINS)
def revoke(request: ActingRequest, tenant: Tenant, link_id: UUID) -> HttpResponse:
    """Take a link back."""
    link = get_object_or_404(DomainLink.objects.select_related("domain"), tenant=tenant, pk=link_id)
    domain_links.revoke(link=link, by=request.actor, at=timezone.now())
    return redirect(f"{reverse('accounts:domains', args=[tenant.slug])}#domain-{link.domain_id}")


@never_cache
@require_safe
@public_view
def show(request: HttpRequest, token: str) -> HttpResponse:
    """Show what to publish for a domain and how it stands, to whoever has the link; `?look=1` looks it up now.

    Where single sign-on was begun it shows what the provider is told of us too; `?product=okta` says it step by step.
    """
    found = listed.find_link(token=token)
    if found is None:
        return _private(render(request, CLOSED, status=404))
    with tenancy.scope(tenant_id=found.tenant_id):
        link = DomainLink.objects.select_related("domain").get(pk=found.link_id)
        try:
            domain_links.visit(link=link, at=timezone.now())
        except (domain_links.UnableToOpen, domain_links.UnableToLook) as refusal:
            return _private(render(request, CLOSED, {"problem": refusal}, status=refusal.status))
        seen: Diagnosis | None = None
        problem: UseCaseError | None = None
        if request.GET.get("look") and link.domain.awaits_proof:
            try:
                seen = domain_links.look(link=link, at=timezone.now())
            except (domain_links.UnableToLook, UnableToCheck) as refusal:
                problem = refusal
        context = {"link": link, "row": pages.as_row(link.domain), "token": token, "problem": problem, "seen": seen}
        context |= {"is_right": _is_right(seen, link.domain)}
        context |= _for_provider(link.tenant_id, product=request.GET.get("product", ""))
        return _private(render(request, PAGE, context, status=problem.status if problem else 200))


def _for_provider(tenant_id: UUID, *, product: str) -> dict[str, object]:
    """Return what a provider is told of us, once the tenant has begun with one; all of it stands in our metadata."""
    connection = sso.of_tenant(tenant_id=tenant_id)
    if connection is None or connection.declined_at:
        return {}
    guide, ours = GUIDES.get(product), sso.our_values(connection)
    return {
        "sp": sso.service_provider(connection),
        "is_connected": connection.is_connected,
        "guides": GUIDES.values(),
        "guide": guide,
        "steps": setup_guides.told(guide, ours) if guide else (),
    }


def _is_right(seen: Diagnosis | None, domain: Domain) -> bool:
    """Tell whether nothing is left to publish; that another account holds the domain is for its owners alone."""
    last = domain.last_check
    code = seen.code if seen else Code(last.code) if last else None
    return code in (Code.MET, Code.HELD_ELSEWHERE)


def _private(response: HttpResponse) -> HttpResponse:
    for name, value in PRIVATE.items():
        response[name] = value
    return response
