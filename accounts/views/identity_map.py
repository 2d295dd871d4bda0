"""People: who of legacy is whom on the new platform, how each account came to be, and what is decided about them."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain.identity_map import sheets
from accounts.domain.identity_map.decisions import WORDS, Kind
from accounts.domain.identity_map.outcomes import OUTCOMES, RULES, Outcome, Rule
from accounts.models import LegacyPerson, PersonDecision, Tenant
from accounts.queries import identity_map as queries
from accounts.services.identity_map import bulk, checkpoints, decisions, runs
from core.errors import UseCaseError
from core.permissions import Permission
from core.sheets import csv_response
from core.web import ActingRequest, tenant_view

LIST, PERSON = "accounts/people.html", "accounts/person.html"
DECISIONS, BULK, LINK = "accounts/people_decisions.html", "accounts/people_bulk.html", "accounts/tenant_link.html"
TITLES = {outcome.value: look.one for outcome, look in OUTCOMES.items()}
PER_PAGE = 50
CHECKPOINTS_A_PAGE = 10
MOST_FLAWS = 100
MOST_GONE = 25


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(Permission.VIEW_MEMBERS)
def listing(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show how many people are where, and some of them; what is searched for is posted, for it names people."""
    words = request.POST.get("words", "").strip()
    standing = queries.standing(tenant_id=tenant.pk)
    chosen = request.GET.get("outcome", "")
    if chosen not in OUTCOMES:
        needy = [outcome for outcome in (Outcome.CONFLICT, Outcome.PROPOSED) if standing.count(outcome)]
        chosen = "" if words else next(iter(needy), Outcome.MAPPED)
    rows = queries.people(tenant_id=tenant.pk, outcome="" if words else chosen, words=words)
    context = {
        "tenant": tenant,
        "standing": standing,
        "gone": [] if words else list(queries.decided_on_gone(tenant_id=tenant.pk)[: MOST_GONE + 1]),
        "most_gone": MOST_GONE,
        "chosen": "" if words else chosen,
        "meaning": OUTCOMES[Outcome(chosen)].meaning if chosen and not words else "",
        "tabs": [(outcome.value, look.title, standing.count(outcome)) for outcome, look in OUTCOMES.items()],
        "words": words,
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "outcomes": OUTCOMES,
        "rules": RULES,
        "may_map": request.actor.can(Permission.MAP_PEOPLE, tenant_id=tenant.pk),
    }
    part = request.headers.get("HX-Request") == "true"
    response = render(request, f"{LIST}#people" if part else LIST, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@tenant_view(Permission.MAP_PEOPLE)
def start(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Have everybody read and judged."""
    runs.request(tenant_id=tenant.pk, by=request.actor, at=timezone.now())
    messages.success(request, "Your people are being mapped. You can close this page.")
    return redirect("accounts:people", tenant.slug)


@require_safe
@never_cache
@tenant_view(Permission.VIEW_MEMBERS)
def show(request: ActingRequest, tenant: Tenant, person_id: UUID) -> HttpResponse:
    """Show how a person's account came to be, and what can be decided about them."""
    return _person(request, tenant, _find(tenant, person_id))


@require_POST
@tenant_view(Permission.MAP_PEOPLE)
def decide(request: ActingRequest, tenant: Tenant, person_id: UUID) -> HttpResponse:
    """Decide about one person, or only look for somebody to choose."""
    row = _find(tenant, person_id)
    if "find" in request.POST:
        return _person(request, tenant, row)
    try:
        asked = _asked(request, row)
        made = decisions.decide(
            tenant_id=tenant.pk,
            asked=[asked],
            reason=request.POST.get("reason", ""),
            by=request.actor,
            at=timezone.now(),
        )
    except UseCaseError as refusal:
        return _person(request, tenant, row, problem=refusal)
    _say(request, made)
    return redirect("accounts:person", tenant.slug, row.pk)


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def history(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show what was decided about people, what waits for a second person first."""
    return _history(request, tenant)


@require_POST
@tenant_view(Permission.MAP_PEOPLE)
def agree(request: ActingRequest, tenant: Tenant, decision_id: UUID) -> HttpResponse:
    """Agree as the second person."""
    decision = _decision(tenant, decision_id)
    return _settled(request, tenant, lambda at: decisions.agree(decision=decision, by=request.actor, at=at), "Agreed.")


@require_POST
@tenant_view(Permission.MAP_PEOPLE)
def decline(request: ActingRequest, tenant: Tenant, decision_id: UUID) -> HttpResponse:
    """Decline what waits."""
    decision = _decision(tenant, decision_id)
    return _settled(
        request,
        tenant,
        lambda at: decisions.decline(decision=decision, by=request.actor, at=at),
        "Declined; nothing changed.",
    )


@require_POST
@tenant_view(Permission.MAP_PEOPLE)
def undo(request: ActingRequest, tenant: Tenant, decision_id: UUID) -> HttpResponse:
    """Put back what was before a decision."""
    decision = _decision(tenant, decision_id)
    return _settled(
        request,
        tenant,
        lambda at: decisions.undo(decision=decision, by=request.actor, at=at),
        "Undone: all is as before.",
    )


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def many(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Explain how many people are decided about by a file."""
    return _many(request, tenant)


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def download(request: ActingRequest, tenant: Tenant) -> StreamingHttpResponse:
    """Send everybody, or those of one outcome, as CSV."""
    outcome = request.GET.get("outcome", "")
    rows = bulk.rows(
        tenant_id=tenant.pk, by=request.actor, at=timezone.now(), outcome=outcome if outcome in OUTCOMES else ""
    )
    return csv_response(name=f"people-{tenant.slug}.csv", header=sheets.HEADER, rows=rows)


@require_POST
@tenant_view(Permission.MAP_PEOPLE)
def upload(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Carry out what a file decides: all of it or nothing."""
    sent = request.FILES.get("file")
    try:
        if sent is None:
            raise decisions.UnableToDecide("Choose a CSV file.", fix="Upload a download with decisions in it.")
        if sent.size is None or sent.size > sheets.LARGEST_FILE:
            raise decisions.UnableToDecide(
                f"The file is larger than {sheets.LARGEST_FILE // 2**20} MB.",
                fix="Leave out the lines without a decision, or upload it in parts.",
            )
        made = bulk.upload(
            tenant_id=tenant.pk,
            content=sent.read(),
            reason=request.POST.get("reason", ""),
            by=request.actor,
            at=timezone.now(),
        )
    except UseCaseError as refusal:
        return _many(request, tenant, problem=refusal)
    _say(request, made)
    return redirect("accounts:people_decisions", tenant.slug)


@require_safe
@tenant_view(Permission.VIEW_MEMBERS)
def link(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Show the link between the two accounts, and its checkpoints."""
    return _link(request, tenant)


@require_POST
@tenant_view(Permission.MAP_PEOPLE)
def take(request: ActingRequest, tenant: Tenant) -> HttpResponse:
    """Take a checkpoint."""
    try:
        made = checkpoints.take(
            tenant_id=tenant.pk, reason=request.POST.get("reason", ""), by=request.actor, at=timezone.now()
        )
    except UseCaseError as refusal:
        return _link(request, tenant, problem=refusal)
    messages.success(request, f"{made} is taken: {made.people:,} people.")
    return redirect("accounts:tenant_link", tenant.slug)


@require_POST
@tenant_view(Permission.MAP_PEOPLE)
def restore(request: ActingRequest, tenant: Tenant, checkpoint_id: UUID) -> HttpResponse:
    """Ask for the map to be put back to a checkpoint."""
    checkpoint = queries.checkpoints(tenant_id=tenant.pk).filter(pk=checkpoint_id).first()
    if checkpoint is None:
        raise Http404
    try:
        made = checkpoints.restore(
            checkpoint=checkpoint, reason=request.POST.get("reason", ""), by=request.actor, at=timezone.now()
        )
    except UseCaseError as refusal:
        return _link(request, tenant, problem=refusal)
    _say(request, made)
    return redirect("accounts:people_decisions", tenant.slug)


def _find(tenant: Tenant, person_id: UUID) -> LegacyPerson:
    row = queries.person(tenant_id=tenant.pk, person_id=person_id)
    if row is None:
        raise Http404
    return row


def _decision(tenant: Tenant, decision_id: UUID) -> PersonDecision:
    found = queries.decisions(tenant_id=tenant.pk).filter(pk=decision_id).first()
    if found is None:
        raise Http404
    return found


def _asked(request: ActingRequest, row: LegacyPerson) -> decisions.Asked:
    said = request.POST.get("kind", "")
    kind = next((kind for kind in sheets.KINDS if kind == said), None)
    if kind is None:
        raise decisions.UnableToDecide("Say what becomes of this person.", fix="Choose one of the answers.")
    try:
        new_ids = tuple(UUID(text) for text in request.POST.getlist("new"))
        into_id = UUID(request.POST["into"]) if kind is Kind.MERGE and request.POST.get("into") else None
    except ValueError as error:
        raise decisions.UnableToDecide("Choose somebody of the list.", fix="Look for them by name first.") from error
    return decisions.Asked(row.pk, kind, new_ids if kind in (Kind.MAP, Kind.SPLIT) else (), into_id)


def _person(
    request: ActingRequest, tenant: Tenant, row: LegacyPerson, *, problem: UseCaseError | None = None
) -> HttpResponse:
    words, history = request.POST.get("words", ""), list(queries.history(row))
    context = {
        "tenant": tenant,
        "person": row,
        "look": OUTCOMES.get(Outcome(row.outcome)) if row.outcome in OUTCOMES else None,
        "rule": RULES.get(Rule(row.rule)) if row.rule in RULES else None,
        "same": list(queries.same(row)),
        "parts": list(queries.parts(row)),
        "history": history,
        "names": queries.names([change.decision for change in history]),
        "choices": queries.choices(row, words=words),
        "alike": queries.alike(row),
        "titles": TITLES,
        "words": words,
        "kind": request.POST.get("kind", ""),
        "reason": request.POST.get("reason", "")[:300],
        "problem": problem,
        "may_map": request.actor.can(Permission.MAP_PEOPLE, tenant_id=tenant.pk),
    }
    return render(request, PERSON, context, status=problem.status if problem else 200)


def _history(request: ActingRequest, tenant: Tenant, *, problem: UseCaseError | None = None) -> HttpResponse:
    rows = queries.decisions(tenant_id=tenant.pk)
    waiting = list(queries.waiting(tenant_id=tenant.pk)[:PER_PAGE])
    page = Paginator(rows.exclude(state=PersonDecision.State.WAITING), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "tenant": tenant,
        "waiting": waiting,
        "page": page,
        "names": queries.names([*waiting, *page]),
        "titles": TITLES,
        "problem": problem,
        "me": request.actor.id,
        "may_map": request.actor.can(Permission.MAP_PEOPLE, tenant_id=tenant.pk),
    }
    return render(request, DECISIONS, context, status=problem.status if problem else 200)


def _settled(request: ActingRequest, tenant: Tenant, use: Callable[[datetime], object], said: str) -> HttpResponse:
    try:
        use(timezone.now())
    except UseCaseError as refusal:
        return _history(request, tenant, problem=refusal)
    messages.success(request, said)
    return redirect("accounts:people_decisions", tenant.slug)


def _many(request: ActingRequest, tenant: Tenant, *, problem: UseCaseError | None = None) -> HttpResponse:
    flaws = problem.flaws if isinstance(problem, bulk.FlawedFile) else []
    standing = queries.standing(tenant_id=tenant.pk)
    context = {
        "tenant": tenant,
        "problem": problem,
        "flaws": flaws[:MOST_FLAWS],
        "more": max(0, len(flaws) - MOST_FLAWS),
        "kinds": [(kind.value, WORDS[kind]) for kind in sheets.KINDS],
        "tabs": [(outcome.value, look.title, standing.count(outcome)) for outcome, look in OUTCOMES.items()],
        "people": standing.people,
        "most": sheets.MOST_LINES,
        "most_decided": sheets.MOST_DECIDED,
        "reason": request.POST.get("reason", "")[:300],
        "may_map": request.actor.can(Permission.MAP_PEOPLE, tenant_id=tenant.pk),
    }
    return render(request, BULK, context, status=problem.status if problem else 200)


def _link(request: ActingRequest, tenant: Tenant, *, problem: UseCaseError | None = None) -> HttpResponse:
    kept = Paginator(queries.checkpoints(tenant_id=tenant.pk), CHECKPOINTS_A_PAGE)
    page = kept.get_page(request.GET.get("page"))
    differing = checkpoints.differing(tenant_id=tenant.pk, checkpoints=list(page))
    context = {
        "tenant": tenant,
        "link": queries.link(tenant_id=tenant.pk),
        "page": page,
        "checkpoints": [(row, differing[row.pk]) for row in page],
        "most": checkpoints.MOST,
        "problem": problem,
        "may_map": request.actor.can(Permission.MAP_PEOPLE, tenant_id=tenant.pk),
    }
    return render(request, LINK, context, status=problem.status if problem else 200)


def _say(request: ActingRequest, made: PersonDecision) -> None:
    if made.state == PersonDecision.State.WAITING:
        messages.info(request, f"{made.second_person} A second person of yours has to agree under “Decisions”.")
    else:
        messages.success(
            request, f"Decided about {made.people:,} {'person' if made.people == 1 else 'people'}. It can be undone."
        )
