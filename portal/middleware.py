"""What every request passes through."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve, reverse

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
