"""Drift: entities are read again after their comparison; what came to differ is told, explained, and seen to end."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import Any
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.db import transaction

from backfills import barriers
from backfills.queries import movements
from core import ledger, ports, queue
from core.actor import Actor
from core.comparison import Plan
from core.errors import UseCaseError
from core.moving import Origin, SourceRows
from core.permissions import Permission
from core.sealing import unseal
from parity_reports.domain import drift
from parity_reports.domain.drift import Cause, Collector, Facts, Found, Source
from parity_reports.domain.verdict import Verdict
from parity_reports.models import Drift, EntityResult, Report, Watch
from parity_reports.queries import drift as queries
from parity_reports.queries import promises, reports
from parity_reports.services import holding, watching

SHARE = 10
"""A re-check waits at least so many times as long as the last one took: the platforms have other work."""

WHOLE_EVERY = timedelta(days=1)
"""How often everything is read, and not only what was written since the look before."""

LONGEST = timedelta(days=14)
"""How long a person's explanation counts; then somebody decides again."""

PLAIN_KEYS = frozenset({"bigint", "integer", "smallint", "text", "uuid"})
"""Types whose text is one and the same wherever it is made, so that provenance is found by it."""

_ASKED_AT_ONCE = 1_000
_INCOMPLETE = "The last comparison did not read all of it. Run a new one."
_UNTOLD = (
    "Too many records differed at the last comparison to tell new ones from them. Settle those, then compare again."
)
_UNMAPPED = "It is no longer mapped. Run a new comparison."


class UnableToLook(UseCaseError):
    """Nobody can look again now."""


class UnableToExplain(UseCaseError):
    """The drift cannot be explained like this."""


def request_due(*, by: Actor, at: datetime) -> int:
    """Enqueue a re-check for every tenant that is due one; return for how many. Needs a staff scope."""
    by.require(Permission.RUN_PARITY)
    tenant_ids = queries.due(at=at)
    for tenant_id in tenant_ids:
        queue.enqueue(queries.TASK, tenant_id=tenant_id, key="drift", by=by)
    return len(tenant_ids)


def request(*, tenant_id: UUID, by: Actor, at: datetime) -> UUID:
    """Have every entity looked at now and return the job. Safe to repeat: the one that waits comes back.

    Raises UnableToLook before the first comparison, and while data move.
    """
    by.require(Permission.RUN_PARITY, tenant_id=tenant_id)
    if reports.latest(tenant_id=tenant_id) is None:
        raise UnableToLook("Nothing was compared yet.", fix="Run a comparison first: drift is what differs since.")
    if movements.is_moving(tenant_id=tenant_id, apart_from_catch_ups=True):
        raise UnableToLook("Your data is being moved right now.", fix="Look again when the run has ended.")
    with transaction.atomic():
        Watch.objects.filter(tenant_id=tenant_id).update(due_at=at)
        return queue.enqueue(queries.TASK, tenant_id=tenant_id, key="drift", by=by)


def recheck(
    *,
    tenant_id: UUID,
    by: Actor,
    now: Callable[[], datetime],
    is_last_attempt: bool,
    job_id: UUID | None = None,
) -> None:
    """Read every entity that is due and write down what came to differ, and what no longer does.

    Safe to repeat: an entity that was read is not due any more. A platform that stops half-way changes nothing of
    what is known; `Unavailable` goes up to be tried again, unless it is the last attempt.
    """
    report = reports.latest(tenant_id=tenant_id)
    if report is None or movements.is_moving(tenant_id=tenant_id, apart_from_catch_ups=True):
        return  # what differs then is merely on its way
    plans = {plan.entity: plan for plan in promises.plans(tenant_id=tenant_id)}
    entities = list(report.entities.defer("checksums").order_by("position"))
    watching.begin(report, [entity.entity for entity in entities], by=by, at=now())
    watches = {watch.entity: watch for watch in Watch.objects.filter(tenant_id=tenant_id)}
    for number, entity in enumerate(entities, start=1):
        began, watch = now(), watches.get(entity.entity)
        if watch and watch.report_id == report.pk and watch.due_at > began:
            continue
        try:
            look = _look(report, entity, plans.get(entity.entity), mark=_mark(watch, at=began), at=began)
        except ports.Rejected as refusal:
            watching.give_up(report, entity, str(refusal), due_at=began + queries.EVERY)
        except ports.Unavailable as outage:
            if not is_last_attempt:
                raise
            watching.give_up(report, entity, str(outage), due_at=began + queries.EVERY)
        else:
            at = now()
            queue.progress(job_id, number, len(entities), f"Looked at {entity.title.lower()}")
            due_at = at + max(queries.EVERY, SHARE * (at - began))
            watching.keep(report, entity, look, by=by, began_at=began, at=at, due_at=due_at)


def _mark(watch: Watch | None, *, at: datetime) -> str:
    """Return what the next look may go on from; nothing, once a day, so that what no mark can tell is found too."""
    if watch is None or watch.whole_at is None or at - watch.whole_at >= WHOLE_EVERY:
        return ""
    try:
        return unseal(watch.mark) if watch.mark else ""
    except InvalidToken:  # of a key that is no longer used
        return ""


