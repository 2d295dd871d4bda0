"""Who has access: on both platforms side by side, as files, and reviewed line by line."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.access import DIFFERENCES, NO_WAY, Access, Difference, Verdict, ways_in_words
from accounts.models import AccessLine, AccessReview, Tenant
from accounts.queries import access as queries
from accounts.services import access
from core import pdf
from core.errors import UseCaseError
from core.permissions import Permission
from core.sheets import csv_response, xlsx_response
from core.web import ActingRequest, tenant_view

PAGE, REVIEW, PAPER = "accounts/access.html", "accounts/access_review.html", "accounts/access_paper.html"
PER_PAGE = 50
MOST_ON_PAPER = 300
"""People that a PDF shows: a hundred lines take it a second. The other files have them all."""
USUALLY_DUE = timedelta(days=14)
FORMS = ("csv", "xlsx", "pdf")
COLUMNS = (
    "Name", "E-mail address", "Role on the old platform", "Role on the new platform", "Role in Crossing", "Difference",
    "How they sign in", "Last seen",
)  # fmt: skip
DECIDED = ("Decision", "Decided", "By", "Second owner")


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def show(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show how many have more, less or the same access, and the reviews."""
    return _overview(request, tenant)


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def export(request: ActingRequest, tenant: Tenant, form: str) -> HttpResponseBase:
    """Send who has which access now as a file."""
    if form not in FORMS:
        raise Http404
    at = timezone.now()
    people = access.listed(tenant_id=tenant.pk, form=form, by=request.actor, at=at)
    rows = [_row(one, tenant) for one in people]
    return _file(tenant, f"access-{tenant.slug}", form, at, COLUMNS, rows)


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def export_review(request: ActingRequest, tenant: Tenant, review_id: UUID, form: str) -> HttpResponseBase:
    """Send a review with what was decided as a file."""
    if form not in FORMS:
        raise Http404
    review, at = _find(tenant, review_id), timezone.now()
    lines = access.lines(review=review, form=form, by=request.actor, at=at)
    names = queries.names(each for line in lines for each in (line.decided_by, line.agreed_by))
    rows = [(*_frozen_row(line, tenant), *_decision(line, names, tenant)) for line in lines]
    name = f"access-review-{tenant.slug}-{review.begun_at:%Y-%m-%d}"
    return _file(tenant, name, form, at, (*COLUMNS, *DECIDED), rows, review=review)


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def begin(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Freeze who has access now, to review it."""
    try:
        due_on = date.fromisoformat(request.POST.get("due_on", ""))
    except ValueError:
        problem = access.UnableToReview("Say by when everybody is to be decided about.", fix="Choose a day.")
        return _overview(request, tenant, problem=problem)
    try:
        review = access.begin(tenant_id=tenant.pk, due_on=due_on, by=request.actor, at=timezone.now())
    except access.UnableToReview as refusal:
        return _overview(request, tenant, problem=refusal)
    return redirect("accounts:access_review", tenant.slug, review.pk)


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def review(request: ActingRequest, tenant: Tenant, review_id: UUID) -> HttpResponse:
    """Show a review's lines and what was decided about each."""
    return _review(request, tenant, _find(tenant, review_id))


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def decide(request: ActingRequest, tenant: Tenant, review_id: UUID) -> HttpResponse:
    """Attest the chosen lines or all that are the same; or do to one line what its button says."""
    found, use = _find(tenant, review_id), None
    posted = request.POST
    if "attest" in posted or "chosen" in posted or "same" in posted:
        ids = None if "same" in posted else _ids(posted.getlist("attest") or posted.getlist("line"))
        return _settled(request, tenant, found, lambda at: _attest(request, found, ids, at))
    for name, one in (("revoke", access.revoke), ("agree", access.agree), ("decline", access.decline)):
        if name in posted:
            use = one
            line = queries.lines(found).filter(pk__in=_ids([posted[name]])).first()
    if use is None or line is None:
        problem = access.UnableToDecide("Say what is to be done.", fix="Use one of the buttons.")
        return _review(request, tenant, found, problem=problem)
    return _settled(request, tenant, found, lambda at: _said(request, use(line=line, by=request.actor, at=at)))


@require_POST
@tenant_view(Permission.MANAGE_MEMBERS)
def finish(request: ActingRequest, tenant: Tenant, review_id: UUID) -> HttpResponse:
    """End a review once everybody is decided about."""
    found = _find(tenant, review_id)

    def end(at: datetime) -> None:
        access.finish(review=found, by=request.actor, at=at)
        messages.success(request, "The review is finished.")

    return _settled(request, tenant, found, end)


def _attest(request: ActingRequest, found: AccessReview, ids: list[UUID] | None, at: datetime) -> None:
    if ids is not None and not ids:
        raise access.UnableToDecide("Nobody is chosen.", fix="Choose at least one person.")
    done = access.attest(review=found, line_ids=ids, by=request.actor, at=at)
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
    }
    messages.success(request, words.get(Verdict(line.verdict), f"{line.name} keeps their access for now."))


