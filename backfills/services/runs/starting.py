"""Starting runs: one for each entity, in an order in which each finds what it needs."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from backfills import barriers
from backfills.domain.catching import Answer
from backfills.domain.runs import RunState
from backfills.domain.spec import Spec
from backfills.models import Run
from backfills.queries import catching, mapping
from backfills.services import steps, versions
from core.actor import Actor
from core.domain.declared import SpecError
from core.errors import UseCaseError
from core.permissions import Permission


class UnableToStart(UseCaseError):
    """The run cannot be started now."""


def start(
    *,
    tenant_id: UUID,
    by: Actor,
    at: datetime,
    entities: Iterable[str] | None = None,
    catch_up: bool = False,
    standing: bool = False,
) -> list[Run]:
    """Start a run for each entity (all of the mapping by default), in an order in which each finds what it needs.

    An entity of which a run is under way is left to that run; a standing catch-up that has not begun makes way for a
    full run. Raises UnableToStart when that is true of all, and where a copy from legacy would do harm
    (`backfills.barriers`): a run under way ends there too.

    To `catch_up` is to read only what changed in legacy since the last run that accounted for every row began. An
    entity of which only a full run is safe is left alone; where that is true of all, UnableToStart says why. A
    `standing` one never reads every row, and leaves in the ledger what it moved, and nothing where it moved nothing.
    """
    by.require(Permission.MANAGE_RUNS, tenant_id=tenant_id)
    if reason := barriers.why_shut(tenant_id=tenant_id):
        raise UnableToStart(reason, fix="If something is missing there, tell us: it is brought in by itself.")
    try:
        specs = mapping.specs()
    except SpecError as error:
        raise UnableToStart("The mapping cannot be read.", fix=f"Our data lead must correct it: {error}") from error
    wanted = set(specs if entities is None else entities)
    if unknown := wanted - set(specs):
        raise UnableToStart(f"The mapping knows no “{min(unknown)}”.")
    ask = catching.by_itself if standing else catching.since
    asked = {
        spec.entity: ask(tenant_id=tenant_id, spec=spec) if catch_up else Answer()
        for spec in specs.values()
        if spec.entity in wanted
    }
    fit = {entity: answer.since for entity, answer in asked.items() if not answer.reason}
    if not fit:
        entity, answer = next(iter(asked.items()))
        raise UnableToStart(f"{specs[entity].title} cannot be caught up. {answer.reason}", fix="Move them in full.")
    begun = (_queue(specs[entity], tenant_id, by, at, since, standing=standing) for entity, since in fit.items())
    started = [run for run in begun if run]
    if not started:
        raise UnableToStart("A run is under way already.", fix="Watch it on this page, or pause it.")
    return started


def _queue(
    spec: Spec, tenant_id: UUID, by: Actor, at: datetime, since: datetime | None, *, standing: bool
) -> Run | None:
    try:
        with transaction.atomic():
            instead_of = None if standing or since else _end_unbegun(spec.entity, tenant_id, at)
            run = Run.objects.create(
                tenant_id=tenant_id,
                entity=spec.entity,
                state=RunState.QUEUED,
                spec=spec.label,
                since=since,
                standing=standing,
                requested_by=by.id,
                requested_at=at,
            )
            versions.keep([spec], by=by, at=at)
            steps.ring(run, by)
            if not standing:
                told = {"since": since and since.isoformat()} | ({"instead_of": str(instead_of)} if instead_of else {})
                steps.record("requested", run, by=by, at=at, **told)
    except IntegrityError:  # one run per entity moves at a time
        return None
    return run


def _end_unbegun(entity: str, tenant_id: UUID, at: datetime) -> UUID | None:
    """End an entity's standing catch-up that waits for its turn, and return it; its job will find that it is over."""
    waiting = Run.objects.filter(tenant_id=tenant_id, entity=entity, standing=True, state=RunState.QUEUED)
    found = waiting.select_for_update().first()
    if found is None:
        return None
    waiting.update(state=RunState.FAILED, finished_at=at, problem="Somebody asked for a full run instead.")
    return found.pk
