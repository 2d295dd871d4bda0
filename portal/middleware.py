"""What every request passes through."""

from collections.abc import Callable

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme

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


class ContentPolicy(CSPMiddleware):
    """Send the strict policy with every page, and to the admin the one that unfold works under."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return the policy of this page."""
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and request.path_info.startswith(reverse("admin:index")):
            parts.config = settings.ADMIN_CONTENT_SECURITY_POLICY
        return parts


class UnderstoodForms:
    """Refuse a form in another encoding than UTF-8 before anybody reads it.

    Django refuses it too, but only while it looks for the CSRF token, and then once more while it draws the page of
    the refusal: a request without a sign-in would end in an unhandled error.
    """

    FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass on what can be read."""
        charset = (request.content_params or {}).get("charset", "utf-8")
        if request.content_type in self.FORMS and charset.strip().lower() not in ("utf-8", "utf8"):
            return HttpResponse("Send the form in UTF-8.", status=415, content_type="text/plain; charset=utf-8")
        return self.get_response(request)


class PrivatePages:
    """Keep what a person saw while signed in to that person, and name what pages may ask of the browser.

    `no-store`, not `max-age=0`: the back button after a sign-out on a shared computer must not bring a tenant's page
    back. The price is that going back asks us again, which our pages answer in milliseconds.
    """

    FEATURES = ", ".join(
        (
            *(f"{name}=()" for name in ("camera", "geolocation", "microphone", "payment", "usb", "display-capture")),
            *(f"{name}=(self)" for name in ("clipboard-write", "publickey-credentials-get")),
            "publickey-credentials-create=(self)",
        )
    )

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with the headers."""
        was_signed_in = request.user.is_authenticated
        response = self.get_response(request)
        if was_signed_in or request.user.is_authenticated:
            patch_cache_control(response, private=True, no_store=True)
        response.setdefault("Permissions-Policy", self.FEATURES)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


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


class AskFirst:
    """Show the question of a form that has one, where no JavaScript asked it; its button sends the form without it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        """Answer a question that is still open, once the form's token has been checked."""
        if request.method != "POST" or not request.user.is_authenticated or not request.POST.get("ask_first"):
            return None
        asked = {"csrfmiddlewaretoken", "ask_first", "ask_label"}
        came_from = request.headers.get("Referer", "")
        here = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
        context = {
            "question": request.POST["ask_first"],
            "label": request.POST.get("ask_label") or "Continue",
            "fields": [(name, one) for name, values in request.POST.lists() if name not in asked for one in values],
            "back": came_from if here else reverse("home"),
        }
        return render(request, "ask_first.html", context)
