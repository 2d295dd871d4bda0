"""Why can't I …: a question, the trail that answers it, and a request for what is missing.

Whoever asks for a colleague types an e-mail address, which is posted: the page's address holds the member's id
(`docs/adr/0047-what-staff-search-for.md`).
"""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.queries.members import Member
from accounts.queries.tenants import Tenant
from core.errors import NotFound, UseCaseError
from core.permissions import Permission
from core.web import ActingRequest, tenant_view
from entitlements.queries import abilities, answers, decisions
from entitlements.services import access

PAGE = "entitlements/why.html"


@require_safe
@tenant_view(Permission.VIEW_TENANT)
def show(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show the questions, and the answer to the one that is asked; an e-mail address in a former link is dropped."""
    given = request.GET.dict()
    if given.pop("who", ""):
        messages.warning(request, "Links no longer name people by their e-mail address. Enter the address below.")
        return redirect(_address(tenant, **_kept(given)))
    return render(request, PAGE, _context(request, tenant, given=given))


@require_POST
@tenant_view(Permission.VIEW_TENANT)
def search(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Look for questions, and for whom they are asked; the address led to holds a member's id, not their e-mail."""
    kept, who = _kept(request.POST.dict()), _typed(request.POST.get("who", ""), 254)
    kept.pop("member", None)
    if who and request.actor.can(Permission.VIEW_MEMBERS, tenant_id=tenant.pk):
        member = decisions.find_member(tenant_id=tenant.pk, email=who)
        if member is None:
            context = _context(request, tenant, given=kept | {"ask": ""})
            problem = _stranger("Nobody with this address belongs to your account.")
            context |= {"problem": problem, "who": who, "asked": kept.get("ask", "")}
            return render(request, PAGE, context, status=access.UnableToAsk.status)
        kept["member"] = str(member.pk)
    return redirect(_address(tenant, **kept))


@require_POST
@tenant_view(Permission.VIEW_TENANT)
def ask(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Ask for what is missing; a refusal is the page with its reason and what was typed."""
    ability, reason = _typed(request.POST.get("ask", ""), 100), _typed(request.POST.get("reason", ""), access.LONGEST)
    try:
        access.ask(tenant_id=tenant.pk, ability_id=ability, reason=reason, by=request.actor, at=timezone.now())
    except access.UnableToAsk as refusal:
        context = _context(request, tenant, given={"ask": ability})
        return render(request, PAGE, {**context, "problem": refusal, "typed": reason}, status=refusal.status)
    messages.success(request, "Your request is on its way. You read the answer here.")
    return redirect(_address(tenant, ask=ability))


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def grant(request: ActingRequest, tenant: Tenant, access_id: UUID) -> HttpResponse:
    """Grant a member's request."""
    return _answered(request, tenant, access_id, access.grant, done="granted")


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def decline(request: ActingRequest, tenant: Tenant, access_id: UUID) -> HttpResponse:
    """Decline a member's request."""
    return _answered(request, tenant, access_id, access.decline, done="declined")


def _answered(
    request: ActingRequest, tenant: Tenant, access_id: UUID, use: Callable[..., object], *, done: str
) -> HttpResponse:
    row = decisions.find_request(tenant_id=tenant.pk, request_id=access_id)
    if row is None:
        raise NotFound
    try:
        use(
            request=row,
            answer=_typed(request.POST.get("answer", ""), access.LONGEST),
            by=request.actor,
            at=timezone.now(),
        )
    except access.UnableToAnswer as refusal:
        context = {**_context(request, tenant, given={}), "problem": refusal}
        return render(request, PAGE, context, status=refusal.status)
    messages.success(request, f"{row.member.user} reads your answer here: {done}.")
    return redirect(_address(tenant))


def _context(request: ActingRequest, tenant: Tenant, *, given: dict[str, str]) -> dict[str, object]:
    at = timezone.now()
    may_see_members = request.actor.can(Permission.VIEW_MEMBERS, tenant_id=tenant.pk)
    may_answer = request.actor.can(Permission.MANAGE_MEMBERS, tenant_id=tenant.pk)
    me = decisions.member_of(tenant_id=tenant.pk, user_id=request.actor.known_id)
    whom, search = _typed(given.get("member", ""), 36) if may_see_members else "", _typed(given.get("q", ""), 100)
    member: Member | None = _member(tenant, whom) if whom else me
    asked = _typed(given.get("ask", ""), 100)
    told = decisions.answer(member=member, ability_id=asked, at=at) if asked and member else None
    problem: UseCaseError | None = None
    if whom and member is None:
        problem = _stranger("The person in this link does not belong to your account.")
    elif asked and told is None:
        problem = access.UnableToAsk("Nobody knows this question.", fix="Choose one from the list.")
    return {
        "tenant": tenant,
        "problem": problem,
        "search": search,
        "who": member.user.email if whom and member else "",
        "whom": whom,
        "asked": asked,
        "questions": abilities.catalogue(search),
        "told": answers.page(told, is_me=me is not None and told.member.pk == me.pk) if told else None,
        "mine": answers.requests(decisions.requests_of(member=me)) if me else [],
        "waiting": answers.requests(decisions.open_requests(tenant_id=tenant.pk)) if may_answer else [],
        "may_see_members": may_see_members,
    }


def _kept(given: dict[str, str]) -> dict[str, str]:
    """Return what of a query the page's address keeps."""
    kept = {name: _typed(given.get(name, ""), 100) for name in ("ask", "q", "member")}
    return {name: value for name, value in kept.items() if value}


def _member(tenant: Tenant, whom: str) -> Member | None:
    try:
        member_id = UUID(whom)
    except ValueError:
        return None
    return decisions.member_by_id(tenant_id=tenant.pk, member_id=member_id)


def _stranger(words: str) -> access.UnableToAsk:
    return access.UnableToAsk(words, fix="Look at the list of members.")


def _typed(text: str, most: int) -> str:
    """Return what was typed as the database can hold it: no NUL, no more than fits."""
    return text.replace("\x00", "").strip()[:most]


def _address(tenant: Tenant, **query: str) -> str:
    return reverse("entitlements:why", args=[tenant.slug], query=query or None)
