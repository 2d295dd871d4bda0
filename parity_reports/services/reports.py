"""Parity reports: asked for, compared segment by segment, finished with a verdict and a digest."""

import hashlib
import logging
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from backfills.queries import movements
from core import ledger, outbox, ports, queue
from core.actor import Actor
from core.comparison import Plan
from core.errors import UseCaseError
from core.permissions import Permission
from core.queue import JobState
from parity_reports.domain import verdict
from parity_reports.domain.ladder import Method
from parity_reports.domain.verdict import Tally, Verdict
from parity_reports.models import EntityResult, InvariantResult, Report
from parity_reports.queries import promises, reports
from parity_reports.services import holding, segments

TASK = "parity_reports.tasks.advance_report"
INTERRUPTED = "The comparison was interrupted before everything was read."
NOTHING = "Neither platform holds a record of your account, so nothing was compared."
UNEXPECTED = "Something went wrong on our side while comparing. It is being looked at."

log = logging.getLogger(__name__)


class UnableToCompare(UseCaseError):
    """No comparison can be made now."""


def request(*, tenant_id: UUID, by: Actor, at: datetime, method: str = Method.FULL) -> Report:
    """Ask for a comparison of everything the tenant was promised, fully, by checksums or in a sample.

    Safe to repeat: while one runs, that one comes back. One that was interrupted and that no job works on any more
    is closed as incomplete first. Raises UnableToCompare when nothing is mapped, and while data move.
    """
    by.require(Permission.RUN_PARITY, tenant_id=tenant_id)
    if method not in list(Method):
        raise UnableToCompare("There is no such comparison.", fix="Ask for a full one, one by checksums, or a sample.")
    promised = promises.plans(tenant_id=tenant_id)
    if not promised:
        raise UnableToCompare(
            "Nothing of your account is mapped yet.", fix="The mapping comes first; ask your contact."
        )
    if movements.is_moving(tenant_id=tenant_id, apart_from_catch_ups=True):
        raise UnableToCompare(
            "Your data is being moved right now, so a comparison would show what is merely on its way.",
            fix="Compare when the run has ended.",
        )
    open_one = reports.running(tenant_id=tenant_id)
    if open_one is not None:
        if queue.jobs(tenant_id, task=TASK, key=str(open_one.pk), unfinished=True, limit=1):
            return open_one
        finish(report=open_one, by=by, at=at)
    try:
        with transaction.atomic():
            report = Report.objects.create(
                tenant_id=tenant_id,
                requested_at=at,
                requested_by=by.id,
                method=method,
                mapping_sha256=promises.digest(promised),
            )
            EntityResult.objects.bulk_create(
                EntityResult(
                    tenant_id=tenant_id,
                    report=report,
                    position=position,
                    entity=plan.entity,
                    title=plan.spec.title,
                    spec=plan.spec.label,
                )
                for position, plan in enumerate(promised)
            )
            _enqueue(report, by=by)
            ledger.record(
                "parity_reports.report.requested",
                by=by,
                at=at,
                tenant_id=tenant_id,
                subject=report,
                data={"method": method},
            )
    except IntegrityError:  # one running report per tenant: somebody was first
        first = reports.running(tenant_id=tenant_id)
        if first is None:
            raise
        return first
    return report


def advance(
    *, tenant_id: UUID, report_id: UUID, by: Actor, at: datetime, is_last_attempt: bool, job_id: UUID | None = None
) -> None:
    """Compare the next segment of a report, or finish it; enqueue what follows.

    One segment is one checkpoint: what was compared is kept whatever happens next, and doing it twice counts once.
    When a platform does not answer, `Unavailable` goes up to be tried again, unless it is the last attempt: then
    the entity stays incomplete, with the reason, and the others go on.
    """
    report = Report.objects.filter(tenant_id=tenant_id, pk=report_id, state=Report.State.RUNNING).first()
    if report is None:
        return
    plans = {plan.entity: plan for plan in promises.plans(tenant_id=tenant_id)}
    entity = report.entities.filter(verdict="").order_by("position").first()
    if entity is None:
        finish(report=report, by=by, at=at)
        return
    try:
        plan = holding.aware(_unchanged(plans.get(entity.entity), entity), tenant_id=tenant_id, at=at)
        segments.advance(entity, plan, method=Method(report.method), size=segments.SEGMENT_SIZE, job_id=job_id)
    except (queue.LeaseLost, queue.Cancelled):
        raise
    except ports.Rejected as refusal:
        segments.give_up(entity, str(refusal))
    except ports.Unavailable as outage:
        if not is_last_attempt:
            raise
        segments.give_up(entity, str(outage))
    except Exception:
        if not is_last_attempt:
            raise
        log.exception("parity_reports.comparison_failed report=%s entity=%s", report.pk, entity.entity)
        segments.give_up(entity, UNEXPECTED)
    with transaction.atomic():
        _enqueue(report, by=by)


