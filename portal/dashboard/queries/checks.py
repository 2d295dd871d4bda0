"""Preflight as a customer reads it: every check with what was found, what was expected and what to do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.urls import reverse

from accounts.queries.tenants import Tenant
from core import queue, readiness
from core.readiness import Line, Standing
from core.readiness.requesting import TASK

STATES = {
    Standing.PASSED: "pass",
    Standing.WARNED: "warn",
    Standing.COVERED: "covered",
    Standing.BLOCKED: "block",
    Standing.UNKNOWN: "unknown",
    Standing.EXPIRED: "expired",
    Standing.MISSING: "none",
}
"""How each standing looks; the names are those of `core.templatetags.crossing`."""

OWNERS = {
    "customer": "you",
    "technical": "our technical lead",
    "data": "our data lead",
    "integrations": "our integrations lead",
    "identity-billing": "our identity and billing lead",
    "cs": "your customer success manager",
    "sre": "our reliability lead",
    "legal-privacy": "our legal and privacy lead",
    "programme": "the programme manager",
}
ONLY_OURS = frozenset({"legal-privacy"})
"""Whose checks have a page to read and nothing there for the customer to do."""
GROUPS = {
    "accounts": "Access and domains",
    "entitlements": "Plan and limits",
    "integrations": "Integrations",
    "backfills": "Data moved",
    "parity_reports": "Data compared",
    "runbooks": "Runbook",
    "cutover": "Cutover",
    "comms": "Messages and support",
}
SHOWN_ROWS = 10
STUCK_AFTER = timedelta(minutes=2)
"""When a run that does not move is called stuck and can be stopped."""

_SPECIAL = {"found", "expected", "records"}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of evidence."""

    title: str
    columns: list[str]
    rows: list[list[tuple[str, str]]]
    """Per row its cells, each after the column that it stands in."""
    more: int


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check on the page."""

    id: str
    title: str
    state: str
    summary: str
    owner: str
    due: str
    blocks: bool
    needs_you: bool
    fix: str = ""
    found: str = ""
    expected: str = ""
    records: Sequence[Mapping[str, str]] = ()
    tables: Sequence[Table] = ()
    facts: Sequence[tuple[str, str]] = ()
    link: str = ""
    link_label: str = "Put it right"
    checked_at: datetime | None = None
    expires_at: datetime | None = None
    run_url: str = ""
    help_url: str = ""
    open: bool = False

    @property
    def slug(self) -> str:
        """The id as an HTML id."""
        return self.id.replace(".", "-").replace("_", "-")


@dataclass(frozen=True, slots=True)
class Running:
    """An evaluation that waits or runs."""

    job_id: UUID
    check_id: str
    message: str
    done: int
    total: int | None
    is_stuck: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class Preflight:
    """All checks of a tenant at one moment."""

    groups: list[tuple[str, list[CheckView]]]
    running: Running | None
    checks: list[CheckView] = field(default_factory=list)

    @property
    def passed(self) -> int:
        """How many let the gate open."""
        return sum(not check.blocks for check in self.checks)

    @property
    def yours(self) -> list[CheckView]:
        """What blocks and is this customer's turn."""
        return [check for check in self.checks if check.needs_you]

    @property
    def ours(self) -> list[CheckView]:
        """What blocks and is somebody else's turn."""
        return [check for check in self.checks if check.blocks and not check.needs_you]

    @property
    def unanswered(self) -> list[CheckView]:
        """What blocks only because nobody asked lately."""
        return [check for check in self.checks if check.state in ("none", "expired")]

    @property
    def news(self) -> str:
        """One sentence for the live region, once nothing runs any more."""
        if self.running or not self.checks:
            return ""
        return f"Checks finished: {self.passed} of {len(self.checks)} pass, {len(self.yours)} need you."


def read(*, tenant: Tenant, at: datetime, unfinished: Sequence[queue.JobView] | None = None) -> Preflight:
    """Return every check of the tenant, what blocks first; `unfinished` are its jobs, where the caller has them."""
    if unfinished is None:
        unfinished = queue.jobs(tenant.pk, task=TASK, unfinished=True, limit=1)
    running = _running(unfinished, at=at)
    checks = [_view(line, tenant=tenant, running=running) for line in readiness.overview(tenant_id=tenant.pk, at=at)]
    groups: dict[str, list[CheckView]] = {}
    for check in checks:
        app = check.id.partition(".")[0]
        groups.setdefault(GROUPS.get(app, app.replace("_", " ").capitalize()), []).append(check)
    for members in groups.values():
        members.sort(key=lambda check: (not check.blocks, not check.needs_you))
    ordered = sorted(groups.items(), key=lambda group: not any(check.blocks for check in group[1]))
    return Preflight(groups=ordered, running=running, checks=checks)


