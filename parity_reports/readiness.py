"""What parity reports ask before a tenant may move: equal platforms, invariants, reads alike, workflows tried."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from backfills.queries import movements
from core.findings import Finding, Outcome
from core.readiness import check
from parity_reports.domain import drift, verdict
from parity_reports.domain.drift import Cause
from parity_reports.domain.ladder import Method
from parity_reports.domain.trials import Trial
from parity_reports.domain.verdict import Verdict
from parity_reports.models import Report
from parity_reports.queries import catalogue, reliances, reports, shadow, shadow_verdicts
from parity_reports.queries import drift as drift_queries

VALID_FOR = timedelta(days=1)
_AGAIN = "Run a new comparison on the parity page."


@check("parity_reports.parity", title="Both platforms hold the same records", owner="data", due="T-2",
       valid_for=VALID_FOR, link="parity/")  # fmt: skip
def parity(*, tenant_id: UUID, at: datetime) -> Finding:
    """Only a whole comparison counts, and only while nothing moved since it began."""
    report = reports.latest(tenant_id=tenant_id)
    glance = reports.latest_glance(tenant_id=tenant_id)
    if report is None:
        return _glanced(glance) if glance else _unknown(None, "")
    if doubt := _doubt(report, at) or _contradiction(report, glance):
        return _unknown(report, doubt)
    tally, evidence = report.tally, _evidence(report)
    if not tally.errors:
        kept = f", and {tally.on_hold:,} are kept under a hold" if tally.on_hold else ""
        summary = f"All {tally.compared:,} records are equal{kept}"
        return Finding(Outcome.PASS, summary, facts=_facts(report), evidence=evidence)
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


@check("parity_reports.drift", title="Nothing drifts since the comparison", owner="data", due="T-2",
       valid_for=timedelta(minutes=30), link="parity/drift/")  # fmt: skip
def drift_explained(*, tenant_id: UUID, at: datetime) -> Finding:
    """What changed in legacy since is normal before the move; what nobody can explain is not."""
    now = drift_queries.standing(tenant_id=tenant_id, at=at)
    if now.report is None:
        return _unknown(None, "")
    causes = {cause.value: number for cause, number in now.causes.items()}
    odd = [cause for cause in (Cause.CLOCK, Cause.RULE) if now.causes.get(cause)]
    facts = {"unexplained": bool(now.unexplained), "causes": [cause.value for cause in odd]}
    evidence = {"run": now.report.run, "differing": now.differing, "by_cause": causes}
    if now.unexplained:
        overdue = drift.is_overdue(now.unexplained_since, at=at)
        return Finding(
            Outcome.BLOCK if overdue else Outcome.WARN,
            f"{_records(now.unexplained)} since the comparison, and nobody knows why yet",
            facts=facts,
            evidence=evidence,
            fix="Our data lead finds out why. Nothing of it is yours to do.",
        )
    if not now.is_known(at=at):
        fix = " ".join(filter(None, (now.problem, "We look again by ourselves as soon as both platforms answer.")))
        return Finding(Outcome.UNKNOWN, "Nobody could look for an hour", facts=facts, evidence=evidence, fix=fix)
    if odd:
        summary = f"{_records(sum(now.causes[cause] for cause in odd))} since the comparison: {odd[0].label.lower()}"
        return Finding(Outcome.WARN, summary, facts=facts, evidence=evidence, fix=odd[0].meaning)
    if now.differing:
        summary = f"{_records(now.differing)} since the comparison, each for a known reason"
        return Finding(Outcome.PASS, summary, facts=facts, evidence=evidence)
    return Finding(Outcome.PASS, "Nothing came to differ since the comparison", facts=facts, evidence=evidence)


_OUTCOMES: Mapping[str, Outcome] = {
    "block": Outcome.BLOCK,
    "warn": Outcome.WARN,
    "unknown": Outcome.UNKNOWN,
}


@check("parity_reports.shadow_reads", title="Reads are answered alike while traffic moves", owner="data", due="T0",
       valid_for=timedelta(minutes=30), link="parity/shadow/")  # fmt: skip
def shadow_reads(*, tenant_id: UUID, at: datetime) -> Finding:
    """From the canary to the end of the move, reads that nobody compares are no evidence; before it none is asked."""
    now = shadow.standing(tenant_id=tenant_id, at=at)
    told = shadow_verdicts.tell(now, at=at)
    outcome = _OUTCOMES.get(told.state, Outcome.PASS)
    return Finding(
        outcome,
        told.headline,
        facts={"stage": now.stage.traffic.value, "unexplained": bool(now.unexplained)},
        evidence={name: getattr(now.tally, name) for name in now.tally.__slots__},
        fix="" if outcome is Outcome.PASS else told.text,
    )


def _records(number: int) -> str:
    return "1 record came to differ" if number == 1 else f"{number:,} records came to differ"


@check("parity_reports.workflows_covered", title="A guide for everything that changes", owner="cs", due="T-14",
       valid_for=VALID_FOR, link="what-changed/?all=1")  # fmt: skip
def workflows_covered(*, tenant_id: UUID, at: datetime) -> Finding:
    """Nobody should meet a changed screen that no guide for their role tells of."""
    found = reliances.ux_parity(tenant_ids=[tenant_id], at=at)[tenant_id]
    facts = {"unguided": [f"{name}: {role}" for name, role in found.unguided], "described": bool(found.workflows)}
    evidence = {"segment": found.segment, "workflows": found.workflows, "differing": found.differing}
    if not found.workflows:
        return Finding(
            Outcome.BLOCK,
            "The workflows of your segment are not described yet",
            facts=facts,
            evidence=evidence,
            fix="We describe them, old beside new; nothing of it is yours to do.",
        )
    if found.unguided:
        titles = _titles(name for name, _ in found.unguided)
        return Finding(
            Outcome.BLOCK,
            f"{len(titles)} of {found.differing} workflows that change have no guide for everyone who does them",
            facts=facts,
            evidence={**evidence, "without_guide": titles},
            fix=f"We write a guide for: {', '.join(titles[:3])}{' and others' if titles[3:] else ''}.",
        )
    summary = f"All {found.differing} workflows that change have a guide for everyone who does them"
    return Finding(Outcome.PASS, summary, facts=facts, evidence=evidence)


@check("parity_reports.workflows_tried", title="Workflows you rely on were tried", owner="customer", due="T-3",
       valid_for=VALID_FOR, link="what-changed/?all=1")  # fmt: skip
def workflows_tried(*, tenant_id: UUID, at: datetime) -> Finding:
    """What a customer says they cannot do without was tried by them, is bridged for a time, or is accepted."""
    relied = list(reliances.of_tenant(tenant_id=tenant_id, at=at).values())
    facts = {"relied_on": {one.row.workflow: one.trial.value for one in relied}}
    if not relied:
        return Finding(
            Outcome.WARN,
            "Nobody has said which workflows you rely on",
            facts=facts,
            fix="Mark those you cannot do without, have somebody try each, and confirm it; with none, leave it so.",
        )
    still = [one for one in relied if one.trial.blocks]
    if not still:
        evidence = {"tried_or_decided": _titles(one.row.workflow for one in relied)}
        return Finding(Outcome.PASS, f"All {len(relied)} are tried or decided", facts=facts, evidence=evidence)
    first = still[0]
    return Finding(
        Outcome.BLOCK,
        f"{len(still)} of {len(relied)} you rely on: {_what_is_open(first)}" + (", and more" if still[1:] else ""),
        facts=facts,
        evidence={"open": _titles(one.row.workflow for one in still)},
        fix=_FIXES[first.trial] if first.workflow else "Take it off your list, or ask us to describe it again.",
        link=f"what-changed/workflows/{first.row.workflow}/" if first.workflow else "",
    )


_FIXES: Mapping[Trial, str] = {
    Trial.TO_TRY: "Have somebody try it on the new platform, then confirm it on its page.",
    Trial.MISSING: "On its page, keep the old way for a time, or accept the difference with a reason.",
}


def _what_is_open(relied: reliances.Relied) -> str:
    if relied.workflow is None:
        return f"“{relied.row.workflow}” is no longer described"
    what = "is not tried yet" if relied.trial is Trial.TO_TRY else "is not on the new platform"
    return f"“{relied.workflow.title}” {what}"


def _titles(names: Iterable[str]) -> list[str]:
    known = catalogue.read().workflows.workflows
    return list(dict.fromkeys(known[name].title if name in known else name for name in names))


def _glanced(glance: Report) -> Finding:
    """Answer where there is no more than a comparison by checksums or of a sample: it never opens the gate."""
    if glance.method == Method.SAMPLE:
        told = "Only a sample was compared" + (", and it agrees" if glance.verdict == Verdict.SAMPLED else "")
    else:
        told = "Only checksums were compared"
    return Finding(Outcome.UNKNOWN, told, evidence=_evidence(glance), fix="Run a full comparison on the parity page.")


def _contradiction(report: Report, glance: Report | None) -> str:
    """Say what a later look by checksums or at a sample found that the full comparison did not, or nothing."""
    if glance is None or glance.requested_at < report.requested_at:
        return ""
    errors, known = glance.tally.errors, report.tally.errors
    if glance.verdict != Verdict.DIFFERENT or not errors or (known and glance.method == Method.SAMPLE):
        return ""
    if errors <= known:
        return ""
    what = "A sample" if glance.method == Method.SAMPLE else "A comparison by checksums"
    return f"{what} found records that differ since the last full comparison ({errors:,})"


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
        **({"on_hold": report.on_hold} if report.on_hold else {}),
        "invariants": report.invariants_total,
        "invariants_passed": report.invariants_passed,
    }
