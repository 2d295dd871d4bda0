"""Who has access: on both platforms side by side, and reviewed line by line."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.domain import access as domain
from accounts.domain.access import DIFFERENCES, Difference, Verdict
from accounts.models import AccessLine, AccessReview, Tenant
from accounts.queries import access as queries
from accounts.queries.access import standing
from accounts.queries.access.unmapped import listed_twice
from accounts.services.access import UnableToDecide, UnableToReview, decisions, reviews, signing
from core.approvals import browser, seals
from core.domain.approvals import RequestState
from core.errors import UseCaseError
from core.permissions import Permission
from core.web import ActingRequest, tenant_view

PAGE, REVIEW, WRITING = "accounts/access.html", "accounts/access_review.html", "accounts/access_writing.html"
PER_PAGE = 50
USUALLY_DUE = timedelta(days=14)
_SAID = {
    "revoke": decisions.revoke, "agree": decisions.agree, "decline": decisions.decline, "reopen": decisions.reopen,
}  # fmt: skip


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def show(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show how many have more, less or the same access, and the reviews."""
    return _overview(request, tenant)


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def begin(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Freeze who has access now, to review it."""
    try:
        due_on = date.fromisoformat(request.POST.get("due_on", ""))
    except ValueError:
        problem = UnableToReview("Say by when everybody is to be decided about.", fix="Choose a day.")
        return _overview(request, tenant, problem=problem)
    try:
        review = reviews.begin(tenant_id=tenant.pk, due_on=due_on, by=request.actor, at=timezone.now())
    except UnableToReview as refusal:
        return _overview(request, tenant, problem=refusal)
    return redirect("accounts:access_review", tenant.slug, review.pk)


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def review(request: ActingRequest, tenant: Tenant, review_id: UUID) -> HttpResponse:
    """Show a review's lines and what was decided about each; before they are there, how far writing them down is."""
    found = find(tenant, review_id)
    if request.headers.get("HX-Request") == "true" and not found.is_being_written:
        return HttpResponseClientRefresh()
    return _review(request, tenant, found)


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def decide(request: ActingRequest, tenant: Tenant, review_id: UUID) -> HttpResponse:
    """Attest the chosen lines or all that are the same; or do to one line what its button says."""
    found, use = find(tenant, review_id), None
    posted = request.POST
    if "attest" in posted or "chosen" in posted or "same" in posted:
        ids = None if "same" in posted else _ids(posted.getlist("attest") or posted.getlist("line"))
        return _settled(request, tenant, found, lambda at: _attest(request, found, ids, at))
    for name, one in _SAID.items():
        if name in posted:
            use = one
            line = queries.lines(found).filter(pk__in=_ids([posted[name]])).first()
    if use is None or line is None:
        problem = UnableToDecide("Say what is to be done.", fix="Use one of the buttons.")
        return _review(request, tenant, found, problem=problem)
    return _settled(request, tenant, found, lambda at: _said(request, use(line=line, by=request.actor, at=at)))


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def finish(request: ActingRequest, tenant: Tenant, review_id: UUID) -> HttpResponse:
    """End a review once everybody is decided about."""
    found = find(tenant, review_id)

    def end(at: datetime) -> None:
        reviews.finish(review=found, by=request.actor, at=at)
        messages.success(request, "The review is finished. Sign its summary, and it counts as evidence.")

    return _settled(request, tenant, found, end)


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def abandon(request: ActingRequest, tenant: Tenant, review_id: UUID) -> HttpResponse:
    """End a review undecided, with the reason."""
    found, reason = find(tenant, review_id), request.POST.get("reason", "")

    def end(at: datetime) -> None:
        reviews.abandon(review=found, reason=reason, by=request.actor, at=at)
        messages.success(request, "The review is abandoned.")

    return _settled(request, tenant, found, end)


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def ask_to_sign(request: ActingRequest, tenant: Tenant, review_id: UUID) -> HttpResponse:
    """Ask once more for the signature, when it was not given in time."""
    found = find(tenant, review_id)
    ask = partial(signing.ask_again, review=found, by=request.actor)
    return _settled(request, tenant, found, lambda at: ask(at=at))


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def begin_signing(request: ActingRequest, tenant: Tenant, review_id: UUID) -> HttpResponse:
    """Issue the statement for the passkey."""
    return browser.begin(request, partial(signing.begin, review=find(tenant, review_id), by=request.actor))


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def sign(request: ActingRequest, tenant: Tenant, review_id: UUID) -> HttpResponse:
    """Take the signature under a finished review's summary."""
    found = find(tenant, review_id)
    here = reverse("accounts:access_review", args=[tenant.slug, found.pk])
    take = partial(signing.sign, review=found, by=request.actor)
    return browser.sign(
        request, take, here=here, refuse=lambda refusal: _review(request, tenant, found, problem=refusal)
    )


def _attest(request: ActingRequest, found: AccessReview, ids: list[UUID] | None, at: datetime) -> None:
    if ids is not None and not ids:
        raise UnableToDecide("Nobody is chosen.", fix="Choose at least one person.")
    done = decisions.attest(review=found, line_ids=ids, by=request.actor, at=at)
    if done.count:
        messages.success(request, f"Attested: {done.count:,} {'person' if done.count == 1 else 'people'}.")
    if done.changed:
        messages.warning(
            request,
            f"{done.changed:,} {'has' if done.changed == 1 else 'have'} another role than when the review began. "
            "The list shows it now; look again.",
        )
    if not done.count and not done.changed:
        messages.info(request, "There was nobody left whom you could attest so.")


def _said(request: ActingRequest, line: AccessLine) -> None:
    words = {
        Verdict.REVOKED: f"{line.name} has no access to Crossing any more.",
        Verdict.ASKED: f"{line.name} is an owner: a second owner has to agree.",
        Verdict.OPEN: f"{line.name} keeps their access for now, and is to be decided about.",
    }
    messages.success(request, words[Verdict(line.verdict)])


def _settled(
    request: ActingRequest, tenant: Tenant, found: AccessReview, use: Callable[[datetime], object]
) -> HttpResponse:
    try:
        use(timezone.now())
    except UseCaseError as refusal:
        return _review(request, tenant, found, problem=refusal)
    to = redirect("accounts:access_review", tenant.slug, found.pk)
    kept = request.GET.copy()
    kept.pop("choose", None)
    if kept:
        to["Location"] += f"?{kept.urlencode()}"
    return to


def find(tenant: Tenant, review_id: UUID) -> AccessReview:
    """Return a review of the tenant; raises Http404 for any other."""
    found = queries.reviews(tenant_id=tenant.pk).filter(pk=review_id).first()
    if found is None:
        raise Http404
    return found


def _ids(texts: Iterable[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def _overview(request: ActingRequest, tenant: Tenant, *, problem: UseCaseError | None = None) -> HttpResponse:
    now = standing.counts(tenant_id=tenant.pk)
    page = Paginator(queries.told(tenant_id=tenant.pk), PER_PAGE).get_page(request.GET.get("page"))
    open_one = queries.open_one(tenant_id=tenant.pk)
    today = timezone.now().astimezone(ZoneInfo(tenant.time_zone)).date()
    context = {
        "tenant": tenant,
        "people": now.people,
        "counts": [(DIFFERENCES[each], count) for each, count in now.by_difference.items()],
        "stuck": now.stuck,
        "open": open_one,
        "progress": queries.progress(open_one) if open_one else None,
        "page": page,
        "due_on": request.POST.get("due_on", "")[:10] or (today + USUALLY_DUE).isoformat(),
        "today": today,
        "problem": problem,
        "may_review": request.actor.can(Permission.MANAGE_MEMBERS, tenant_id=tenant.pk),
    }
    return render(request, PAGE, context, status=problem.status if problem else 200)


def _review(
    request: ActingRequest, tenant: Tenant, found: AccessReview, *, problem: UseCaseError | None = None
) -> HttpResponse:
    if not found.people:
        return _unwritten(request, tenant, found, problem=problem)
    chosen, only_open = request.GET.get("difference", ""), request.GET.get("left") == "1"
    chosen = chosen if chosen in DIFFERENCES else ""
    rows = queries.lines(found, difference=chosen)
    if only_open:
        rows = rows.filter(verdict__in=(Verdict.OPEN, Verdict.ASKED))
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    choices = queries.choices(page, review=found, by=request.actor)
    counts, at = queries.by_difference(found), timezone.now()
    may_review = request.actor.can(Permission.MANAGE_MEMBERS, tenant_id=tenant.pk)
    context = {
        "tenant": tenant,
        "review": found,
        "progress": queries.progress(found),
        "since": queries.since(found) if found.is_open else None,
        "page": page,
        "rows": choices,
        "may_attest": any(choice.may_attest for choice in choices),
        "any_elsewhere": any(choice.is_elsewhere for choice in choices),
        "twice": listed_twice(page, tenant_id=tenant.pk),
        "tabs": [(each.value, said.title, sum(counts.get(each, {}).values())) for each, said in DIFFERENCES.items()],
        "chosen": chosen,
        "only_open": only_open,
        "all_chosen": request.GET.get("choose") == "1",
        "meaning": DIFFERENCES[Difference(chosen)].meaning if chosen else "",
        "same_left": counts.get(Difference.SAME, {}).get(Verdict.OPEN, 0),
        "names": queries.names(
            [
                *(each for line in page for each in (line.decided_by, line.agreed_by)),
                found.begun_by, found.finished_by, found.abandoned_by,
            ]
        ),
        "me": request.actor.id,
        "today": at.astimezone(ZoneInfo(tenant.time_zone)).date(),
        "problem": problem,
        "may_review": may_review and found.is_open,
        "reason": request.POST.get("reason", "")[: domain.LONGEST_REASON],
        **(_signature(request, found, may_sign=may_review, at=at) if found.finished_at else {}),
    }  # fmt: skip
    return render(request, REVIEW, context, status=problem.status if problem else 200)


def _unwritten(
    request: ActingRequest, tenant: Tenant, found: AccessReview, *, problem: UseCaseError | None
) -> HttpResponse:
    """Show a review without lines: how far writing them down is, or that it never began."""
    context = {
        "tenant": tenant,
        "review": found,
        "job": queries.writing(found),
        "problem": problem,
        "may_review": found.is_open and request.actor.can(Permission.MANAGE_MEMBERS, tenant_id=tenant.pk),
        "reason": request.POST.get("reason", "")[: domain.LONGEST_REASON],
    }
    part = request.headers.get("HX-Request") == "true" and request.method == "GET"
    response = render(
        request, f"{WRITING}#writing" if part else WRITING, context, status=problem.status if problem else 200
    )
    patch_vary_headers(response, ["HX-Request"])
    return response


def _signature(request: ActingRequest, found: AccessReview, *, may_sign: bool, at: datetime) -> dict[str, object]:
    """Return what the page says of the signature under the summary, and how this person could give it."""
    asked = queries.request_of(found)
    is_open = asked is not None and asked.state == RequestState.OPEN and at < asked.expires_at
    return {
        "asked": asked,
        "signature": queries.signed(found),
        "may_sign": may_sign and is_open,
        "may_ask": may_sign and not is_open and queries.last_finished(tenant_id=found.tenant_id) == found,
        "server_key": seals.public_key().hex(),
        **(browser.context(request, at=at) if may_sign and is_open else {}),
    }
