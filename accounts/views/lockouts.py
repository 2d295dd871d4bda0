"""The lockout forecast on screen and as a file: who would get in by the company's sign-in alone, and why not."""

from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.domain.lockouts import WORDS, Outcome
from accounts.models import Tenant
from accounts.queries import lockouts
from accounts.services import lockouts as exporting
from core import sheets
from core.permissions import Permission
from core.web import ActingRequest, tenant_view

PAGE = "accounts/lockouts.html"
PEOPLE_A_PAGE = 50
COLUMNS = ("Name", "E-mail address", "Role", "Outcome", "Why", "What to do", "Passkey", "Invited")


@require_safe
@tenant_view(Permission.MANAGE_SSO)
def show(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show everybody with the outcome foreseen, or those of one outcome."""
    outcome, stop = _outcome(request), lockouts.barrier(tenant_id=tenant.pk)
    found = lockouts.groups(tenant_id=tenant.pk, stop=stop)
    invited = lockouts.invited(tenant_id=tenant.pk, stop=stop, at=timezone.now())
    members = lockouts.listed(tenant_id=tenant.pk, found=found, outcome=outcome)
    page = Paginator(members, PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "tenant": tenant,
        "forecast": lockouts.forecast_of(tenant_id=tenant.pk, found=found),
        "outcome": outcome,
        "barrier": WORDS[stop] if stop else None,
        "counts": [(each, lockouts.count_of(each, found=found, invited=invited)) for each in Outcome],
        "page": page,
        "rows": [lockouts.row(member, stop=stop) for member in page],
        "invited": [each for each in invited if outcome in (None, each.prediction.outcome)],
    }
    return render(request, PAGE, context)


@require_safe
@tenant_view(Permission.MANAGE_SSO)
def download(request: ActingRequest, tenant: Tenant) -> StreamingHttpResponse:
    """Hand out the same as CSV."""
    rows = exporting.rows(tenant_id=tenant.pk, outcome=_outcome(request), by=request.actor, at=timezone.now())
    lines = (
        (each.name, each.email, each.role, each.prediction.outcome.label, each.prediction.words, each.prediction.fix,
         "yes" if each.has_passkey else "no", "yes" if each.is_invited else "no")
        for each in rows
    )  # fmt: skip
    return sheets.csv_response(name=f"sign-in-forecast-{tenant.slug}.csv", header=COLUMNS, rows=lines)


def _outcome(request: ActingRequest) -> Outcome | None:
    try:
        return Outcome(request.GET.get("outcome", ""))
    except ValueError:
        return None
