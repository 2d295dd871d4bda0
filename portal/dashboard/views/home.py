"""The front door: where a person goes after signing in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from core import tenancy
from core.web import account_view, public_view


@require_safe
@account_view
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the person's one account, to the choice between several, or staff to the programme."""
    assert request.user.is_authenticated  # account_view saw to it
    tenants = tenancy.find_memberships(user_id=request.user.pk)
    if len(tenants) == 1 and not request.user.is_staff:
        return redirect("dashboard:overview", tenants[0].slug)
    if not tenants and request.user.is_staff:
        return redirect("admin:index")
    return render(request, "portal/home.html", {"tenants": tenants})


@account_view
def change_password(request: HttpRequest) -> HttpResponse:
    """Lead from the admin's own form, which would leave no entry in the ledger, to the one everybody uses."""
    return redirect("account_change_password")


@require_safe
@public_view
def favicon(request: HttpRequest) -> HttpResponse:
    """Lead browsers that ask by habit to our mark."""
    return redirect(static("crossing/mark.svg"))
