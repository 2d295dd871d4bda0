"""Comparing one entity of a report, segment by segment; each segment is written with its checkpoint or not at all."""

import dataclasses
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count

from core import ports, queue
from core.comparison import Measures, Plan, Segment, Survey
from parity_reports.domain import (
    checksums,
    collecting,
    declared,
    examples,
    invariants,
    ladder,
    sampling,
    verdict,
)
from parity_reports.domain.collecting import Collector
from parity_reports.domain.invariants import Invariant
from parity_reports.domain.ladder import Engine, Method
from parity_reports.domain.verdict import Verdict
from parity_reports.models import EntityResult, InvariantResult, Sample
from parity_reports.queries import promises, reports, verification

log = logging.getLogger(__name__)

SEGMENT_SIZE = 1_000_000
"""Records of one segment: one job, one checkpoint."""


def advance(entity: EntityResult, plan: Plan, *, method: Method, size: int, job_id: UUID | None) -> None:
    """Divide the entity if it is new, compare its next segment, and after the last evaluate its invariants.

    Raises what the comparison raises; nothing of a segment is kept then.
    """
    if entity.segments is None:
        _begin(entity, plan, method=method, size=size)
        entity.refresh_from_db()
    if entity.segments_done < (entity.segments_total or 0):
        _compare(entity, plan, job_id=job_id)
        entity.refresh_from_db()
    if not entity.verdict and entity.segments_done == entity.segments_total:
        verifiable = _checksums(entity, plan) if method is Method.FULL else None
        _conclude(entity, plan, ports.comparison().measure(plan), verifiable)


def _begin(entity: EntityResult, plan: Plan, *, method: Method, size: int) -> None:
    """Choose how the entity is compared, and divide it."""
    last = reports.last(tenant_id=entity.tenant_id, entity=entity.entity)
    choice = ladder.choose(
        method=method,
        survey=_survey(plan),
        last=last,
        window=settings.COMPARISON_WINDOW,
        has_cluster=ports.cluster() is not None,
    )
    segments: Sequence[Segment] = (Segment(),)
    if choice.engine is Engine.TYPED:
        segments = ports.comparison().divide(plan, size=size)
    elif choice.engine is Engine.SAMPLED:
        segments = (Segment(of=choice.one_in, seed=entity.report_id.hex),)
    EntityResult.objects.filter(pk=entity.pk, segments__isnull=True).update(
        segments=[dataclasses.asdict(segment) for segment in segments],
        engine=choice.engine.value,
        because=choice.because,
        one_in=choice.one_in,
    )


def _survey(plan: Plan) -> Survey:
    try:
        return ports.comparison().survey(plan)
    except ports.Rejected as refusal:  # the comparison says better what is wrong
        log.warning("parity_reports.not_surveyed entity=%s: %s", plan.entity, refusal)
        return Survey(0, 0, 0, 0)


def give_up(entity: EntityResult, problem: str) -> None:
    """End an entity as incomplete, with the reason in words fit for the customer. Safe to repeat."""
    with transaction.atomic():
        ended = EntityResult.objects.filter(pk=entity.pk, verdict="").update(
            verdict=Verdict.INCOMPLETE.value, problem=problem, sums={}, reckoned={}, kinds=_shown_kinds(entity, None)
        )
        if ended:
            _write_invariants(entity, [invariants.unknown(title=entity.title)])


def _compare(entity: EntityResult, plan: Plan, *, job_id: UUID | None) -> None:
    """Compare the next segment and write its counts and samples, unless another worker was first."""
    number, divided = entity.segments_done, entity.segments or []
    collector = Collector(
        entity=entity.entity,
        exposures=promises.exposures(plan),
        secret=promises.secret(tenant_id=entity.tenant_id),
        kept=_kept(entity),
    )
    segment = Segment(**divided[number])
    way: dict[str, str] = {}
    if entity.engine == Engine.PUSHDOWN:
        findings = ports.comparison().recheck(plan, report=collector.add)
        if findings.exact:
            way = {"engine": Engine.TYPED.value, "because": ladder.read_in_full(ladder.GAVE_UP)}
    elif entity.engine == Engine.CLUSTER and (cluster := ports.cluster()):
        findings = cluster.compare(plan, segment=segment, report=collector.add)
    else:
        findings = ports.comparison().compare(plan, segment=segment, report=collector.add)
        if entity.engine == Engine.CLUSTER:
            way = {"engine": Engine.TYPED.value, "because": ladder.read_in_full(ladder.NO_CLUSTER)}
    tally = entity.tally + collector.tally(findings)
    with transaction.atomic():
        written = EntityResult.objects.filter(pk=entity.pk, verdict="", segments_done=number).update(
            segments_done=number + 1,
            rules=_summed(entity.rules, findings.dropped),
            held=_summed(entity.held, collector.held),
            sums=invariants.added({name: (one, two) for name, (one, two) in entity.sums.items()}, findings.sums),
            reckoned=declared.added(entity.reckoned, findings.reckoned),
            kinds=_counted(entity.kinds, collector),
            examples=examples.merged(entity.examples, collector.smallest),
            differing=collecting.named(entity.differing if number else [], collector.names),
            **way,
            **{name: getattr(tally, name) for name in tally.__slots__},
        )
        if written:
            Sample.objects.bulk_create(_samples(entity, collector), ignore_conflicts=True)
        told = f"Compared part {number + 1} of {len(divided)}: {entity.title}"
        queue.progress(job_id, number + 1, len(divided), told)


