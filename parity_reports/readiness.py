"""What parity reports ask before a tenant may move: equal platforms, and invariants that hold."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from backfills.queries import movements
from core.findings import Finding, Outcome
from core.readiness import check
from parity_reports.domain import verdict
from parity_reports.domain.verdict import Verdict
from parity_reports.models import Report
from parity_reports.queries import reports

VALID_FOR = timedelta(days=1)
_AGAIN = "Run a new comparison on the parity page."


@check("parity_reports.parity", title="Both platforms hold the same records", owner="data", due="T-2",
       valid_for=VALID_FOR, link="parity/")  # fmt: skip
def parity(*, tenant_id: UUID, at: datetime) -> Finding:
    """Only a whole comparison counts, and only while nothing moved since it began."""
    report = reports.latest(tenant_id=tenant_id)
    if report is None or (doubt := _doubt(report, at)):
        return _unknown(report, doubt if report else "")
    tally, evidence = report.tally, _evidence(report)
    if not tally.errors:
        return Finding(
            Outcome.PASS, f"All {tally.compared:,} records are equal", facts=_facts(report), evidence=evidence
        )
    within = tally.error_rate <= verdict.PARITY_ERROR_TARGET
    return Finding(
        Outcome.WARN if within else Outcome.BLOCK,
        f"{tally.errors:,} of {tally.compared:,} records differ ({100 * tally.error_rate:.2f} %, target 0.1 %)",
        facts=_facts(report),
        evidence=evidence,
        fix="The differences are within the target; look at them in the report."
        if within
        else "The report names what differs and the rule that holds it back. Put it right, move again, compare again.",
    )


@check("parity_reports.invariants", title="Every invariant holds", owner="data", due="T-2",
       valid_for=VALID_FOR, link="parity/")  # fmt: skip
def invariants(*, tenant_id: UUID, at: datetime) -> Finding:
    """Counts, sums and references, counted apart from the comparison of records."""
    report = reports.latest(tenant_id=tenant_id)
    if report is None or (doubt := _doubt(report, at)):
        return _unknown(report, doubt if report else "")
    total, passed = report.invariants_total, report.invariants_passed
    if passed == total:
        return Finding(Outcome.PASS, f"All {total} invariants hold", facts=_facts(report), evidence=_evidence(report))
    broken = list(reports.broken(report).values_list("entity", "code"))
    names = [f"{entity}: {code}" for entity, code in broken]
    rate = verdict.pass_rate(passed=passed, total=total)
    return Finding(
        Outcome.WARN if rate >= verdict.INVARIANT_TARGET else Outcome.BLOCK,
        f"{len(broken)} of {total} invariants do not hold ({100 * rate:.1f} % pass, target 99.9 %)",
        facts={**_facts(report), "broken": names},
        evidence=_evidence(report),
        fix="The report lists each one with what was expected and what was found.",
    )


def _doubt(report: Report, at: datetime) -> str:
    """Say why a report cannot be relied on (any more), or nothing."""
    if report.verdict == Verdict.INCOMPLETE:
        return "The last comparison is incomplete"
    moved_at = movements.last_moved_at(tenant_id=report.tenant_id)
    if moved_at is not None and moved_at > report.requested_at:
        return "Data moved after the last comparison"
    if report.finished_at is None or at - report.finished_at > VALID_FOR:
        return "The last comparison is more than a day old"
    return ""


def _unknown(report: Report | None, doubt: str) -> Finding:
    if report is None:
        return Finding(Outcome.UNKNOWN, "The platforms were not compared yet", fix=_AGAIN)
    reason = report.problem.splitlines()[0] if report.problem else ""
    return Finding(Outcome.UNKNOWN, doubt, evidence=_evidence(report), fix=" ".join(filter(None, (reason, _AGAIN))))


def _facts(report: Report) -> Mapping[str, Any]:
    return {"verdict": report.verdict, "mapping_sha256": report.mapping_sha256}


def _evidence(report: Report) -> Mapping[str, Any]:
    return {
        "run": report.run,
        "sha256": report.sha256,
        "compared": report.compared,
        "errors": report.tally.errors,
        "invariants": report.invariants_total,
        "invariants_passed": report.invariants_passed,
    }
