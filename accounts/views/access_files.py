"""Who has access, as files: read while they are sent, so that a hundred thousand people fit into little memory."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.domain.access import DIFFERENCES, Access, ways_in_words
from accounts.models import AccessLine, AccessReview, Tenant
from accounts.queries import access as queries
from accounts.queries.access import standing
from accounts.services.access import reviews, signing
from accounts.views.access import find
from core import pdf
from core.actor import Actor
from core.permissions import Permission
from core.sheets import csv_response, xlsx_response
from core.web import ActingRequest, tenant_view

PAPER = "accounts/access_paper.html"
MOST_ON_PAPER = 300
"""People that a PDF shows: a hundred lines take it a second. The other files have them all."""
FORMS = ("csv", "xlsx", "pdf")
COLUMNS = (
    "Name", "E-mail address", "Role on the legacy platform", "Role on the new platform", "Role in Crossing",
    "Difference", "How they sign in", "Last seen",
)  # fmt: skip
DECIDED = ("Decision", "Decided", "By", "Second owner", "Changed since")


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def export(request: ActingRequest, tenant: Tenant, form: str) -> HttpResponseBase:
    """Send who has which access now as a file."""
    if form not in FORMS:
        raise Http404
    return of_now(tenant, form, by=request.actor, at=timezone.now())


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def export_review(request: ActingRequest, tenant: Tenant, review_id: UUID, form: str) -> HttpResponseBase:
    """Send a review with what was decided as a file; as `jsonl` the very bytes whose digest is signed."""
    review, at = find(tenant, review_id), timezone.now()
    if not review.people:
        raise Http404
    if form == "jsonl" and review.finished_at is not None:
        lines_in_bytes = reviews.record_lines(review=review, by=request.actor, at=at)
        headers = _headers(f"{_name(tenant, review)}.jsonl")
        return StreamingHttpResponse(lines_in_bytes, content_type="application/jsonl", headers=headers)
    if form not in FORMS:
        raise Http404
    return of_review(tenant, review, form, by=request.actor, at=at)


@require_safe
@tenant_view(Permission.VIEW_EVIDENCE)
def pack(request: ActingRequest, tenant: Tenant, review_id: UUID) -> HttpResponse:
    """Download the signed summary of a review with its verifier."""
    found = find(tenant, review_id)
    if found.approval_id is None:
        raise Http404
    name, body = signing.export(review=found, by=request.actor, at=timezone.now())
    return HttpResponse(body, content_type="application/zip", headers=_headers(f"{tenant.slug}-{name}"))


def of_now(tenant: Tenant, form: str, *, by: Actor, at: datetime) -> HttpResponseBase:
    """Return who has which access now as a download of one of `FORMS`."""
    people = reviews.listed(tenant_id=tenant.pk, form=form, by=by, at=at)
    rows = (_row(one, tenant) for one in people)
    count = standing.counts(tenant_id=tenant.pk).people if form == "pdf" else 0
    return _file(tenant, f"access-{tenant.slug}", form, at, COLUMNS, rows, people=count)


def of_review(tenant: Tenant, review: AccessReview, form: str, *, by: Actor, at: datetime) -> HttpResponseBase:
    """Return a review with what was decided as a download of one of `FORMS`."""
    lines = reviews.lines(review=review, form=form, by=by, at=at)
    names = queries.deciders(review)
    rows = ((*_frozen_row(line, tenant), *_decision(line, names, tenant)) for line in lines)
    name, header = _name(tenant, review), (*COLUMNS, *DECIDED)
    return _file(tenant, name, form, at, header, rows, people=review.people, review=review)


def _name(tenant: Tenant, review: AccessReview) -> str:
    return f"access-review-{tenant.slug}-{review.begun_at:%Y-%m-%d}"


def _headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}


def _file(
    tenant: Tenant, name: str, form: str, at: datetime, header: Sequence[str], rows: Iterable[Sequence[str]],
    *, people: int, review: AccessReview | None = None,
) -> HttpResponseBase:  # fmt: skip
    if form == "csv":
        return csv_response(name=f"{name}.csv", header=header, rows=rows)
    if form == "xlsx":
        return xlsx_response(name=f"{name}.xlsx", sheets=[("Access", header, rows)], at=at)
    shown = {"tenant": tenant, "at": at, "header": header, "rows": list(islice(rows, MOST_ON_PAPER)), "people": people}
    signature = queries.signed(review) if review else None
    html = render_to_string(PAPER, {**shown, "review": review, "signature": signature})
    body = pdf.render(html, digest=hashlib.sha256(html.encode()).hexdigest())
    headers = _headers(f"{name}.pdf")
    return HttpResponse(body, content_type="application/pdf", headers=headers)


def _row(one: Access, tenant: Tenant) -> tuple[str, ...]:
    held = one.standing
    ways = ways_in_words(one.ways) if one.member_id else ""  # only members sign in here
    told = (held.old_role, held.platform_role, held.role, DIFFERENCES[held.difference].title, ways)
    return (one.name, one.email, *told, _moment(one.seen_at, tenant))


def _frozen_row(line: AccessLine, tenant: Tenant) -> tuple[str, ...]:
    ways = line.ways_in_words if line.member_id else ""
    told = (line.old_role, line.platform_role, line.role, line.get_difference_display(), ways)
    return (line.name, line.email, *told, _moment(line.seen_at, tenant))


def _decision(line: AccessLine, names: dict[UUID, str], tenant: Tenant) -> tuple[str, ...]:
    by, second = (names.get(each, "") if each else "" for each in (line.decided_by, line.agreed_by))
    now = (line.role_now or "no access") if line.has_changed else ""
    return line.get_verdict_display(), _moment(line.decided_at, tenant), by, second, now


def _moment(at: datetime | None, tenant: Tenant) -> str:
    return at.astimezone(ZoneInfo(tenant.time_zone)).strftime("%Y-%m-%d %H:%M %Z") if at else ""
