"""What the link of an invitation opens: for somebody new, for somebody known, for somebody else."""

from typing import cast

from allauth.account.utils import perform_login
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain import invitations as rules
from accounts.models import Invitation, User
from accounts.queries import invitations as links
from accounts.queries import tenants
from accounts.services import invitations
from core import tenancy
from core.web import account_view, public_view

PAGE = "accounts/invitation.html"
CLOSED = "accounts/invitation_closed.html"
GONE = 410


class Newcomer(forms.Form):
    """What a new person tells us about themselves."""

    name = forms.CharField(label="Your name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label="A password",
        help_text="At least 12 characters. A sentence is fine.",
        strip=False,
        max_length=1000,  # hashing is slow on purpose: nobody makes us hash a book
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@public_view
def open_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show what the invitation is for, and let a new person make their account with it (POST)."""
    found = links.find(token=token)
    if found is None:
        return render(request, CLOSED, status=404)
    with tenancy.scope(tenant_id=found.tenant_id):
        invitation = Invitation.objects.get(pk=found.invitation_id)
        try:
            invitations.require_open(invitation=invitation, at=timezone.now())
        except invitations.UnableToAccept as refusal:
            return render(request, CLOSED, {"problem": refusal}, status=GONE)
        context = _context(request, invitation, token)
        if context["case"] != "new":
            return render(request, PAGE, context, status=403 if context["case"] == "other" else 200)
        form = Newcomer(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            status = 422 if request.method == "POST" else 200
            return render(request, PAGE, {**context, "form": form}, status=status)
        user, problem = _register(invitation, form)
        if user is None:
            return render(request, PAGE, {**context, "form": form, "problem": problem}, status=422)
    response: HttpResponse = perform_login(request, user, redirect_url=settings.LOGIN_REDIRECT_URL)
    return response


@never_cache
@require_POST
@account_view
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Accept the invitation with the account that is signed in."""
    found = links.find(token=token)
    if found is None:
        raise Http404
    with tenancy.scope(tenant_id=found.tenant_id):
        invitation = Invitation.objects.get(pk=found.invitation_id)
        try:
            invitations.join(invitation=invitation, user=cast("User", request.user), at=timezone.now())
        except invitations.UnableToAccept as refusal:
            return render(request, CLOSED, {"problem": refusal}, status=refusal.status)
    request.session.cycle_key()  # they may do more than before
    return redirect(settings.LOGIN_REDIRECT_URL)


def _register(invitation: Invitation, form: Newcomer) -> tuple[User | None, invitations.UnableToAccept | None]:
    given = form.cleaned_data
    try:
        user = invitations.register(
            invitation=invitation, name=given["name"], password=given["password"], at=timezone.now()
        )
    except ValidationError as weak:
        form.add_error("password", weak)
    except invitations.UnableToAccept as refusal:
        return None, refusal
    else:
        return user, None
    return None, None


def _context(request: HttpRequest, invitation: Invitation, token: str) -> dict[str, object]:
    """Tell the four people apart who may hold the link: signed in as the invited, as another, known, new.

    That an account exists is said only to whoever holds the secret that was mailed to its address.
    """
    if request.user.is_authenticated:
        case = "invited" if invitations.is_meant_for(invitation=invitation, user=request.user) else "other"
    else:
        case = "known" if links.has_account(invitation=invitation) else "new"
    return {
        "case": case,
        "token": token,
        "invitation": invitation,
        "masked": rules.mask(invitation.email),
        "account": tenants.get(tenant_id=invitation.tenant_id),
    }
