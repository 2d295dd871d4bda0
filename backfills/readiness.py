"""Checks that backfills contribute."""

from datetime import datetime, timedelta
from uuid import UUID

from backfills.domain import lag
from backfills.queries import inspections, movements, runs, standing, waivers
from backfills.queries import lag as lags
from core.findings import Finding, Outcome
from core.readiness import check


@check(
    "backfills.conserved",
    title="Every row is accounted for",
    owner="data",
    due="T-15",
    valid_for=timedelta(days=7),
    link="runs/",
)
def conserved(*, tenant_id: UUID, at: datetime) -> Finding:
    """No data loss: each legacy row ended exactly once, as moved, merged, left behind by a rule, or rejected.

    Material is that all are accounted for, and by which version of the mapping. By which run, and how many there are,
    is not: a source that people work in is caught up again and again.
    """
    moves = runs.moves(tenant_id=tenant_id)
    missing = [row for row in moves.rows if not row.is_accounted]
    facts = {
        "specs": {row.spec.entity: row.stands.spec for row in moves.rows if row.stands} if not missing else {},
        "missing": [row.spec.entity for row in missing],
    }
    evidence = {
        row.spec.entity: {
            "source": row.total,
            "outcomes": {f"{one.fate}:{one.rule}": one.count for one in row.outcomes},
        }
        for row in moves.rows
        if row.run
    }
    if not missing:
        several = "" if moves.legacy_rows == moves.accounted else ", for some rows become several objects"
        return Finding(
            Outcome.PASS,
            f"{moves.legacy_rows:,} legacy rows, {moves.accounted:,} outcomes{several}: nothing lost, nothing twice",
            facts=facts,
            evidence=evidence,
        )
    names = ", ".join(row.spec.title.lower() for row in missing)
    if moves.is_active:
        return Finding(
            Outcome.BLOCK,
            f"Your data is moving: {moves.accounted:,} of {moves.total:,} rows so far",
            facts=facts,
            evidence=evidence,
            fix="Wait for the runs to end; nothing for you to do.",
        )
    waiting = next((row for row in missing if row.is_active), None)
    if waiting:
        return Finding(
            Outcome.BLOCK,
            f"{waiting.spec.title} stand still: {waiting.trouble or 'the run is paused'}",
            facts=facts,
            evidence=evidence,
            fix="Let the run go on; it continues where it stands.",
        )
    failed = next((row for row in missing if row.run and row.run.problem), None)
    if failed and failed.run:
        return Finding(
            Outcome.BLOCK,
            f"{failed.spec.title} did not move to the end: {failed.run.problem}",
            facts=facts,
            evidence=evidence,
            fix="Start the run again; what has moved stays.",
        )
    return Finding(Outcome.BLOCK, f"Not moved yet: {names}", facts=facts, evidence=evidence, fix="Start the runs.")


@check(
    "backfills.dead_letters",
    title="Few enough rows were rejected",
    owner="customer",
    due="T-15",
    valid_for=timedelta(days=7),
    link="runs/",
)
def dead_letters(*, tenant_id: UUID, at: datetime) -> Finding:
    """Rejected rows above the mapping's threshold stop the line; each group says how it is put right."""
    moves = runs.moves(tenant_id=tenant_id)
    if not moves.has_begun:
        return Finding(Outcome.BLOCK, "Nothing has moved yet", facts={"rejected": None}, fix="Start the runs.")
    groups = [(row, group) for row in moves.rows for group in row.rejects]
    facts = {
        "rejected": {
            row.spec.entity: {f"{group.rule}:{group.column}": group.count for group in row.rejects}
            for row in moves.rows
            if row.rejects
        }
    }
    if not groups:
        return Finding(Outcome.PASS, "No row is rejected", facts=facts)
    worst = max(groups, key=lambda pair: pair[1].count)
    count = sum(group.count for _, group in groups)
    evidence = {
        f"{row.spec.entity}: {group.words.title}": {
            "rows": group.count,
            "why": group.words.because,
            "fix": group.words.fix,
        }
        for row, group in groups
    }
    over = [row for row in moves.rows if row.is_stopped]
    if over:
        return Finding(
            Outcome.BLOCK,
            f"{_rejected(count)}{', most of them' if len(groups) > 1 else ''}: {worst[1].words.because}",
            facts=facts,
            evidence=evidence,
            fix=worst[1].words.fix,
            items={
                waivers.item(entity=row.spec.entity, rule=group.rule, column=group.column): waivers.reach(group.newest)
                for row in over
                for group in row.rejects
            },
        )
    return Finding(
        Outcome.WARN,
        f"{_rejected(count)}, fewer than the mapping's limit; they stay behind unless they are corrected",
        facts=facts,
        evidence=evidence,
        fix=worst[1].words.fix,
    )


