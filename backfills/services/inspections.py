"""Inspections: judge every row of legacy before anything moves, and keep what was found."""

import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.queries import tenants
from backfills.domain.judgement import Fate
from backfills.domain.spec import Spec
from backfills.models import InspectedEntity, InspectedFault, Inspection
from backfills.queries import inspections, mapping
from backfills.queries.inspections import INSPECT
from backfills.services import steps, versions
from core import ledger, outbox, ports, queue
from core.actor import Actor
from core.domain.declared import SpecError
from core.errors import UseCaseError
from core.inspecting import Inspected
from core.permissions import Permission


class UnableToInspect(UseCaseError):
    """The rows cannot be inspected now."""


def request(*, tenant_id: UUID, by: Actor, at: datetime) -> Inspection:
    """Ask for an inspection of all of a tenant's rows; one under way comes back (and is rung for, should it be stuck).

    Raises UnableToInspect where the mapping cannot be read.
    """
    by.require(Permission.MANAGE_RUNS, tenant_id=tenant_id)
    specs = _specs()
    try:
        with transaction.atomic():
            made = Inspection.objects.create(
                tenant_id=tenant_id,
                mapping_sha256=hashlib.sha256("\n".join(spec.label for spec in specs.values()).encode()).hexdigest(),
                requested_by=by.id,
                requested_at=at,
            )
            versions.keep(specs.values(), by=by, at=at)
            _ring(made, by)
            _record("requested", made, by=by, at=at)
    except IntegrityError:  # one at a time
        made = Inspection.objects.filter(tenant_id=tenant_id)[:1].get()  # it may have ended meanwhile
        is_open = made.state == Inspection.State.RUNNING
        if is_open and not queue.jobs(tenant_id, task=INSPECT, key=str(made.pk), unfinished=True, limit=1):
            with transaction.atomic():
                _ring(made, by)
    return made


def _specs() -> Mapping[str, Spec]:
    try:
        return mapping.specs()
    except SpecError as error:
        raise UnableToInspect("The mapping cannot be read.", fix=f"Our data lead must correct it: {error}") from error


def _ring(inspection: Inspection, by: Actor) -> None:
    queue.enqueue(
        INSPECT,
        tenant_id=inspection.tenant_id,
        key=str(inspection.pk),
        lane=steps.LANE,  # of the runs: a tenant's legacy rows are read by one job at a time
        by=by,
        inspection_id=inspection.pk,
    )


def carry_out(*, inspection_id: UUID, by: Actor, now: Callable[[], datetime], job_id: UUID | None = None) -> None:
    """Judge all rows, an entity after those it refers to, and keep what was found about each entity.

    Safe to repeat: it then begins anew, for nothing outlives a session of judging. Unavailable passes through to be
    tried again; what a platform refuses ends it and is told.
    """
    inspection = Inspection.objects.get(pk=inspection_id)
    if inspection.state != Inspection.State.RUNNING:
        return
    try:
        specs = mapping.specs()
        ref = tenants.get(tenant_id=inspection.tenant_id).legacy_ref
        totals = {name: ports.legacy().count(spec=spec, tenant_ref=ref) for name, spec in specs.items()}
        inspection.entities.all().delete()
        done = 0
        with ports.inspector().session(specs=specs, account_id=inspection.tenant_id) as session:
            for position, spec in enumerate(specs.values()):
                reading = _Reading(session, spec, ref, job_id)
                reading.to_the_end(done, sum(totals.values()))
                done += reading.rows
                _keep(inspection, position, spec, reading, session.finish(spec=spec))
    except (ports.Rejected, SpecError) as refusal:
        _end(inspection, Inspection.State.FAILED, by=by, at=now(), problem=str(refusal))
        return
    _end(inspection, Inspection.State.DONE, by=by, at=now())


class _Reading:
    """The rows of one entity, read and judged batch by batch; how many, how large, how long."""

    def __init__(self, session: ports.InspectionSession, spec: Spec, tenant_ref: str, job_id: UUID | None) -> None:
        self.session, self.spec, self.ref, self.job_id = session, spec, tenant_ref, job_id
        self.version, self.rows, self.size = ports.legacy().version(spec=spec), 0, 0
        self.seconds = 0.0

    def to_the_end(self, before: int, total: int) -> None:
        """Judge every row, telling after each batch how far all entities are."""
        after, began, limit = None, time.monotonic(), self.spec.batch
        while True:
            rows = ports.legacy().read(spec=self.spec, tenant_ref=self.ref, after=after, limit=limit)
            if rows.version != self.version:
                raise ports.Rejected("The file of legacy was replaced while its rows were checked: check them again.")
            self.session.judge(spec=self.spec, rows=rows)
            self.rows, self.size, after = self.rows + rows.count, self.size + len(rows.data), rows.last_key
            # Rows that were added since they were counted are read too.
            done = before + self.rows
            queue.progress(self.job_id, done, max(total, done), f"{self.spec.title}: {self.rows:,} rows checked")
            if rows.count < limit:
                break
        self.seconds = time.monotonic() - began


def _keep(inspection: Inspection, position: int, spec: Spec, reading: _Reading, found: Inspected) -> None:
    writes = found.writes
    with transaction.atomic():
        entity = InspectedEntity.objects.create(
            tenant_id=inspection.tenant_id,
            inspection=inspection,
            entity=spec.entity,
            position=position,
            spec=spec.label,
            rows=reading.rows,
            size=reading.size,
            seconds=reading.seconds,
            rejected=sum(count for (fate, _), count in found.totals.items() if fate == Fate.QUARANTINED),
            outcomes=[[fate, rule, count] for (fate, rule), count in sorted(found.totals.items())],
            new=writes.new if writes else None,
            changed=writes.changed if writes else None,
            same=writes.same if writes else None,
            gone=writes.gone if writes else None,
        )
        InspectedFault.objects.bulk_create(
            InspectedFault(
                tenant_id=inspection.tenant_id,
                inspected=entity,
                rule=fault.rule,
                column=fault.column,
                count=fault.count,
                examples=[[example.key, example.value] for example in fault.examples],
            )
            for fault in found.faults
        )


def _end(inspection: Inspection, state: Inspection.State, *, by: Actor, at: datetime, problem: str = "") -> None:
    with transaction.atomic():
        ended = Inspection.objects.filter(pk=inspection.pk, state=Inspection.State.RUNNING).update(
            state=state, finished_at=at, problem=problem
        )
        if ended:
            if state == Inspection.State.DONE:  # what an earlier one found is told by nobody any more
                InspectedEntity.objects.filter(tenant_id=inspection.tenant_id).exclude(inspection=inspection).delete()
            figures = inspections.figures(inspection)
            _record("finished" if state == Inspection.State.DONE else "failed", inspection, by=by, at=at, **figures)
            outbox.publish("backfills.inspection.ended", tenant_id=inspection.tenant_id, inspection_id=inspection.pk)


def _record(event: str, inspection: Inspection, *, by: Actor, at: datetime, **data: int) -> None:
    ledger.record(
        f"backfills.inspection.{event}",
        by=by,
        at=at,
        tenant_id=inspection.tenant_id,
        subject=inspection,
        data={"mapping_sha256": inspection.mapping_sha256, **data},
    )
