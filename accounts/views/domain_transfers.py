"""Asking for a domain that another account holds."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.models import Domain, DomainTransfer, Tenant
from accounts.services import domain_transfers
from core.permissions import Permission
from core.web import ActingRequest, tenant_view


@require_POST
@tenant_view(Permission.MANAGE_DOMAINS)
def ask(request: ActingRequest, tenant: Tenant, domain_id: UUID) -> HttpResponse:
    """Ask for a domain; a refusal is said on the page that it leads back to."""
    domain = get_object_or_404(Domain, tenant=tenant, pk=domain_id)
    try:
        domain_transfers.ask(domain=domain, reason=request.POST.get("reason", ""), by=request.actor, at=timezone.now())
    except domain_transfers.UnableToAsk as refusal:
        messages.error(request, " ".join(filter(None, (refusal.message, refusal.fix))))
    return _back(tenant, domain_id)


@require_POST
@tenant_view(Permission.MANAGE_DOMAINS)
def withdraw(request: ActingRequest, tenant: Tenant, domain_id: UUID) -> HttpResponse:
    """Ask no longer."""
    found = DomainTransfer.objects.filter(tenant=tenant, domain_id=domain_id).select_related("domain").first()
    if found is None:
        raise Http404
    domain_transfers.withdraw(transfer=found, by=request.actor, at=timezone.now())
    return _back(tenant, domain_id)


def _back(tenant: Tenant, domain_id: UUID) -> HttpResponse:
    return redirect(f"{reverse('accounts:domains', args=[tenant.slug])}#domain-{domain_id}")
