"""What every request passes through."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse

from accounts.queries import second_factors
from core import tenancy
from core.web import settle, staff_actor


class TenantContext:
    """Begin and end every request without a tenant: nobody's rows, whatever the connection did before."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request in the empty scope."""
        with tenancy.empty_scope():
            return settle(self.get_response(request))


class StaffSecondFactor:
    """Lead staff who have shown no second factor to where they do; until then nothing else opens for them.

    Denies by default: whatever address is added later is behind it too. Customers are advised (a readiness check),
    not forced.
    """

    OPEN = ("/accounts/", "/healthz", "/readyz", settings.STATIC_URL)

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass on customers, and staff who signed in wholly."""
        user = request.user
        if (
            not (user.is_authenticated and user.is_staff)
            or request.path_info.startswith(self.OPEN)
            or second_factors.was_used(request)
        ):
            return self.get_response(request)
        if second_factors.holders(user_ids=[user.pk]):
            return redirect_to_login(request.get_full_path(), reverse("mfa_reauthenticate"))
        messages.warning(request, "Staff signs in with a second factor: set up a passkey or an authenticator app.")
        return redirect("mfa_index")


class AdminScope:
    """Open a staff scope for the admin's pages; the reason of the scope is the page.

    Stands after authentication. Only the vendor's people get one: to anyone else the admin shows its sign-in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer an admin request of a staff member in their staff scope."""
        if not request.path_info.startswith(reverse("admin:index")):
            return self.get_response(request)
        actor = staff_actor(request)
        if actor is None:
            return self.get_response(request)
        request.actor = actor  # type: ignore[attr-defined]  # the request carries who acts
        with tenancy.staff_scope(by=actor, reason=f"{request.method} {_page(request)}"):
            return settle(self.get_response(request))


def _page(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).view_name
    except Resolver404:
        return "no such page"
