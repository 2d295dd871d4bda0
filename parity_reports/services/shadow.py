"""Shadow reads: while traffic moves, reads that people make are made of both platforms, and what disagrees is told."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.conf import settings

from backfills.queries import movements
from core import holds, ports, queue, stages, toggles
from core.actor import Actor
from core.comparison import Plan
from core.errors import UseCaseError
from core.permissions import Permission
from core.sealing import unseal
from core.shadowing import Answer, Read
from core.stages import Traffic
from parity_reports.domain import redaction, shadow
from parity_reports.models import ShadowMismatch, ShadowRound, ShadowSample
from parity_reports.queries import promises, reads, reports
from parity_reports.queries import shadow as queries
from parity_reports.services import drift, holding, shadow_rounds
from parity_reports.services.shadow_rounds import Disagreement, Outcome

_AGAIN = 10
"""Mismatches that a round looks at again, those first that were looked at longest ago."""


class UnableToShadow(UseCaseError):
    """Shadow reads cannot begin now."""


def switch_on(*, tenant_id: UUID, until: datetime, reason: str, by: Actor, at: datetime) -> None:
    """Let reads be made of both platforms until then, from the canary to the end of the move.

    Raises UnableToShadow once the move is over, `toggles.UnableToSwitch` if they are on or without a reason or end.
    """
    by.require(Permission.RUN_PARITY, tenant_id=tenant_id)
    if stages.stage(tenant_id=tenant_id).traffic is Traffic.AFTER:
        raise UnableToShadow("Your move is over: everybody reads from the new platform alone.")
    toggles.switch_on(queries.TOGGLE.name, tenant_id=tenant_id, expires_at=until, reason=reason, by=by, at=at)


def switch_off(*, tenant_id: UUID, by: Actor, at: datetime) -> bool:
    """Make no more reads; a round that runs ends first. Say whether they were on. Safe to repeat."""
    return toggles.switch_off(queries.TOGGLE.name, tenant_id=tenant_id, by=by, at=at)


def request_due(*, by: Actor, at: datetime) -> int:
    """Enqueue a round for every tenant that is due one; return for how many. Needs a staff scope."""
    by.require(Permission.RUN_PARITY)
    tenant_ids = queries.due(at=at)
    for tenant_id in tenant_ids:
        queue.enqueue(queries.TASK, tenant_id=tenant_id, key="shadow", by=by)
    return len(tenant_ids)


def advance(*, tenant_id: UUID, by: Actor, now: Callable[[], datetime]) -> ShadowRound | None:
    """Make one round of the read that was not made for longest; None while there is nothing to do.

    Safe to repeat: before the next round is due, nothing happens. A platform that does not answer, or not in time, is
    left alone for longer each time; nothing is said of what was not read.
    """
    began = now()
    before = queries.last(tenant_id=tenant_id, at=began)
    if not _may(tenant_id, at=began) or (before and before.due_at > began):
        return None
    if (turn := _turn(tenant_id)) is None:
        return None
    plan, read = turn
    try:
        outcome = _read(plan, read, tenant_id=tenant_id, at=began)
    except (ports.Unavailable, ports.Rejected) as failure:
        outcome = Outcome(problem=str(failure))
    ended = now()
    pace = shadow.pace(
        slowed=before.slowed if before else 1,
        reads=outcome.reads,
        per_minute=settings.SHADOW_READS_PER_MINUTE,
        took=ended - began,
        strained=bool(outcome.problem) or _is_slower(outcome, tenant_id=tenant_id, read=read, plan=plan, at=ended),
        at=ended,
    )
    was_puzzling = queries.is_puzzling(tenant_id=tenant_id, at=began)
    kept = shadow_rounds.keep(plan, read, outcome, pace, tenant_id=tenant_id, by=by, began_at=began, at=ended)
    if not was_puzzling and any(found.is_unexplained for found in outcome.found):
        _look_closely(tenant_id, by=by, at=ended)
    return kept


def forget(*, at: datetime) -> int:
    """Delete what is too old to be shown, and samples whose time is over; return how many rows went.

    So is a mismatch that no round can see the end of, because its read is not declared any more. Accounts under a legal
    hold keep theirs.
    """
    return holds.remove(
        ShadowRound.objects.filter(expires_at__lte=at),
        ShadowSample.objects.filter(expires_at__lte=at),
        ShadowMismatch.objects.filter(resolved_at__lte=at - shadow.KEPT),
        ShadowMismatch.objects.filter(~queries.still_declared(), last_seen_at__lte=at - shadow.KEPT),
        at=at,
    )


def _may(tenant_id: UUID, *, at: datetime) -> bool:
    """Say whether reads are wanted now: while all data move, what differs is merely on its way."""
    return (
        stages.stage(tenant_id=tenant_id).traffic is Traffic.MOVING
        and toggles.is_on(queries.TOGGLE.name, tenant_id=tenant_id, at=at)
        and not movements.is_moving(tenant_id=tenant_id, apart_from_catch_ups=True)
    )


def _turn(tenant_id: UUID) -> tuple[Plan, Read] | None:
    """Return the read that was made longest ago or never, in the mapping's order."""
    declared, plans = reads.every(), promises.plans(tenant_id=tenant_id)
    made = {(row.entity, row.read): row.began_at for row in queries.latest(tenant_id=tenant_id)}
    turns = [(plan, read) for plan in plans for read in declared.get(plan.entity, ())]
    fresh = [turn for turn in turns if (turn[0].entity, turn[1].name) not in made]
    if fresh or not turns:
        return fresh[0] if fresh else None
    return min(turns, key=lambda turn: made[turn[0].entity, turn[1].name])


