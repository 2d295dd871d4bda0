"""The programme's live dashboard for the vendor's people, as a page and as a table for a spreadsheet."""

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.permissions import Permission
from core.sheets import csv_response
from core.web import ActingRequest, staff_view
from portal.dashboard.queries import areas, programme
from portal.dashboard.queries.programme import Filters, Row

PAGE = "portal/programme.html"
ROWS_PER_PAGE = 40
_FIRST = ("account", "phase", "days in phase", "window from (UTC)", "window until (UTC)", "wave", "runbook owner")
_LAST = ("blockers", "exceptions", "rollback", "next action", "whose turn", "due")


@require_safe
@staff_view(Permission.VIEW_PROGRAMME, reason="the programme's dashboard")
def dashboard(request: ActingRequest) -> HttpResponse:
    """Show every account that fits, fifty at a time."""
    at, filters = timezone.now(), Filters.read(request.GET)
    page = Paginator(programme.listed(filters, at=at), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": programme.rows([*page.object_list], at=at),
        "areas": areas.shown(),
        "filters": filters,
        "choices": programme.choices(),
        "now": at,
    }
    return render(request, PAGE, context)


@require_safe
@staff_view(Permission.VIEW_PROGRAMME, reason="export the programme's dashboard")
def as_csv(request: ActingRequest) -> HttpResponseBase:
    """Send every account that fits, a line each; streamed, so that its size does not matter."""
    at, filters, shown = timezone.now(), Filters.read(request.GET), areas.shown()
    return csv_response(
        name=f"programme-{at:%Y-%m-%d}.csv",
        header=(*_FIRST, *(area.title for area in shown), *_LAST),
        rows=(_line(row) for row in programme.every_row(filters, at=at)),
    )


def _line(row: Row) -> tuple[object, ...]:
    cutover, following = row.cutover, row.next
    return (
        row.tenant.name,
        row.phase.label,
        row.days_in_phase,
        f"{cutover.window_starts_at:%Y-%m-%d %H:%M}" if cutover.window_starts_at else "",
        f"{cutover.window_ends_at:%Y-%m-%d %H:%M}" if cutover.window_ends_at else "",
        cutover.wave,
        cutover.runbook_owner or "",
        *(cell.words for cell in row.cells),
        row.blockers,
        row.exceptions,
        "rehearsed" if row.is_rehearsed else "not yet",
        following.title if following else "",
        following.owner if following else "",
        following.due_on or following.due if following else "",
    )
