"""Signing in by a recovery code, when a company's own sign-in fails."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import signin
from accounts.queries import enforcement, recovery, tenants
from accounts.services import break_glass
from core import tenancy
from core.web import public_view

PAGE = "accounts/recover.html"


class RecoverForm(forms.Form):
    """Who they are, and one of their codes."""

    email = forms.EmailField(
        label="Your e-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    code = forms.CharField(
        label="Recovery code",
        max_length=60,
        help_text="Five groups of five. Upper or lower case does not matter.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@public_view
def recover(request: HttpRequest) -> HttpResponse:
    """Sign a break-glass owner in by a code and lead them on to make a new set; a second factor is asked for."""
    form = RecoverForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, PAGE, {"form": form}, status=422 if request.method == "POST" else 200)
    if (limited := signin.too_often(request, "recovery")) is not None:
        return limited  # by address alone: nobody keeps an owner out by trying codes in their name
    email = form.cleaned_data["email"].lower()
    found = recovery.find(code=form.cleaned_data["code"])
    if found is None:
        return _refused(request, form, break_glass.UnableToRecover())
    try:
        with tenancy.scope(tenant_id=found.tenant_id):
            user = break_glass.use(tenant_id=found.tenant_id, code_id=found.code_id, email=email, at=timezone.now())
            slug = tenants.get(tenant_id=found.tenant_id).slug
    except break_glass.UnableToRecover as refusal:
        return _refused(request, form, refusal)
    leads_to = reverse("accounts:enforcement", args=[slug])
    return signin.sign_in(request, user, method=enforcement.RECOVERY, tenant_id=found.tenant_id, leads_to=leads_to)


def _refused(request: HttpRequest, form: RecoverForm, refusal: break_glass.UnableToRecover) -> HttpResponse:
    return render(request, PAGE, {"form": form, "problem": refusal}, status=refusal.status)