def _read(plan: Plan, read: Read, *, tenant_id: UUID, at: datetime) -> Outcome:
    """Make the reads of a round, and judge what differs by what the last comparison and provenance know."""
    known, changed = _last_comparison(tenant_id, plan)
    drawn, left, number = _sample(plan, read, tenant_id=tenant_id, at=at)
    again = {key: row for row in _still(tenant_id, plan, read) if (key := _opened(row.sealed_key))}
    keys = list(dict.fromkeys([*drawn, *again]))
    aware = holding.aware(plan, tenant_id=tenant_id, at=at)
    answers = ports.shadow_reader().ask(aware, read=read, keys=keys) if keys else ()
    about = _named(plan, read, answers, tenant_id=tenant_id)
    found = _judged(plan, answers, about=about, tenant_id=tenant_id, known=known, mapping_changed=changed)
    return Outcome(
        answers=answers,
        about=about,
        drawn=frozenset(drawn),
        found=tuple(found),
        again=frozenset(row.about for row in again.values()),
        left=tuple(left),
        number=number,
    )


def _named(plan: Plan, read: Read, answers: Sequence[Answer], *, tenant_id: UUID) -> dict[str, str]:
    """Return, by their keys, what answers are about, by its name in this tenant's reports."""
    secret = promises.secret(tenant_id=tenant_id)
    place = f"{plan.entity}.{read.name}" if read.by else plan.entity
    return {one.key: redaction.pseudonym(secret=secret, entity=place, key=one.about) for one in answers}


def _judged(
    plan: Plan,
    answers: Sequence[Answer],
    *,
    about: Mapping[str, str],
    tenant_id: UUID,
    known: frozenset[str],
    mapping_changed: bool,
) -> list[Disagreement]:
    """Return the answers that differ, each record with its cause, judged together as a re-check judges them."""
    takers = {}
    for answer in answers:
        taker = drift.collect(tenant_id, plan, known=known)
        for difference in answer.differences:
            taker.add(difference)
        takers[answer.key] = taker
    every = {one.record: one for taker in takers.values() for one in taker.found}
    judged = drift.judge(tenant_id, plan, list(every.values()), mapping_changed=mapping_changed)
    causes = {one.record: cause for one, cause in judged}
    return [
        Disagreement(
            answer=answer,
            about=about[answer.key],
            records=tuple((one, causes[one.record]) for one in takers[answer.key].found),
        )
        for answer in answers
        if answer.differences
    ]


def _last_comparison(tenant_id: UUID, plan: Plan) -> tuple[frozenset[str], bool]:
    """Return the records that the last comparison found different, and whether the mapping has changed since."""
    report = reports.latest(tenant_id=tenant_id)
    entity = report.entities.filter(entity=plan.entity).first() if report else None
    if entity is None:
        return frozenset(), False
    return frozenset(drift.known(entity, plan)), plan.spec.label != entity.spec


def _sample(plan: Plan, read: Read, *, tenant_id: UUID, at: datetime) -> tuple[list[str], list[str], int]:
    """Return the records of this round, those left for later ones, and the number of the drawing."""
    row = ShadowSample.objects.filter(tenant_id=tenant_id, entity=plan.entity, read=read.name).first()
    number, keys = (
        (row.number, json.loads(_opened(row.sealed_keys) or "[]")) if row and row.expires_at > at else (0, [])
    )
    if not keys:
        number = (row.number if row else 0) + 1
        # Nobody who does not hold the tenant's secret can tell which records will be read.
        seed = redaction.pseudonym(
            secret=promises.secret(tenant_id=tenant_id), entity=f"{plan.entity}.{read.name}", key=f"sample {number}"
        )
        keys = list(ports.shadow_reader().draw(plan, seed=seed, wanted=shadow.DRAWN))
    return keys[: shadow.BATCH], keys[shadow.BATCH :], number


def _opened(sealed: str) -> str:
    """Return what was sealed; nothing where it was with a key that is no longer used."""
    try:
        return unseal(sealed)
    except InvalidToken:
        return ""


def _still(tenant_id: UUID, plan: Plan, read: Read) -> Sequence[ShadowMismatch]:
    rows = queries.listed(tenant_id=tenant_id).filter(entity=plan.entity, read=read.name)
    return list(rows.order_by("last_seen_at", "about")[:_AGAIN])


def _is_slower(outcome: Outcome, *, tenant_id: UUID, read: Read, plan: Plan, at: datetime) -> bool:
    earlier = queries.of_window(tenant_id=tenant_id, at=at).filter(entity=plan.entity, read=read.name, slowed=1)
    usual = [shadow.percentile(row, 50) / 1e6 for row in earlier.values_list("legacy", flat=True) if row]
    return shadow.is_slower([answer.legacy for answer in outcome.compared], usual)


def _look_closely(tenant_id: UUID, *, by: Actor, at: datetime) -> None:
    """Have drift looked at now: there a person can explain what no fact does, or put it right."""
    with suppress(drift.UnableToLook):  # nothing was compared yet, or data move: drift is looked at afterwards
        drift.request(tenant_id=tenant_id, by=by, at=at)