def finish(*, report: Report, by: Actor, at: datetime) -> Report:
    """Give a wholly processed report its verdict, its digest and its place in the ledger. Safe to repeat.

    The digest is the SHA-256 of the report's canonical JSON, which anybody who downloads it can compute again.
    """
    with transaction.atomic():
        locked = Report.objects.select_for_update().get(pk=report.pk)
        if locked.state == Report.State.FINISHED:
            return locked
        entities = list(locked.entities.order_by("position"))
        for entity in entities:
            if not entity.verdict:
                segments.give_up(entity, INTERRUPTED)
                entity.refresh_from_db()
        _judge(locked, entities, at=at)
        locked.sha256 = hashlib.sha256(reports.evidence(locked)).hexdigest()
        locked.save()
        outbox.publish("parity_reports.report.finished", tenant_id=locked.tenant_id, report_id=locked.pk)
        facts = {
            "method": locked.method,
            "verdict": locked.verdict,
            "errors": locked.tally.errors,
            "sha256": locked.sha256,
        }
        ledger.record(
            "parity_reports.report.finished", by=by, at=at, tenant_id=locked.tenant_id, subject=locked, data=facts
        )
    return locked


def take_up(*, by: Actor, at: datetime) -> None:
    """Go on with what no job works on any more, and end as incomplete what a job gave up. Needs a staff scope."""
    by.require(Permission.RUN_PARITY)
    for report in Report.objects.filter(state=Report.State.RUNNING):
        job = next(iter(queue.jobs(report.tenant_id, task=TASK, key=str(report.pk), limit=1)), None)
        if job is None or job.state is JobState.DONE:
            with transaction.atomic():
                _enqueue(report, by=by)
        elif job.is_over:
            finish(report=report, by=by, at=at)


def _judge(report: Report, entities: list[EntityResult], *, at: datetime) -> None:
    tally = sum((entity.tally for entity in entities), Tally())
    outcomes = list(report.invariants.values_list("outcome", flat=True))
    passed = outcomes.count(InvariantResult.Outcome.PASS)
    unknown = outcomes.count(InvariantResult.Outcome.UNKNOWN)
    for name in Tally.__slots__:
        setattr(report, name, getattr(tally, name))
    report.invariants_total, report.invariants_passed, report.invariants_unknown = len(outcomes), passed, unknown
    report.verdict = verdict.of_report(
        [Verdict(entity.verdict) for entity in entities],
        compared=tally.compared,
        unknown_invariants=unknown,
        broken_invariants=len(outcomes) - passed - unknown,
    ).value
    report.problem = "\n".join(f"{entity.title}: {entity.problem}" for entity in entities if entity.problem)
    if report.verdict == Verdict.INCOMPLETE and not report.problem:
        report.problem = NOTHING
    report.state, report.finished_at = Report.State.FINISHED, at


def _unchanged(plan: Plan | None, entity: EntityResult) -> Plan:
    """Return the plan, if it is still the one that the report began with."""
    if plan is None or plan.spec.label != entity.spec:
        raise ports.Rejected("The mapping was changed while the comparison ran; compare again.")
    return plan


def _enqueue(report: Report, *, by: Actor) -> None:
    queue.enqueue(TASK, tenant_id=report.tenant_id, key=str(report.pk), by=by, report_id=report.pk)
