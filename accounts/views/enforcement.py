"""Sign-in by the company alone: announce it, end it, name who gets in when it fails, and cut it back."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.domain import cutbacks as cutback_rules
from accounts.domain import enforcement as rules
from accounts.domain import recovery
from accounts.models import BreakGlassOwner, Cutback, Member, Tenant
from accounts.queries import cutbacks as asked
from accounts.queries import enforcement as known
from accounts.queries import lockouts, members, passwords, removals
from accounts.services import break_glass, cutbacks, enforcement
from accounts.views import company_sign_in
from core import toggles
from core.errors import UseCaseError
from core.forms import UntilForm, day
from core.permissions import Permission
from core.web import ActingRequest, tenant_view

PAGE = "accounts/enforcement.html"
CODES = "accounts/recovery_codes.html"
CUTBACKS_A_PAGE = 10
ANNOUNCE_IDS = "announce_%s"
REMOVAL_IDS = "removal_%s"
"""Three forms of the page have a field called reason."""


class AnnounceForm(UntilForm):
    """From when it holds, until when, and why."""

    begins_on = forms.DateField(
        label="It begins on",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="In the morning at nine. Your people are told now, and reminded on every page until then.",
    )
    until = day(f"At most {rules.LONGEST.days} days from now. Then somebody decides again.")
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept, for whoever asks later.",
    )
    accepted_list = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class CutbackForm(forms.Form):
    """Why, and for how long."""

    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    hours = forms.IntegerField(
        label="For how many hours",
        min_value=1,
        max_value=cutback_rules.LONGEST_HOURS,
        help_text="From the second approval on. It ends by itself.",
    )


class RemovalForm(forms.Form):
    """Why passwords are taken away."""

    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    excepted_list = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def show(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show how people sign in now, who gets in when that fails, and what can be changed."""
    return render(request, PAGE, _context(request, tenant))


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def announce(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Announce it."""
    zone = ZoneInfo(tenant.time_zone)
    form = AnnounceForm(request.POST, auto_id=ANNOUNCE_IDS, zone=zone)
    if not form.is_valid():
        return refused(request, tenant, announce_form=form)
    given = form.cleaned_data
    try:
        enforcement.announce(
            tenant_id=tenant.pk,
            takes_effect_at=datetime.combine(given["begins_on"], time(9), tzinfo=zone),
            expires_at=given["until"],
            reason=given["reason"],
            accepted_list=given["accepted_list"],
            by=request.actor,
            at=timezone.now(),
        )
    except (enforcement.UnableToEnforce, toggles.UnableToSwitch) as refusal:
        return refused(request, tenant, announce_form=form, announce_problem=refusal)
    messages.success(request, "It is announced. Your people are told by mail and on every page.")
    return back(tenant)


@require_POST
@tenant_view(Permission.MANAGE_SSO)
def end(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Let passwords sign people in again."""
    if enforcement.end(tenant_id=tenant.pk, by=request.actor, at=timezone.now()):
        messages.success(request, "Passwords sign your people in again.")
    return back(tenant)


@require_POST
@tenant_view(Permission.MANAGE_BREAK_GLASS)
def name(request: ActingRequest, tenant: Tenant, seat: int) -> HttpResponse:
    """Name an owner for a seat."""
    try:
        member = members.owners(tenant_id=tenant.pk).filter(pk=UUID(request.POST.get("member", ""))).first()
    except ValueError:
        member = None
    if member is None:
        return refused(request, tenant, seat_problem=break_glass.UnableToName("Choose one of your owners."))
    try:
        break_glass.name(tenant_id=tenant.pk, member=member, seat=seat, by=request.actor, at=timezone.now())
    except break_glass.UnableToName as refusal:
        return refused(request, tenant, seat_problem=refusal)
    return back(tenant)


@never_cache
@require_POST
@tenant_view(Permission.MANAGE_BREAK_GLASS)
def issue(request: ActingRequest, tenant: Tenant, owner_id: UUID) -> HttpResponse:
    """Make a set of codes and show it, this once: what is kept of it cannot be read back."""
    owner = get_object_or_404(BreakGlassOwner.objects.select_related("member__user"), tenant=tenant, pk=owner_id)
    at = timezone.now()
    try:
        is_lent = company_sign_in.is_lent(request, tenant_id=tenant.pk)
        codes = break_glass.issue(owner=owner, by=request.actor, at=at, is_lent=is_lent)
    except break_glass.UnableToIssue as refusal:
        return refused(request, tenant, seat_problem=refusal)
    return render(request, CODES, {"tenant": tenant, "owner": owner, "codes": codes, "now": at})


@require_POST
@tenant_view(Permission.REQUEST_CUTBACK)
def ask_cutback(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Ask for a cutback."""
    form = CutbackForm(request.POST)
    if not form.is_valid():
        return refused(request, tenant, cutback_form=form)
    try:
        cutbacks.ask(tenant_id=tenant.pk, by=request.actor, at=timezone.now(), **form.cleaned_data)
    except cutbacks.UnableToAsk as refusal:
        return refused(request, tenant, cutback_form=form, cutback_problem=refusal)
    messages.success(request, "It is asked for. It begins once an owner of yours and one of us have approved it.")
    return back(tenant)


@require_POST
@tenant_view(Permission.APPROVE_CUTBACK)
def approve_cutback(request: ActingRequest, tenant: Tenant, cutback_id: UUID) -> HttpResponse:
    """Approve a cutback for the customer."""
    cutback = get_object_or_404(Cutback, tenant=tenant, pk=cutback_id)
    try:
        cutbacks.approve(cutback=cutback, by=request.actor, at=timezone.now())
    except cutbacks.UnableToApprove as refusal:
        return refused(request, tenant, cutback_problem=refusal)
    return back(tenant)


@require_POST
@tenant_view(Permission.REQUEST_CUTBACK)
def end_cutback(request: ActingRequest, tenant: Tenant, cutback_id: UUID) -> HttpResponse:
    """End a cutback before its time, or take the request back."""
    cutback = get_object_or_404(Cutback, tenant=tenant, pk=cutback_id)
    cutbacks.end(cutback=cutback, by=request.actor, at=timezone.now())
    return back(tenant)


def refused(request: ActingRequest, tenant: Tenant, **more: Any) -> HttpResponse:
    """Show the page again with what was given and why it was refused."""
    problems = [problem for name, problem in more.items() if name.endswith("problem")]
    status = problems[0].status if problems and isinstance(problems[0], UseCaseError) else 422
    return render(request, PAGE, {**_context(request, tenant), **more}, status=status)


def _context(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    at, zone = timezone.now(), ZoneInfo(tenant.time_zone)
    current, standing = known.current(tenant_id=tenant.pk, at=at), known.standing(tenant_id=tenant.pk, at=at)
    may = {
        name: request.actor.can(permission, tenant_id=tenant.pk)
        for name, permission in (
            ("manage", Permission.MANAGE_SSO),
            ("name", Permission.MANAGE_BREAK_GLASS),
            ("ask", Permission.REQUEST_CUTBACK),
            ("approve", Permission.APPROVE_CUTBACK),
            ("remove", Permission.REMOVE_PASSWORDS),
        )
    }
    if may["manage"]:
        forecast = lockouts.forecast(tenant_id=tenant.pk)
        may["announce"] = not forecast.owners_stuck or may["name"]  # that an owner is stuck only an owner accepts
    today = timezone.localdate(at, zone)
    context: dict[str, object] = {
        "tenant": tenant,
        "state": standing.state(at=at).value,
        "standing": standing,
        "current": current,
        "may": may,
        "announce_form": AnnounceForm(
            auto_id=ANNOUNCE_IDS,
            zone=zone,
            initial={"begins_on": today + timedelta(days=7), "until": today + rules.LONGEST - timedelta(days=1)},
        ),
    }
    if may["manage"]:
        owners = list(members.owners(tenant_id=tenant.pk)[:200])
        context |= {"forecast": forecast, "owners": owners, "seats": _seats(request, tenant, owners, at)}
        context |= _removal(tenant, at, may_remove=may["remove"])
    if may["ask"]:
        context |= _cutbacks(request, tenant, at)
    if may["name"]:
        context["is_lent"] = company_sign_in.is_lent(request, tenant_id=tenant.pk)
    return context


def _seats(request: ActingRequest, tenant: Tenant, owners: list[Member], at: datetime) -> list[dict[str, Any]]:
    named = {owner.seat: owner for owner in known.break_glass(tenant_id=tenant.pk)}
    seated = {owner.member_id for owner in named.values()}
    free = [owner for owner in owners if owner.pk not in seated]
    empty = [seat for seat in recovery.SEATS if seat not in named]
    holders = known.holders(tenant_id=tenant.pk)
    left: dict[UUID, int] = {}
    for owner_id in known.usable_codes(tenant_id=tenant.pk, at=at).values_list("owner_id", flat=True):
        left[owner_id] = left.get(owner_id, 0) + 1
    made, used = known.makers(tenant_id=tenant.pk), known.last_used(tenant_id=tenant.pk)
    return [
        {
            "seat": seat,
            "owner": (owner := named.get(seat)),
            "holds": owner is not None and owner.pk in holders,
            "left": left.get(owner.pk, 0) if owner else 0,
            "has_made": owner is not None and owner.pk in made,
            "used": used.get(owner.pk) if owner else None,
            # An only owner left is offered to one of two empty seats: nobody can have both.
            "choices": [] if seat in empty[len(free) :] else free,
            "is_mine": owner is not None and owner.member.user_id == request.actor.id,
        }
        for seat in recovery.SEATS
    ]


def _cutbacks(request: ActingRequest, tenant: Tenant, at: datetime) -> dict[str, object]:
    current = asked.open_one(tenant_id=tenant.pk, at=at)
    page = Paginator(asked.every(tenant_id=tenant.pk), CUTBACKS_A_PAGE).get_page(request.GET.get("page"))
    return {
        "cutback": current,
        "cutback_state": asked.state_of(current, at=at).value if current else "",
        "intact": passwords.intact(tenant_id=tenant.pk),
        "cutback_form": CutbackForm(initial={"hours": 4}),
        "page": page,
        "past": [(each, asked.state_of(each, at=at).value) for each in page],
    }


def _removal(tenant: Tenant, at: datetime, *, may_remove: bool) -> dict[str, object]:
    found = removals.standing(tenant_id=tenant.pk)
    flag = toggles.on(tenant_id=tenant.pk, at=at, names=[removals.FLAG.name]).get(removals.FLAG.name)
    untried = removals.untried(tenant_id=tenant.pk) if flag and may_remove and not found else None
    return {"removal": found, "flag": flag, "untried": untried, "removal_form": RemovalForm(auto_id=REMOVAL_IDS)}


def back(tenant: Tenant) -> HttpResponse:
    """Lead back to the page."""
    return redirect("accounts:enforcement", tenant.slug)
