"""What of a move was accepted as it is: the comparison it is judged by, and the rejected rows that stay behind."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from core import readiness
from core.approvals import reading
from core.domain import gates
from core.domain.gates import Standing
from core.models import ApprovalRequest
from cutover.queries import gates as go_no_go
from parity_reports.domain import verdict
from parity_reports.domain.verdict import Tally, Verdict
from parity_reports.queries import reports

PARITY, INVARIANTS, REJECTED = "parity_reports.parity", "parity_reports.invariants", "backfills.dead_letters"


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparison that a move is judged by: its digest, what it found, and whether that was accepted."""

    sha256: str = ""
    differences: int = 0
    broken: int = 0
    exceptions: tuple[str, ...] = ()
    is_accepted: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """Rows that were rejected and never moved: how many there are, and of how many nobody accepted that."""

    rows: int = 0
    open: int = 0
    exceptions: tuple[str, ...] = ()


def compared(*, tenant_id: UUID, at: datetime) -> Compared:
    """Return the comparison that a move is judged by.

    That is the latest where it found both platforms equal. Else it is the one that was signed with the go/no-go,
    whatever came later: who works on the new platform differs from legacy by right. Without a signature the latest
    counts as far as its findings are within the charter's targets, or exceptions cover them.
    """
    latest = reports.latest(tenant_id=tenant_id)
    if latest is not None and latest.verdict == Verdict.EQUAL:
        return Compared(latest.sha256, is_accepted=True)
    signed = go_no_go.approved(tenant_id=tenant_id)
    if signed is not None and (found := _signed(signed)):
        return found
    if latest is None:
        return Compared()
    found = Compared(latest.sha256, latest.tally.errors, latest.invariants_total - latest.invariants_passed)
    if latest.verdict != Verdict.DIFFERENT:
        return found
    rate = verdict.pass_rate(passed=latest.invariants_passed, total=latest.invariants_total)
    beyond = {PARITY} if latest.tally.error_rate > verdict.PARITY_ERROR_TARGET else set()
    beyond |= {INVARIANTS} if found.broken and rate < verdict.INVARIANT_TARGET else set()
    covers = readiness.covers(tenant_ids=[tenant_id], at=at).get(tenant_id, [])
    covering = {cover.check_id: cover.exception_id for cover in covers if cover.check_id in beyond and not cover.items}
    return replace(found, exceptions=tuple(sorted(covering.values())), is_accepted=covering.keys() == beyond)


def rejected(*, tenant_id: UUID, at: datetime) -> Rejected:
    """Return the rejected rows as they stand.

    Accepted are those within the mapping's limit, as many of a kind as were signed with the go/no-go, and those that an
    exception lets stay behind now.
    """
    finding = readiness.CHECKS[REJECTED].ask(tenant_id=tenant_id, at=at)
    now = _by_item(finding.facts)
    rows = sum(now.values())
    if finding.outcome.opens or not rows:
        return Rejected(rows)
    signed = go_no_go.approved(tenant_id=tenant_id)
    frozen = _frozen(signed).get(REJECTED, {}) if signed else {}
    before = _by_item(frozen.get("facts", {}))
    others = {item: reach for item, reach in finding.items.items() if now[item] > before.get(item, 0)}
    exceptions = {str(frozen["exception"])} if frozen.get("exception") and len(others) < len(finding.items) else set()
    if others:
        answer = gates.Answer(REJECTED, replace(finding, items=others), at, at + readiness.CHECKS[REJECTED].valid_for)
        covers = readiness.covers(tenant_ids=[tenant_id], at=at).get(tenant_id, [])
        (line,) = gates.lines(checks=[readiness.CHECKS[REJECTED]], answers={REJECTED: answer}, covers=covers, at=at)
        if line.standing is not Standing.COVERED or line.cover is None:
            return Rejected(rows, sum(now[item] for item in others))
        exceptions.add(line.cover.exception_id)
    return Rejected(rows, exceptions=tuple(sorted(exceptions)))


def told(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return what an attestation says of it: counts, and by whose leave."""
    signed = go_no_go.approved(tenant_id=tenant_id)
    comparison, letters = compared(tenant_id=tenant_id, at=at), rejected(tenant_id=tenant_id, at=at)
    return {
        "differences": comparison.differences,
        "broken_invariants": comparison.broken,
        "rejected_rows": letters.rows,
        "exceptions": sorted({*comparison.exceptions, *letters.exceptions}),
        "go_no_go_sha256": signed.pack.evidence_sha256 if signed else "",
    }


def _signed(request: ApprovalRequest) -> Compared | None:
    """Return the comparison as it was frozen: its findings opened the gate, by the targets or by an exception."""
    report = reading.frozen(request, "parity_reports.report")
    if report.get("verdict") not in (Verdict.EQUAL, Verdict.DIFFERENT):
        return None
    frozen = _frozen(request)
    exceptions = (frozen.get(check, {}).get("exception") for check in (PARITY, INVARIANTS))
    return Compared(
        report["sha256"],
        Tally(**report["counts"]).errors,
        report["invariants"]["total"] - report["invariants"]["passed"],
        tuple(sorted({one for one in exceptions if one})),
        is_accepted=True,
    )


def _frozen(request: ApprovalRequest) -> dict[str, dict[str, Any]]:
    return {finding["check"]: finding for finding in reading.frozen_findings(request)}


def _by_item(facts: Mapping[str, Any]) -> dict[str, int]:
    """Return the rejected rows that a check's facts count, by the name that an exception calls them."""
    by_entity = facts.get("rejected") or {}
    return {f"{entity}:{group}": rows for entity, groups in by_entity.items() for group, rows in groups.items()}