@check(
    "backfills.inspected",
    title="Your data was checked before it moves",
    owner="customer",
    due="T-30",
    valid_for=timedelta(days=14),
    link="runs/inspection/",
)
def inspected(*, tenant_id: UUID, at: datetime) -> Finding:
    """No surprise at the move: every row was judged beforehand, and what would be rejected is few or put right."""
    if movements.has_judged_everything(tenant_id=tenant_id):
        # What the runs rejected stands in `dead_letters`.
        return Finding(Outcome.PASS, "Every row was judged by a run since", facts={"moved": True})
    found = inspections.latest(tenant_id=tenant_id)
    facts = {
        "moved": False,
        "inspection": str(found.inspection.pk) if found.inspection and found.is_current else None,
        "over_limit": [row.spec.entity for row in found.over_limit],
    }
    if found.is_running:
        return Finding(
            Outcome.BLOCK, "Your data is being checked", facts=facts, fix="Wait for the check; nothing for you to do."
        )
    if not found.is_current:
        reason = "Your data was not checked yet"
        if found.inspection:
            reason = "The check was not finished" if not found.is_done else "The mapping has changed since the check"
        return Finding(Outcome.BLOCK, reason, facts=facts, fix="Check your data; nothing moves.")
    evidence = {
        repair.fix: {f"{one.spec.entity}: {one.words.title}": one.count for one in repair.faults}
        for repair in found.repairs
    }
    if found.over_limit:
        return Finding(
            Outcome.BLOCK,
            f"{found.rejected:,} of {found.total:,} rows would be rejected, more than the mapping allows",
            facts=facts,
            evidence=evidence,
            fix=found.repairs[0].fix,
        )
    if found.rejected:
        return Finding(
            Outcome.WARN,
            f"{found.rejected:,} of {found.total:,} rows would be rejected, fewer than the mapping's limit",
            facts=facts,
            evidence=evidence,
            fix=found.repairs[0].fix,
        )
    return Finding(Outcome.PASS, f"{found.total:,} rows were checked, none would be rejected", facts=facts)


@check(
    "backfills.caught_up",
    title="What changes in legacy arrives within minutes",
    owner="data",
    due="T-2",
    valid_for=timedelta(minutes=30),
    link="runs/",
)
def caught_up(*, tenant_id: UUID, at: datetime) -> Finding:
    """At most five minutes of work are lost should legacy be lost now (the RPO); behind by half an hour blocks.

    It is asked of entities whose mapping says what tells of changes, and while traffic moves of all.
    """
    behind = lags.behind(tenant_id=tenant_id, at=at)
    facts = {"counted": [one.entity for one in behind.counted] if not behind.shut else []}
    if behind.shut:
        return Finding(Outcome.PASS, "You work on the new platform: nothing more is brought over", facts=facts)
    worst, longest = behind.worst, behind.longest
    if worst is None:
        summary = "It does not count yet: full runs bring everything over"
        return Finding(Outcome.PASS, summary, facts=facts)
    if worst.trouble:
        return Finding(Outcome.BLOCK, worst.trouble, facts=facts, fix=worst.fix)
    if longest is None:
        return Finding(
            Outcome.UNKNOWN, f"{worst.title} have not moved yet, so nobody knows", facts=facts, fix="Start the runs."
        )
    now = standing.of_tenant(tenant_id=tenant_id, at=at)
    evidence = {
        "minutes": {one.title: _minutes(one.behind(at=at)) for one in behind.counted},
        "target_minutes": _minutes(lag.RPO),
        "by_itself_until": now.until,
        "every_minutes": now.pace.every if now.is_on else None,
        "may_be_passed_over": f"{lag.UNSEEN} {behind.blind_spot}" if behind.blind_spot else None,
    }
    if behind.outcome is Outcome.PASS:
        summary = f"At most {behind.words} behind legacy; the target is {lag.words(lag.RPO)}"
        if behind.blind_spot:
            summary += ". What a transaction of more than 5 minutes changed may come later"
        return Finding(Outcome.PASS, summary, facts=facts, evidence=evidence)
    told, fix = f"{worst.title} are {behind.words} behind legacy", _how_to_catch_up(tenant_id, worst.entity, now)
    if worst.is_of_old_file and worst.is_exported:
        told = f"The export of {worst.title.lower()} is {behind.words} old"
        fix = f"Export them again, put the file in the old one's place, and move it. {fix}"
    elif worst.is_of_old_file:
        told = f"The latest change in the file of {worst.title.lower()} was {behind.words} ago"
        fix = f"Put a newer file in its place. {fix}"
    summary = f"{told}; the target is {lag.words(lag.RPO)}"
    return Finding(behind.outcome, summary, facts=facts, evidence=evidence, fix=fix)


def _rejected(count: int) -> str:
    return "1 row is rejected" if count == 1 else f"{count:,} rows are rejected"


def _how_to_catch_up(tenant_id: UUID, entity: str, now: standing.Standing) -> str:
    if reason := standing.why_not(tenant_id=tenant_id, entities=[entity]):
        return f"{reason} Move them in full."
    if not now.is_on:
        return "Let what changes be brought over by itself: “Keep catching up” on the page “Your data”."
    return now.resting or "It goes on by itself. If something is paused there, let it go on."


def _minutes(length: timedelta | None) -> int | None:
    return None if length is None else int(length.total_seconds() // 60)