def waiting(tenant_id: UUID, *, at: datetime) -> int:
    """Return how many checks wait for the customer, for the sidebar."""
    return sum(line.blocks and _is_theirs(line) for line in readiness.overview(tenant_id=tenant_id, at=at))


def _is_theirs(line: Line) -> bool:
    """Say whether the customer can put a check right: it is theirs, or there is a page for it on which they can act."""
    return line.check.owner == "customer" or (bool(line.link) and line.check.owner not in ONLY_OURS)


def _running(unfinished: Iterable[queue.JobView], *, at: datetime) -> Running | None:
    job = next((job for job in unfinished if job.task == TASK), None)
    if job is None:
        return None
    since = job.started_at or job.created_at
    waits = job.state is queue.JobState.QUEUED
    message = job.problem or job.message or ("Waiting for a free worker" if waits else "Starting")
    return Running(job.id, job.key, message, job.progress.done, job.progress.total, at - since > STUCK_AFTER, since)


def _view(line: Line, *, tenant: Tenant, running: Running | None) -> CheckView:
    check, answer = line.check, line.answer
    state = STATES[line.standing]
    if line.blocks and state == "block" and not _is_theirs(line):
        state = "ours"
    if running and (running.check_id == check.id or running.message == check.title):
        state = "running"
    needs_you = line.blocks and _is_theirs(line) and state not in ("none", "running")
    calls = line.standing is Standing.WARNED or (line.blocks and state != "ours")
    shown: dict[str, Any] = {}
    summary = "Not asked yet"
    if answer is not None:
        finding = answer.finding
        summary = finding.summary
        evidence = finding.evidence or finding.facts
        shown = {
            "fix": finding.fix if line.blocks or line.standing is Standing.WARNED else "",
            "found": _words(evidence.get("found")) or ("nothing" if "expected" in evidence else ""),
            "expected": _words(evidence.get("expected")),
            "records": _records(evidence.get("records")),
            "tables": _tables(evidence),
            "facts": _facts(evidence),
            "checked_at": answer.evaluated_at,
            "expires_at": answer.expires_at,
        }
    if line.cover is not None:
        shown["facts"] = [("Exception", line.cover.title or "approved"), *shown["facts"]]
    return CheckView(
        id=check.id,
        title=check.title,
        state=state,
        summary=summary,
        owner=OWNERS.get(check.owner, check.owner),
        due=_due(check.due_days),
        blocks=line.blocks,
        needs_you=needs_you,
        link=_inside(line.link, tenant=tenant),
        link_label="Put it right" if calls else "See it",
        run_url=reverse("dashboard:run_check", args=[tenant.slug, check.id]),
        help_url=f"{reverse('comms:new_case', args=[tenant.slug])}?check={check.id}" if line.blocks else "",
        open=line.standing in (Standing.BLOCKED, Standing.UNKNOWN),
        **shown,
    )


def _due(days: int) -> str:
    """Say a day relative to the cutover in words."""
    if days == 0:
        return "on the day of the cutover"
    count = abs(days)
    return f"{count} day{'' if count == 1 else 's'} {'before' if days < 0 else 'after'} the cutover"


def _inside(link: str, *, tenant: Tenant) -> str:
    """Return the address of a path inside the tenant."""
    return reverse("dashboard:overview", args=[tenant.slug]) + link.lstrip("/") if link else ""


def _records(value: object) -> list[Mapping[str, str]]:
    if not isinstance(value, list):
        return []
    return [row for row in value if isinstance(row, dict) and {"type", "name", "value"} <= row.keys()]


def _tables(evidence: Mapping[str, Any]) -> list[Table]:
    found = []
    for name, value in evidence.items():
        rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
        if name in _SPECIAL or not rows:
            continue
        columns = {key: _label(key) for row in rows for key in row}
        cells = [[(label, _words(row.get(key))) for key, label in columns.items()] for row in rows[:SHOWN_ROWS]]
        found.append(Table(_label(name), list(columns.values()), cells, max(0, len(rows) - SHOWN_ROWS)))
    return found


def _facts(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (_label(name), _words(value))
        for name, value in evidence.items()
        if name not in _SPECIAL and not isinstance(value, dict) and not _is_elsewhere(value)
    ]


def _is_elsewhere(value: object) -> bool:
    """Say whether a value is nothing, or rows that stand in a table."""
    return value in ("", [], None) or (isinstance(value, list) and any(isinstance(row, dict) for row in value))


def _words(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case str() | float():
            return str(value)
        case Mapping():
            return ", ".join(f"{_label(str(key))}: {_words(item)}" for key, item in value.items())
        case Iterable():
            words = [_words(item) for item in value]
            more = f" and {len(words) - SHOWN_ROWS} more" if len(words) > SHOWN_ROWS else ""
            return ", ".join(words[:SHOWN_ROWS]) + more
    return str(value)


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
