"""Taking passwords away, and giving them back; what is shown stands on the page of company sign-in."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.models import Tenant
from accounts.queries import removals as known
from accounts.services import removals
from accounts.views.enforcement import REMOVAL_IDS, RemovalForm, back, refused
from core.permissions import Permission
from core.web import ActingRequest, tenant_view


@require_POST
@tenant_view(Permission.REMOVE_PASSWORDS)
def remove(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Take them away."""
    form = RemovalForm(request.POST, auto_id=REMOVAL_IDS)
    if not form.is_valid():
        return refused(request, tenant, removal_form=form)
    try:
        removal = removals.remove(tenant_id=tenant.pk, by=request.actor, at=timezone.now(), **form.cleaned_data)
    except removals.UnableToRemove as refusal:
        return refused(request, tenant, removal_form=form, removal_problem=refusal)
    _stay_signed_in(request)
    messages.success(request, f"Taken away: {_passwords(removal.sealed)}. Within thirty days you can give them back.")
    return back(tenant)


@require_POST
@tenant_view(Permission.REMOVE_PASSWORDS)
def restore(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Give them back."""
    removal = known.standing(tenant_id=tenant.pk)
    if removal is None:
        return back(tenant)
    try:
        given = removals.restore(removal=removal, by=request.actor, at=timezone.now())
    except removals.UnableToRestore as refusal:
        return refused(request, tenant, removal_problem=refusal)
    _stay_signed_in(request)
    messages.success(request, f"Given back: {_passwords(given)}.")
    return back(tenant)


def _stay_signed_in(request: ActingRequest) -> None:
    """Keep the session of who did it, which hangs on a password that is another one now."""
    request.user.refresh_from_db()  # type: ignore[union-attr]  # a member's, or `tenant_view` had answered
    update_session_auth_hash(request, request.user)  # type: ignore[arg-type]


def _passwords(count: int) -> str:
    return f"{count:,} password{'' if count == 1 else 's'}"
