"""Asking the checks: each by itself, so that one which crashes leaves the others' answers standing."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from core import ledger, outbox, ports, queue, tenancy
from core.actor import Actor
from core.domain.checks import Check, expiry
from core.domain.gates import Answer
from core.errors import NotFound, UseCaseError
from core.findings import Finding, Outcome
from core.models import RecordedFinding
from core.permissions import Permission
from core.readiness.reading import latest
from core.readiness.registry import CHECKS

log = logging.getLogger(__name__)

_KEPT = timedelta(days=366)

AGAIN = "It is asked again by itself within minutes; you can also run it again now."
_CRASHED = Finding(Outcome.UNKNOWN, "This check could not be completed because of a fault on our side", fix=AGAIN)
_NO_ANSWER = Finding(Outcome.UNKNOWN, "The system that this check asks did not answer", fix=AGAIN)
_REFUSED = Finding(
    Outcome.UNKNOWN,
    "The system that this check asks refused the question",
    fix="We have been told and look into it. Run the check again once you hear from us.",
)
_TOO_LONG = Finding(Outcome.UNKNOWN, "This check took too long and was stopped", fix=AGAIN)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A check's answer with what only staff sees."""

    check: Check
    finding: Finding
    took_ms: int
    error: str = ""

    def moved(self, before: list[Any] | None) -> bool:
        """Say whether what an approval stands on differs from the answer before: the outcome, a material fact."""
        return [self.finding.outcome.value, self.finding.facts] != before


def evaluate(
    *,
    tenant_id: UUID,
    by: Actor,
    at: datetime,
    checks: Collection[str] | None = None,
    job_id: UUID | None = None,
    requested_by: UUID | None = None,
) -> dict[str, Answer]:
    """Ask the named checks (None: all) about a tenant, record their answers and return the latest of each.

    Checks run outside any transaction; then all answers and one ledger entry are written in one. An evaluation that
    is cancelled or runs out of time records what it has. Publishes `core.findings.moved` with the `check_ids` whose
    outcome or material facts differ from before. `requested_by` is whoever asked a task to do it. Safe to
    repeat. Raises `NotFound` for an unknown check.
    """
    by.require(Permission.RUN_CHECKS, tenant_id=tenant_id)
    tenancy.forbid_transaction("Evaluating checks")
    wanted = [*CHECKS] if checks is None else sorted(set(checks))
    if unknown := [check_id for check_id in wanted if check_id not in CHECKS]:
        raise NotFound(f"There is no check called “{unknown[0]}”.")
    asked: list[_Asked] = []
    try:
        for number, check_id in enumerate(wanted):
            check = CHECKS[check_id]
            queue.progress(job_id, number, len(wanted), check.title)
            asked.append(_ask(check, tenant_id=tenant_id, at=at))
            if asked[-1].finding is _TOO_LONG:
                break
        queue.progress(job_id, len(wanted), len(wanted))
    except (queue.Cancelled, queue.TimedOut):
        _record(asked, tenant_id=tenant_id, by=by, at=at, requested_by=requested_by, complete=False)
        raise
    complete = len(asked) == len(wanted)
    _record(asked, tenant_id=tenant_id, by=by, at=at, requested_by=requested_by, complete=complete)
    if not complete:
        raise queue.TimedOut
    found = latest(tenant_id=tenant_id)
    return {check_id: found[check_id] for check_id in wanted}


def prune(*, at: datetime) -> int:
    """Delete answers given more than a year ago that newer ones replaced; evidence packs hold copies of theirs.

    Needs a staff scope.
    """
    old = RecordedFinding.objects.filter(is_latest=False, evaluated_at__lt=at - _KEPT)
    return old.delete()[0]


def _ask(check: Check, *, tenant_id: UUID, at: datetime) -> _Asked:
    """Ask one check; whatever happens, there is an answer, and no error's text is in it."""
    began, error = monotonic(), ""
    try:
        finding = _sound(check.ask(tenant_id=tenant_id, at=at))
    except queue.TimedOut as trouble:
        finding, error = _TOO_LONG, type(trouble).__name__
    except ports.Unavailable as trouble:
        log.warning("readiness.no_answer check=%s tenant=%s", check.id, tenant_id)
        finding, error = _NO_ANSWER, type(trouble).__name__
    except ports.Rejected as trouble:
        log.warning("readiness.refused check=%s tenant=%s", check.id, tenant_id)
        finding, error = _REFUSED, type(trouble).__name__
    except UseCaseError as refusal:
        finding, error = Finding(Outcome.UNKNOWN, refusal.message, fix=refusal.fix or AGAIN), type(refusal).__name__
    except Exception as trouble:  # a check is a guest: its crash is an answer, and an unknown one blocks
        log.exception("readiness.crashed check=%s tenant=%s", check.id, tenant_id)
        finding, error = _CRASHED, type(trouble).__name__
    return _Asked(check, finding, took_ms=int((monotonic() - began) * 1000), error=error)


def _sound(finding: object) -> Finding:
    """Return the finding as it will be read back from its row; raises when it is none or is no JSON."""
    if not isinstance(finding, Finding):
        raise TypeError(f"A check returned {type(finding).__name__}, not a Finding.")
    facts, evidence, items = (
        json.loads(json.dumps(dict(part), cls=DjangoJSONEncoder, allow_nan=False))
        for part in (finding.facts, finding.evidence, finding.items)
    )
    return replace(finding, outcome=Outcome(finding.outcome), facts=facts, evidence=evidence, items=items)


def _record(
    asked: list[_Asked], *, tenant_id: UUID, by: Actor, at: datetime, requested_by: UUID | None, complete: bool
) -> None:
    if not asked:
        return
    evaluation_id = uuid4()
    with transaction.atomic():
        _take_turns(tenant_id)
        ours = {one.check.id for one in asked}
        present = RecordedFinding.objects.filter(tenant_id=tenant_id, check_id__in=ours, is_latest=True)
        newer = set(present.filter(evaluated_at__gt=at).values_list("check_id", flat=True))
        before = {check_id: said for check_id, *said in present.values_list("check_id", "outcome", "facts")}
        present.exclude(check_id__in=newer).update(is_latest=False)
        RecordedFinding.objects.bulk_create(
            RecordedFinding(
                tenant_id=tenant_id,
                check_id=one.check.id,
                outcome=one.finding.outcome.value,
                summary=one.finding.summary[:500],
                fix=one.finding.fix,
                link=one.finding.link[:500],
                facts=one.finding.facts,
                evidence=one.finding.evidence,
                items=one.finding.items,
                evaluation_id=evaluation_id,
                evaluated_at=at,
                evaluated_by=requested_by or by.known_id,
                expires_at=expiry(check=one.check, outcome=one.finding.outcome, at=at),
                took_ms=one.took_ms,
                error=one.error,
                is_latest=one.check.id not in newer,
            )
            for one in asked
        )
        moved = [one.check.id for one in asked if one.check.id not in newer and one.moved(before.get(one.check.id))]
        if moved:
            outbox.publish("core.findings.moved", tenant_id=tenant_id, check_ids=moved)
        ledger.record(
            "core.readiness.evaluated",
            by=by,
            at=at,
            tenant_id=tenant_id,
            subject=("core.evaluation", evaluation_id),
            data={
                "outcomes": {one.check.id: one.finding.outcome.value for one in asked},
                "complete": complete,
                "requested_by": str(requested_by) if requested_by else None,
            },
        )


def _take_turns(tenant_id: UUID) -> None:
    """Let one evaluation of a tenant write at a time; the one that began later stays the latest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"core.readiness:{tenant_id}"])