def _settled(
    request: ActingRequest, tenant: Tenant, found: AccessReview, use: Callable[[datetime], object]
) -> HttpResponse:
    try:
        use(timezone.now())
    except UseCaseError as refusal:
        return _review(request, tenant, found, problem=refusal)
    to = redirect("accounts:access_review", tenant.slug, found.pk)
    if request.GET:
        to["Location"] += f"?{request.GET.urlencode()}"
    return to


def _find(tenant: Tenant, review_id: UUID) -> AccessReview:
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
    people = queries.everybody(tenant_id=tenant.pk)
    page = Paginator(queries.reviews(tenant_id=tenant.pk), PER_PAGE).get_page(request.GET.get("page"))
    open_one = queries.open_one(tenant_id=tenant.pk)
    today = timezone.now().astimezone(ZoneInfo(tenant.time_zone)).date()
    context = {
        "tenant": tenant,
        "people": len(people),
        "counts": [(DIFFERENCES[each], count) for each, count in queries.counts(people)],
        "stuck": sum(one.member_id is not None and not one.ways for one in people),
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
    chosen, only_open = request.GET.get("difference", ""), request.GET.get("left") == "1"
    chosen = chosen if chosen in DIFFERENCES else ""
    rows = queries.lines(found, difference=chosen)
    if only_open:
        rows = rows.filter(verdict__in=(Verdict.OPEN, Verdict.ASKED))
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    counts = queries.by_difference(found)
    may_review = request.actor.can(Permission.MANAGE_MEMBERS, tenant_id=tenant.pk)
    context = {
        "tenant": tenant,
        "review": found,
        "progress": queries.progress(found),
        "page": page,
        "tabs": [(each.value, said.title, sum(counts.get(each, {}).values())) for each, said in DIFFERENCES.items()],
        "chosen": chosen,
        "only_open": only_open,
        "meaning": DIFFERENCES[Difference(chosen)].meaning if chosen else "",
        "same_left": counts.get(Difference.SAME, {}).get(Verdict.OPEN, 0),
        "names": queries.names(
            [*(each for line in page for each in (line.decided_by, line.agreed_by)), found.begun_by]
        ),
        "me": request.actor.id,
        "today": timezone.now().astimezone(ZoneInfo(tenant.time_zone)).date(),
        "problem": problem,
        "may_review": may_review and found.finished_at is None,
    }
    return render(request, REVIEW, context, status=problem.status if problem else 200)


def _file(
    tenant: Tenant, name: str, form: str, at: datetime, header: Sequence[str], rows: Sequence[Sequence[str]],
    *, review: AccessReview | None = None,
) -> HttpResponseBase:  # fmt: skip
    if form == "csv":
        return csv_response(name=f"{name}.csv", header=header, rows=rows)
    if form == "xlsx":
        return xlsx_response(name=f"{name}.xlsx", sheets=[("Access", header, rows)], at=at)
    shown = {"tenant": tenant, "at": at, "header": header, "rows": rows[:MOST_ON_PAPER], "people": len(rows)}
    html = render_to_string(PAPER, {**shown, "review": review})
    body = pdf.render(html, digest=hashlib.sha256(html.encode()).hexdigest())
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(body, content_type="application/pdf", headers=headers)


def _row(one: Access, tenant: Tenant) -> tuple[str, ...]:
    held = one.standing
    ways = ways_in_words(one.ways) if one.member_id else NO_WAY
    told = (held.old_role, held.platform_role, held.role, DIFFERENCES[held.difference].title, ways)
    return (one.name, one.email, *told, _moment(one.seen_at, tenant))


def _frozen_row(line: AccessLine, tenant: Tenant) -> tuple[str, ...]:
    told = (line.old_role, line.platform_role, line.role, line.get_difference_display(), line.ways_in_words)
    return (line.name, line.email, *told, _moment(line.seen_at, tenant))


def _decision(line: AccessLine, names: dict[UUID, str], tenant: Tenant) -> tuple[str, ...]:
    by, second = (names.get(each, "") if each else "" for each in (line.decided_by, line.agreed_by))
    return line.get_verdict_display(), _moment(line.decided_at, tenant), by, second


def _moment(at: datetime | None, tenant: Tenant) -> str:
    return at.astimezone(ZoneInfo(tenant.time_zone)).strftime("%Y-%m-%d %H:%M %Z") if at else ""
