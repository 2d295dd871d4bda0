"""Signing in with one's company: which provider, there, and back with a session.

Each browser holds a secret of its own (in its session); a sign-in counts for the browser that asked for it alone. So
neither an answer that somebody stole nor a link that somebody else sends signs anybody in.
"""

from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.account.app_settings import EmailVerificationMethod
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts import signin
from accounts.domain.people import domain_of
from accounts.models import SsoSignIn
from accounts.queries import enforcement
from accounts.queries import sso as known
from accounts.services import sso_sign_ins
from accounts.services.sso_sign_ins import UnableToSignIn
from accounts.views.saml import found_or_404
from core import tenancy
from core.web import public_view

BROWSER = "sso_browser"
LONGEST_PATH = 2000


class Address(forms.Form):
    """Where the person works."""

    email = forms.EmailField(
        label="Your work e-mail address",
        help_text="Its domain tells us where your organisation lets you sign in. We keep no note of it.",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@public_view
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for an address, and go on to the provider of its domain. Whether the address has an account is not asked."""
    form = Address(request.POST or None)
    if request.method != "POST":
        return _page(request, "accounts/sso_ask.html", {"form": form})
    if (limited := signin.too_often(request)) is not None:
        return limited
    if form.is_valid():
        provider_id = known.find_provider(domain=domain_of(form.cleaned_data["email"]))
        if provider_id is not None:
            return _start(request, provider_id)
        form.add_error("email", "No organisation signs in with this domain here. Sign in with your password instead.")
    return _page(request, "accounts/sso_ask.html", {"form": form}, status=422)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@public_view
def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Be the address that an organisation hands to its people: one button, and on to its provider."""
    found = found_or_404(provider_id)
    if request.method == "POST":
        if (limited := signin.too_often(request)) is not None:
            return limited
        return _start(request, provider_id)
    with tenancy.scope(tenant_id=found.tenant_id):
        connection = known.of_tenant(tenant_id=found.tenant_id)
    return _page(request, "accounts/sso_start.html", {"connection": connection})


@never_cache
@require_GET
@public_view
def leave(request: HttpRequest, provider_id: str, sign_in_id: UUID) -> HttpResponse:
    """Lead the browser that asked on to the provider.

    By a page and not by a redirect: the policy of our pages lets no form lead to another site.
    """
    found = found_or_404(provider_id)
    with tenancy.scope(tenant_id=found.tenant_id):
        sign_in = get_object_or_404(SsoSignIn, pk=sign_in_id, connection_id=found.connection_id)
        try:
            sso_sign_ins.require_browser(sign_in=sign_in, browser=request.session.get(BROWSER, ""))
        except UnableToSignIn as refusal:
            return _refused(request, refusal, provider_id)
    if sign_in.answered_at is not None or sign_in.expires_at <= timezone.now():
        return redirect("sso:start", provider_id)
    return _page(request, "accounts/sso_leave.html", {"sign_in": sign_in})


@never_cache
@require_GET
@public_view
def finish(request: HttpRequest, provider_id: str, sign_in_id: UUID) -> HttpResponse:
    """Sign the person in, in the browser that asked: by allauth, with second factor, hooks and a fresh session key."""
    found = found_or_404(provider_id)
    with tenancy.scope(tenant_id=found.tenant_id):
        sign_in = get_object_or_404(SsoSignIn, pk=sign_in_id, connection_id=found.connection_id)
        try:
            user = sso_sign_ins.finish(sign_in=sign_in, browser=request.session.get(BROWSER, ""), at=timezone.now())
        except UnableToSignIn as refusal:
            return _refused(request, refusal, provider_id)
    return signin.sign_in(
        request,
        user,
        method=enforcement.SAML,
        tenant_id=found.tenant_id,
        leads_to=sign_in.leads_to or settings.LOGIN_REDIRECT_URL,
        email_verification=EmailVerificationMethod.NONE,  # the holder of its domain vouches for the address
        ends_at=sign_in.session_ends_at,
    )


def _start(request: HttpRequest, provider_id: str) -> HttpResponse:
    found = found_or_404(provider_id)
    browser = request.session.setdefault(BROWSER, sso_sign_ins.new_browser())
    with tenancy.scope(tenant_id=found.tenant_id):
        try:
            sign_in = sso_sign_ins.start(
                connection_id=found.connection_id,
                tenant_id=found.tenant_id,
                browser=browser,
                leads_to=_leads_to(request),
                at=timezone.now(),
                failover=known.is_failover(request.get_host()),
            )
        except UnableToSignIn as refusal:
            return _refused(request, refusal, provider_id)
    return redirect("sso:leave", provider_id, sign_in.pk)


def _leads_to(request: HttpRequest) -> str:
    """Return the page of ours that was asked for; nothing for any other address."""
    asked = request.POST.get("next", "") or request.GET.get("next", "")
    is_ours = asked.startswith("/") and asked.isprintable() and len(asked) <= LONGEST_PATH
    return asked if is_ours and get_adapter().is_safe_url(asked) else ""


def _page(request: HttpRequest, template: str, context: dict[str, object], *, status: int = 200) -> HttpResponse:
    return render(request, template, {**context, "next": _leads_to(request)}, status=status)


def _refused(request: HttpRequest, refusal: UnableToSignIn, provider_id: str) -> HttpResponse:
    page = "accounts/sso_waits.html" if refusal.waits else "accounts/sso_refused.html"
    return render(request, page, {"problem": refusal, "provider_id": provider_id}, status=refusal.status)
