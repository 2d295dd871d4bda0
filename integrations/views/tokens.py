"""The page of API tokens: issue, rotate, revoke. A secret is in one answer, and nowhere else."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from core import tokens
from core.errors import UseCaseError
from core.models import Token
from core.permissions import Permission
from core.web import ActingRequest, tenant_view
from integrations.queries import tokens as listed
from integrations.views import overlaps

PAGE = "integrations/tokens.html"
LIFETIMES = (("30", "30 days"), ("90", "90 days"), ("180", "180 days"), ("365", "One year"))


class IssueForm(forms.Form):
    """What a token is for, what it may do, and until when."""

    name = forms.CharField(label="Name", max_length=100, help_text="What uses it, for example “Nightly report”.")
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        widget=forms.CheckboxSelectMultiple,
        help_text="It does no more than this, and never more than you may do yourself.",
        error_messages={"required": "Choose at least one thing the token may do."},
    )
    days = forms.ChoiceField(label="It ends after", choices=LIFETIMES, initial="90")

    def __init__(self, *args: Any, scopes: list[tokens.TokenScope], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [(scope.name, f"{scope.title} ({scope.name})") for scope in scopes]  # type: ignore[attr-defined]  # a choice field


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(Permission.MANAGE_TOKENS)
def listing(request: ActingRequest, tenant: Any) -> HttpResponse:
    """Show the tokens; issue one, whose secret is in this answer alone."""
    at = timezone.now()
    form = _form(request, tenant, request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _page(request, tenant, form)
    if not form.is_valid():
        return _page(request, tenant, form, status=422)
    try:
        token, secret = tokens.issue(
            tenant_id=tenant.pk,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            expires_at=at + timedelta(days=int(form.cleaned_data["days"])),
            by=request.actor,
            at=at,
        )
    except UseCaseError as refusal:
        return _page(request, tenant, form, problem=refusal, status=refusal.status)
    return _page(request, tenant, _form(request, tenant), made=token, secret=secret)


@never_cache
@require_POST
@tenant_view(Permission.MANAGE_TOKENS)
def rotate(request: ActingRequest, tenant: Any, token_id: UUID) -> HttpResponse:
    """Replace a token; the new secret is in this answer alone."""
    token, overlap = _find(tenant, token_id), overlaps.read(request.POST)
    try:
        made, secret = tokens.rotate(token, overlap=overlap, by=request.actor, at=timezone.now())
    except UseCaseError as refusal:
        return _page(request, tenant, _form(request, tenant), problem=refusal, status=refusal.status)
    return _page(request, tenant, _form(request, tenant), made=made, secret=secret, replaced=_find(tenant, token_id))


@require_POST
@tenant_view(Permission.MANAGE_TOKENS)
def revoke(request: ActingRequest, tenant: Any, token_id: UUID) -> HttpResponse:
    """End a token at once, and those that it issued unless the person leaves them."""
    tokens.revoke(_find(tenant, token_id), by=request.actor, at=timezone.now(), and_issued="and_issued" in request.POST)
    return redirect("integrations:tokens", tenant.slug)


def _find(tenant: Any, token_id: UUID) -> Token:
    found = listed.find(tenant_id=tenant.pk, token_id=token_id)
    if found is None:
        raise Http404
    return found


def _form(request: ActingRequest, tenant: Any, data: Any = None) -> IssueForm:
    return IssueForm(data, scopes=tokens.scopes_of(request.actor, tenant_id=tenant.pk))


def _page(
    request: ActingRequest,
    tenant: Any,
    form: IssueForm,
    *,
    problem: UseCaseError | None = None,
    status: int = 200,
    **more: object,
) -> HttpResponse:
    rows = listed.rows(tenant_id=tenant.pk, at=timezone.now())
    context = {"tenant": tenant, "form": form, "rows": rows, "problem": problem, "overlaps": overlaps.OVERLAPS, **more}
    return render(request, PAGE, context, status=status)
