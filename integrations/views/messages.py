"""Messages by state, with what each attempt was answered."""

from datetime import timedelta
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from accounts.queries.tenants import Tenant
from core.errors import UseCaseError
from core.permissions import Permission
from core.web import ActingRequest, answer, tenant_view
from integrations.domain.retries import State
from integrations.queries import messages as listed
from integrations.services import messages

PAGE = "integrations/messages.html"
PART = f"{PAGE}#messages"
PER_PAGE = 20
SOON = timedelta(seconds=30)


@require_safe
@tenant_view(Permission.VIEW_INTEGRATIONS)
def listing(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show the messages in one state; to htmx only the list, which asks again while one is about to go out."""
    response = render(request, PART if request.headers.get("HX-Request") else PAGE, _context(request, tenant))
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@tenant_view(Permission.MANAGE_INTEGRATIONS)
def resend(request: ActingRequest, tenant: Tenant, message_id: UUID) -> HttpResponse:
    """Send a message again."""
    message = listed.find(tenant_id=tenant.pk, pk=message_id)
    if message is None:
        raise Http404
    problem: UseCaseError | None = None
    try:
        messages.resend(message=message, by=request.actor, at=timezone.now())
    except UseCaseError as refusal:
        problem = refusal
    back = reverse("integrations:messages", args=[tenant.slug])
    return answer(request, PART, _context(request, tenant), to=f"{back}?state=pending", problem=problem)


def _context(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    chosen = _chosen(request)
    counts = listed.counts(tenant_id=tenant.pk)
    page = Paginator(listed.listed(tenant_id=tenant.pk, state=chosen), PER_PAGE).get_page(request.GET.get("page"))
    soon = timezone.now() + SOON
    return {
        "tenant": tenant,
        "chosen": chosen.value,
        "tabs": [(state.value, _TITLES[state], counts[state.value]) for state in State],
        "page": page,
        "is_moving": any(message.next_attempt_at and message.next_attempt_at < soon for message in page),
        "may_manage": request.actor.can(Permission.MANAGE_INTEGRATIONS, tenant_id=tenant.pk),
    }


def _chosen(request: ActingRequest) -> State:
    asked = request.POST.get("state") or request.GET.get("state") or State.DELIVERED.value
    return next((state for state in State if state.value == asked), State.DELIVERED)


_TITLES = {State.PENDING: "On their way", State.DELIVERED: "Delivered", State.FAILED: "Given up"}