def _look(report: Report, entity: EntityResult, plan: Plan | None, *, mark: str, at: datetime) -> watching.Look:
    """Read one entity; return the records that came to differ, each with its cause."""
    already = known(entity, plan)
    assert plan is not None
    collector = collect(report.tenant_id, plan, known=already)
    aware = holding.aware(plan, tenant_id=report.tenant_id, at=at)
    looked = ports.comparison().look(aware, mark=mark, report=collector.add)
    found = judge(report.tenant_id, plan, collector.found, mapping_changed=plan.spec.label != entity.spec)
    shown = plan.spec.column(plan.spec.target_key).public
    return watching.Look(found, collector.total, keys_are_public=shown, looked=looked)


def collect(tenant_id: UUID, plan: Plan, *, known: Collection[str]) -> Collector:
    """Return what takes an entity's differences, but those of records that are known to differ."""
    return Collector(
        entity=plan.entity,
        secret=promises.secret(tenant_id=tenant_id),
        known=known,
        times={column.name for column in plan.spec.columns if column.type in drift.TIMES},
    )


def judge(tenant_id: UUID, plan: Plan, found: Sequence[Found], *, mapping_changed: bool) -> list[watching.Judged]:
    """Say of each differing record of an entity why it differs; both platforms are asked where it came from."""
    facts = list(_facts(tenant_id, plan, found, mapping_changed=mapping_changed))
    home = bool(barriers.why_shut(tenant_id=tenant_id))
    causes = drift.causes(facts, mapping_changed=mapping_changed, new_is_home=home)
    return list(zip(found, causes, strict=True))


def known(entity: EntityResult, plan: Plan | None) -> set[str]:
    """Return the names of the records that the comparison itself told of; those that drifted before it stay drift."""
    if plan is None:
        raise ports.Rejected(_UNMAPPED)
    if entity.verdict == Verdict.INCOMPLETE:
        raise ports.Rejected(_INCOMPLETE)
    if entity.differing is None:
        raise ports.Rejected(_UNTOLD)
    return set(entity.differing) - queries.names(tenant_id=entity.tenant_id, entity=entity.entity)


def _facts(tenant_id: UUID, plan: Plan, found: Sequence[Found], *, mapping_changed: bool) -> Iterator[Facts]:
    """Ask both platforms where the differing records came from, some at a time."""

    def read(keys: Sequence[str]) -> SourceRows:
        return ports.legacy().read_keys(spec=plan.spec, tenant_ref=plan.legacy_tenant, keys=keys)

    is_plain = plan.spec.column(plan.spec.target_key).type in PLAIN_KEYS
    for some in batched(found, _ASKED_AT_ONCE):
        keys = [one.key for one in some]
        origins = ports.mover().origins(account_id=tenant_id, spec=plan.spec, keys=keys, read=read)
        for one in some:
            origin = origins.get(one.key)
            yield _fact(one, origin, plan.spec, mapping_changed=mapping_changed) if is_plain else Facts(one, moved=True)


def _fact(found: Found, origin: Origin | None, spec: Any, *, mapping_changed: bool) -> Facts:
    if origin is None:
        return Facts(found, moved=False, by_former_mapping=mapping_changed and found.kind == "missing")
    former = origin.spec != spec.label
    # Another mapping may have read other columns, so that the row looks changed and is not.
    source = Source.UNKNOWN if former and origin.source == Source.CHANGED else Source(origin.source)
    return Facts(found, moved=True, source=source, by_former_mapping=former)


def explain(*, drift_id: UUID, reason: str, until: datetime, by: Actor, at: datetime) -> Drift:
    """Say why a record drifts that no fact explains; it counts until then, or until the record differs otherwise.

    Raises UnableToExplain for a drift that is over or explained by the facts, and without a reason or an end.
    """
    row = Drift.objects.get(pk=drift_id)
    by.require(Permission.EXPLAIN_DRIFT, tenant_id=row.tenant_id)
    if not reason.strip():
        raise UnableToExplain("Say why it differs: the reason is kept with it.")
    if not at < until <= at + LONGEST:
        raise UnableToExplain(f"An explanation counts for {LONGEST.days} days at most, and not in the past.")
    with transaction.atomic():
        explained = Drift.objects.filter(pk=row.pk, resolved_at=None, cause=Cause.UNKNOWN.value).update(
            explained_at=at, explained_by=by.known_id, explained_until=until, explanation=reason.strip()[:500]
        )
        if not explained:
            raise UnableToExplain("It is over, or the facts explain it meanwhile.", fix="Look at the list again.")
        data = {"entity": row.entity, "until": until}
        ledger.record("parity_reports.drift.explained", by=by, at=at, tenant_id=row.tenant_id, subject=row, data=data)
        watching.tell(row.tenant_id, row.entity)
    row.refresh_from_db()
    return row
