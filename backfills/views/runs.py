"""What has moved: every entity with its run, where its rows ended, and what to do about rejected ones."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from accounts.queries.tenants import Tenant
from backfills import barriers
from backfills.domain import lag, wording
from backfills.domain.judgement import Fate
from backfills.models import Run
from backfills.queries import files, standing, waivers
from backfills.queries import lag as lags
from backfills.queries import runs as listed
from backfills.services import retries, runs
from core import holds
from core.charts import Point
from core.errors import UseCaseError
from core.findings import Outcome
from core.permissions import Permission
from core.web import ActingRequest, answer, tenant_view

PAGE = "backfills/runs.html"
PART = f"{PAGE}#moves"
ENTITY = "backfills/entity.html"
LETTERS_PER_PAGE = 25


@require_safe
@tenant_view(Permission.VIEW_RUNS)
def listing(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show every entity; to htmx only the part that asks again while something moves."""
    response = render(request, PART if request.headers.get("HX-Request") else PAGE, _context(request, tenant))
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@tenant_view(Permission.VIEW_RUNS)
def entity(request: ActingRequest, tenant: Tenant, entity: str) -> HttpResponse:
    """Show where every row of one entity ended, and which were rejected."""
    row = listed.of_entity(tenant_id=tenant.pk, entity=entity)
    if row is None:
        raise Http404
    standing = waivers.standing(tenant_ids=[tenant.pk], at=timezone.now())
    letters = listed.letters(row).annotate(is_waived=waivers.is_waived(standing))
    page = Paginator(letters, LETTERS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "tenant": tenant,
        "row": row,
        "points": [Point(one.words.title, one.count, is_bad=one.fate == Fate.QUARANTINED) for one in row.outcomes],
        "letters": page,
        "batches": listed.batches(row),
        "retries": listed.retries(row),
        "waivers": waivers.of_entity(standing.get(tenant.pk, ()), entity),
        **_held(tenant, row.held),
        "may_manage": _may_manage(request, tenant),
        "shut": barriers.why_shut(tenant_id=tenant.pk),
    }
    return render(request, ENTITY, context)


@require_safe
@tenant_view(Permission.VIEW_RUNS)
def rejected(request: ActingRequest, tenant: Tenant, entity: str) -> StreamingHttpResponse | HttpResponse:
    """Answer the rejected rows as CSV: which row, which column, why, what to do. No other value of a row."""
    row = listed.of_entity(tenant_id=tenant.pk, entity=entity)
    if row is None:
        raise Http404
    return StreamingHttpResponse(
        files.rejected(row),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{tenant.slug}-{entity}-rejected.csv"'},
    )


@require_POST
@tenant_view(Permission.MANAGE_RUNS)
def start(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Start a run of one entity, or of all; of all rows, or (`catch_up`) of those that changed."""
    wanted, catch_up = request.POST.get("entity"), request.POST.get("catch_up") == "1"
    problem, left = None, ""
    try:
        begun = runs.start(
            tenant_id=tenant.pk,
            by=request.actor,
            at=timezone.now(),
            entities=[wanted] if wanted else None,
            catch_up=catch_up,
        )
        left = listed.left_out(tenant_id=tenant.pk, begun=begun) if not (wanted or catch_up) else ""
    except UseCaseError as refusal:
        problem = refusal
    if left and not request.headers.get("HX-Request"):
        messages.warning(request, left)
    return answer(request, PART, {**_context(request, tenant), "left": left}, to=_address(tenant), problem=problem)


@require_POST
@tenant_view(Permission.MANAGE_RUNS)
def pause(request: ActingRequest, tenant: Tenant, run_id: UUID) -> HttpResponse:
    """Let a run stop after its batch."""
    return _steer(request, tenant, run_id, runs.pause)


@require_POST
@tenant_view(Permission.MANAGE_RUNS)
def resume(request: ActingRequest, tenant: Tenant, run_id: UUID) -> HttpResponse:
    """Let a paused run go on."""
    return _steer(request, tenant, run_id, runs.resume)


@require_POST
@tenant_view(Permission.MANAGE_RUNS)
def cancel(request: ActingRequest, tenant: Tenant, run_id: UUID) -> HttpResponse:
    """End a run early, for good."""
    return _steer(request, tenant, run_id, runs.cancel)


@require_POST
@tenant_view(Permission.MANAGE_RUNS)
def retry(request: ActingRequest, tenant: Tenant, run_id: UUID) -> HttpResponse:
    """Try the rejected rows of a run again."""
    return _steer(request, tenant, run_id, retries.request)


def _steer(request: ActingRequest, tenant: Tenant, run_id: UUID, use_case: Callable[..., Run]) -> HttpResponse:
    run = listed.find(tenant_id=tenant.pk, run_id=run_id)
    if run is None:
        raise Http404
    problem = None
    try:
        use_case(run=run, by=request.actor, at=timezone.now())
    except UseCaseError as refusal:
        problem = refusal
    return answer(request, PART, _context(request, tenant), to=_address(tenant), problem=problem)


def _context(request: ActingRequest, tenant: Tenant) -> dict[str, object]:
    at = timezone.now()
    moves, behind = listed.moves(tenant_id=tenant.pk), lags.behind(tenant_id=tenant.pk, at=at)
    keeps = standing.of_tenant(tenant_id=tenant.pk, at=at)
    return {
        "tenant": tenant,
        "moves": moves,
        "table": [(row, behind.words_of(row.spec.entity), row.seconds_left(keeps.pace, at=at)) for row in moves.rows],
        "behind": behind,
        "unseen": lag.UNSEEN,
        "standing": keeps,
        "followed": standing.followed(),
        "why_not": _why_not(tenant, behind),
        **_held(tenant, moves.held),
        "may_manage": _may_manage(request, tenant),
        "shut": behind.shut,
    }


def _why_not(tenant: Tenant, behind: lags.Behind) -> str:
    """Say why what is late cannot be caught up; nothing is asked while nothing is late."""
    if behind.worst is None or behind.outcome is Outcome.PASS:
        return ""
    return standing.why_not(tenant_id=tenant.pk, entities=[behind.worst.entity])


def _held(tenant: Tenant, number: int) -> dict[str, object]:
    """Return what the pages say of a legal hold, and of how many objects are held."""
    stands = holds.is_legally_held(tenant_id=tenant.pk, at=timezone.now())
    return {"is_held": stands, "held": wording.held(number, stands=stands)}


def _may_manage(request: ActingRequest, tenant: Tenant) -> bool:
    return request.actor.can(Permission.MANAGE_RUNS, tenant_id=tenant.pk)


def _address(tenant: Tenant) -> str:
    return reverse("backfills:runs", args=[tenant.slug])