def _checksums(entity: EntityResult, plan: Plan) -> dict[str, Any] | None:
    """Return what lets the customer check the report; None where the new platform's data cannot be encoded."""
    code = verification.new_code(entity.report_id)
    try:
        found = ports.checksummer().sum(plan, code=code, buckets=checksums.buckets_for(entity.actual))
    except ports.Rejected as refusal:
        log.warning("parity_reports.not_verifiable entity=%s: %s", entity.entity, refusal)
        return None
    return checksums.stored(code=code, key=found.key, columns=found.columns, buckets=found.buckets)


def _conclude(entity: EntityResult, plan: Plan, measures: Measures, verifiable: dict[str, Any] | None) -> None:
    """Evaluate the invariants and end the entity; what only served the counting is removed."""
    tally, exposures, sampled = entity.tally, promises.exposures(plan), entity.engine == Engine.SAMPLED
    bound = sampling.fewer_than_one_in(errors=tally.errors, compared=tally.compared) if sampled else None
    built_in = invariants.evaluate(
        title=entity.title,
        tally=tally,
        measures=measures,
        supplied=len(plan.spec.supplements),
        sums={name: (one, two) for name, (one, two) in entity.sums.items()},
        exposures=exposures,
        sampled=sampled,
    )
    found = list(built_in)
    if Engine(entity.engine).reads_everything:  # what the mapping declares is reckoned where all records are read
        found += declared.evaluate(plan.spec.invariants, reckoned=entity.reckoned, exposures=exposures)
    judged = verdict.of_entity(
        tally, segments_done=entity.segments_done, segments_total=entity.segments_total, failed=False, sampled=sampled
    )
    with transaction.atomic():
        ended = EntityResult.objects.filter(pk=entity.pk, verdict="").update(
            verdict=judged.value,
            sums={},
            reckoned={},
            kinds=_shown_kinds(entity, plan),
            checksums=verifiable,
            fewer_than_one_in=bound,
        )
        if ended:
            _write_invariants(entity, found)


def _write_invariants(entity: EntityResult, found: list[Invariant]) -> None:
    InvariantResult.objects.bulk_create(
        InvariantResult(
            tenant_id=entity.tenant_id,
            report_id=entity.report_id,
            entity=entity.entity,
            code=one.code,
            title=one.title[:200],
            family=one.family.value,
            outcome=one.outcome.value,
            expected=one.expected[:60],
            actual=one.actual[:60],
            checked=one.checked,
            rate=one.rate,
        )
        for one in found
    )


def _shown_kinds(entity: EntityResult, plan: Plan | None) -> dict[str, dict[str, int | str]]:
    """Return the counts per column and kind as the report may keep them; without a plan every column is internal."""
    return collecting.redacted_kinds(entity.kinds, promises.exposures(plan) if plan else {})


def _kept(entity: EntityResult) -> Counter[tuple[str, str]]:
    rows = entity.samples.order_by().values_list("column", "kind").annotate(count=Count("id"))
    return Counter({(column, kind): count for column, kind, count in rows})


def _samples(entity: EntityResult, collector: Collector) -> list[Sample]:
    return [
        Sample(
            tenant_id=entity.tenant_id,
            entity=entity,
            record=row.record,
            kind=row.kind.value,
            column=row.column,
            exposure=row.exposure.value,
            expected=row.expected,
            actual=row.actual,
        )
        for row in collector.samples
    ]


def _counted(before: dict[str, dict[str, int]], collector: Collector) -> dict[str, dict[str, int]]:
    counted = {column: dict(kinds) for column, kinds in before.items()}
    for (column, kind), number in collector.kinds.items():
        of_column = counted.setdefault(column, {})
        of_column[kind.value] = of_column.get(kind.value, 0) + number
    return counted


def _summed(before: dict[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(before) + Counter(more))
