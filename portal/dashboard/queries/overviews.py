"""The overview of one tenant: where the move stands, what it needs, and its figures beside their targets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse

from accounts.queries.tenants import Tenant
from core import navigation, panels
from core.actor import Actor
from core.charts import Goal, Point
from core.permissions import Permission
from cutover.domain.phases import ORDER, Phase
from parity_reports.queries import screens
from portal.dashboard.queries import activity, checks, figures, jobs, phases
from portal.dashboard.queries.figures import Figure

BEFORE_CUTOVER = frozenset(ORDER[: ORDER.index(Phase.CANARY)])
SHOWN_CHECKS = 8
SHOWN_ENTRIES = 6


@dataclass(frozen=True, slots=True)
class Action:
    """The one thing to do next."""

    label: str
    href: str
    why: str
    what: str = ""
    posts: bool = False
    """Whether it is a form to send rather than a page to open."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the overview shows."""

    way: phases.Way
    preflight: checks.Preflight
    shown: list[checks.CheckView]
    action: Action | None
    figures: list[Figure]
    live: list[jobs.Row]
    activity: list[activity.Entry]
    parity: list[Point]
    goal: Goal
    may_see_activity: bool
    may_see_parity: bool
    panels: list[dict[str, Any]]
    """What the apps contribute, each with its template."""

    @property
    def more(self) -> int:
        """How many checks the page leaves to the preflight page."""
        return len(self.preflight.checks) - len(self.shown)

    @property
    def needs_you(self) -> str:
        """How many checks are this customer's turn, in words."""
        count = len(self.preflight.yours)
        return f"{count} need{'s' if count == 1 else ''} you"

    @property
    def ready(self) -> bool:
        """Whether nothing blocks."""
        return not any(check.blocks for check in self.preflight.checks)

    @property
    def polls(self) -> bool:
        """Whether something moves, so that the page asks again."""
        return bool(self.live)


def read(*, tenant: Tenant, by: Actor, at: datetime) -> Overview:
    """Return the overview as it stands at the moment, with what this person may see and do."""
    unfinished = jobs.unfinished(tenant.pk)
    found = checks.read(tenant=tenant, at=at, unfinished=unfinished)
    zone = ZoneInfo(tenant.time_zone)
    way = phases.read(tenant_id=tenant.pk, zone=zone, progress=_progress(found))
    may_see_runs = by.can(Permission.VIEW_RUNS, tenant_id=tenant.pk)
    may_see_ledger = by.can(Permission.VIEW_LEDGER, tenant_id=tenant.pk)
    parity = screens.trend(tenant_id=tenant.pk, zone=zone).equal
    blockers = sum(check.blocks for check in found.checks)
    return Overview(
        way=way,
        preflight=found,
        shown=sorted(found.checks, key=lambda check: (not check.blocks, not check.needs_you))[:SHOWN_CHECKS],
        action=_action(tenant, way.phase, found, by),
        figures=figures.read(tenant_id=tenant.pk, phase=way.phase, blockers=blockers, parity=parity, at=at),
        live=jobs.live(unfinished, at=at) if may_see_runs else [],
        activity=activity.read(tenant_id=tenant.pk, limit=SHOWN_ENTRIES).entries if may_see_ledger else [],
        parity=parity,
        goal=figures.PARITY_GOAL,
        may_see_activity=may_see_ledger,
        may_see_parity=by.can(Permission.VIEW_PARITY, tenant_id=tenant.pk),
        panels=panels.read(tenant=tenant, by=by, at=at),
    )


def _progress(found: checks.Preflight) -> str:
    return f"{found.passed} of {len(found.checks)} checks pass" if found.checks else ""


def _action(tenant: Tenant, phase: Phase, found: checks.Preflight, by: Actor) -> Action | None:
    """Choose the one next step; None when nothing is this person's to do."""
    may_run = by.can(Permission.RUN_CHECKS, tenant_id=tenant.pk)
    if phase not in BEFORE_CUTOVER or found.running or not found.checks:
        return None
    if found.unanswered and may_run:
        count = len(found.unanswered)
        why = f"{count} check{'' if count == 1 else 's'} of {len(found.checks)} have no answer that still holds."
        return Action("Run the checks", reverse("dashboard:run_checks", args=[tenant.slug]), why, posts=True)
    if found.yours:
        first = found.yours[0]
        why = f"{first.summary.rstrip('.')}. {first.fix}".strip()
        href = (may_run and first.link) or reverse("dashboard:preflight", args=[tenant.slug])
        return Action("Next step", href, why, what=first.title)
    may_read = by.can(Permission.VIEW_EVIDENCE, tenant_id=tenant.pk)
    if may_read and not found.ours and (go_no_go := navigation.find("cutover.go_no_go")) is not None:
        may_sign = by.can(Permission.APPROVE_CUTOVER, tenant_id=tenant.pk)
        why = "Everything passes: the go/no-go can be asked for and signed."
        return Action("Review and sign" if may_sign else "Review", reverse(go_no_go.url, args=[tenant.slug]), why)
    return None
