"""Cutovers in the staff's admin, and what they add to the tenants' list, the tenant's page and the front page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.queries import staff
from core import readiness, stop_the_line
from core.admin import (
    PROGRAMME_NUMBERS,
    PROGRAMME_PANELS,
    TENANT_COLUMNS,
    TENANT_PANELS,
    Number,
    ProgrammePanel,
    StaffAdmin,
    TenantColumn,
    TenantPanel,
    operation,
)
from core.charts import Point
from core.permissions import Permission, staff_grants
from core.readiness import Line
from cutover.domain.phases import MOVING, ORDER, Phase
from cutover.models import Cutover, PhaseChange
from cutover.queries import cutovers, pages
from cutover.services import cutovers as services
from cutover.services import phases


class PhaseForm(forms.Form):
    """Where to, and why."""

    target = forms.ChoiceField(label="Phase", choices=[(phase.value, phase.label) for phase in Phase])
    reason = forms.CharField(
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed for every move that is no step forward; it is kept with the history.",
    )


def _runbook_owners() -> list[tuple[str, str]]:
    able = [person for person in staff.people() if _may_own(person.pk)]
    return [(str(person.pk), str(person)) for person in able]


def _may_own(user_id: UUID) -> bool:
    return Permission.SIGN_AS_RUNBOOK_OWNER in staff_grants(staff.roles_of(user_id=user_id))


class OwnerForm(forms.Form):
    """The one runbook owner of a tenant."""

    owner = forms.ChoiceField(label="Runbook owner", choices=_runbook_owners)


class WaveForm(forms.Form):
    """The group that moves together."""

    wave = forms.CharField(max_length=40)


@admin.register(Cutover)
class CutoverAdmin(StaffAdmin):
    """Every tenant's cutover: phase, window, wave and who signs."""

    list_display = ("tenant", "phase", "phase_since", "window_starts_at", "wave", "runbook_owner")
    list_filter = ("phase", "wave")
    list_select_related = ("tenant", "runbook_owner")
    search_fields = ("tenant__name", "wave")
    ordering = ("phase_since",)

    @operation("Move to another phase", permission=Permission.MOVE_PHASE, form=PhaseForm)
    def move(self, request: HttpRequest, cutover: Cutover, answers: Mapping[str, Any]) -> str:
        """Move the tenant; into the cutover itself only a signed go/no-go moves it."""
        target, by = Phase(answers["target"]), self.actor(request)
        phases.advance(tenant_id=cutover.tenant_id, target=target, by=by, at=timezone.now(), reason=answers["reason"])
        return f"{cutover.tenant} is in phase {target.label} now."

    @operation("Assign the runbook owner", permission=Permission.MANAGE_STEPS, form=OwnerForm)
    def assign(self, request: HttpRequest, cutover: Cutover, answers: Mapping[str, Any]) -> str:
        """Assign who signs for us; a request that waits keeps the signers it was made with."""
        by, user_id = self.actor(request), UUID(answers["owner"])
        changed = services.assign_runbook_owner(tenant_id=cutover.tenant_id, user_id=user_id, by=by, at=timezone.now())
        return f"{changed.runbook_owner} owns the runbook of {cutover.tenant}."

    @operation("Put into a wave", permission=Permission.MANAGE_TENANTS, form=WaveForm)
    def put_in_wave(self, request: HttpRequest, cutover: Cutover, answers: Mapping[str, Any]) -> str:
        """Put the tenant into the group it moves with."""
        by = self.actor(request)
        services.put_in_wave(tenant_id=cutover.tenant_id, wave=answers["wave"], by=by, at=timezone.now())
        return f"{cutover.tenant} moves with the wave “{answers['wave']}”."


@admin.register(PhaseChange)
class PhaseChangeAdmin(StaffAdmin):
    """The history of phases."""

    list_display = ("cutover", "source", "target", "changed_at", "reason")
    list_filter = ("target",)
    list_select_related = ("cutover__tenant",)
    ordering = ("-changed_at",)


def _first(lines: tuple[Line, ...]) -> Line | None:
    return min(
        (line for line in lines if line.blocks), key=lambda line: (line.check.due_days, line.check_id), default=None
    )


def _by_tenant(tenant_ids: list[UUID]) -> dict[UUID, Cutover]:
    return {row.tenant_id: row for row in cutovers.of_many(tenant_ids=tenant_ids)}


def _age(row: Cutover) -> str:
    days = (timezone.now() - row.phase_since).days
    return "today" if days == 0 else f"{days} day{'' if days == 1 else 's'}"


def _window(row: Cutover) -> str:
    return f"{row.window_starts_at:%d %b %Y %H:%M} UTC" if row.window_starts_at else "not set"


def _blockers(tenant_ids: list[UUID]) -> dict[UUID, str]:
    found = readiness.overview_of_many(tenant_ids=tenant_ids, at=timezone.now(), brief=True)
    told = {}
    for tenant_id, lines in found.items():
        first = _first(lines)
        count = sum(line.blocks for line in lines)
        told[tenant_id] = f"{count}: {first.check.title} ({first.check.owner}, {first.check.due})" if first else "none"
    return told


def _checks_panel(tenant_id: UUID) -> Mapping[str, Any]:
    lines = readiness.overview(tenant_id=tenant_id, at=timezone.now())
    return {"lines": sorted(lines, key=lambda line: (not line.blocks, line.check.due_days, line.check_id))}


def _cutover_panel(tenant_id: UUID) -> Mapping[str, Any]:
    row = cutovers.find(tenant_id=tenant_id)
    return {
        "cutover": row,
        "url": reverse("admin:cutover_cutover_change", args=[row.pk]) if row else "",
        "history": cutovers.history(tenant_id=tenant_id),
        "request": pages.newest(tenant_id=tenant_id),
        "alarms": stop_the_line.raised(tenant_id=tenant_id, at=timezone.now()),
        "moves": row is not None and Phase(row.phase) in MOVING,
    }


def _numbers(at: datetime) -> list[Number]:
    counted = cutovers.count_by_phase()
    total = sum(counted.values())
    moving = sum(counted.get(phase, 0) for phase in (Phase.CANARY, Phase.RAMP, Phase.FULL))
    past = sum(counted.get(phase, 0) for phase in (Phase.STABILISE, Phase.DECOMMISSION, Phase.DONE))
    stopped = sum(counted.get(phase, 0) for phase in (Phase.HALTED, Phase.ROLLED_BACK))
    listed = reverse("admin:cutover_cutover_changelist")
    return [
        Number(
            "Go/no-go waiting", f"{pages.count_waiting():,}", "for signatures", None, reverse("staff_cutover:waiting")
        ),
        Number("Tenants", f"{total:,}", f"{moving:,} moving, {past:,} past their cutover", None, listed),
        Number("Halted or rolled back", f"{stopped:,}", "none", stopped == 0, f"{listed}?phase__exact=halted"),
    ]


def _phases_panel(at: datetime) -> Mapping[str, Any]:
    counted = cutovers.count_by_phase()
    shown = [*ORDER, Phase.HALTED, Phase.ROLLED_BACK]
    return {"points": [Point(phase.label, counted.get(phase, 0)) for phase in shown]}


def _attention_panel(at: datetime) -> Mapping[str, Any]:
    rows = list(cutovers.every().exclude(phase__in=(Phase.DISCOVER, Phase.DONE))[:25])
    overviews = readiness.overview_of_many(tenant_ids=[row.tenant_id for row in rows], at=at, brief=True)
    told = [
        {
            "cutover": row,
            "age": _age(row),
            "blocking": sum(line.blocks for line in overviews[row.tenant_id]),
            "first": (first := _first(overviews[row.tenant_id])),
            "owner": first.check.owner.replace("-", " and ") if first else "",
            "url": reverse("admin:accounts_tenant_change", args=[row.tenant_id]),
        }
        for row in rows
    ]
    return {"rows": sorted(told, key=lambda item: -item["blocking"])}


TENANT_COLUMNS.add("phase", TenantColumn("phase", _by_tenant, tell=lambda row: row.get_phase_display()))
TENANT_COLUMNS.add("age", TenantColumn("in phase for", _by_tenant, tell=_age))
TENANT_COLUMNS.add("window", TenantColumn("cutover window", _by_tenant, tell=_window))
TENANT_COLUMNS.add("owner", TenantColumn("runbook owner", _by_tenant, tell=lambda row: str(row.runbook_owner or "–")))
TENANT_COLUMNS.add("blockers", TenantColumn("blockers, the next one first", _blockers))
TENANT_PANELS.add("cutover", TenantPanel("Cutover", "admin/panels/cutover.html", _cutover_panel, order=5))
TENANT_PANELS.add("checks", TenantPanel("Checks", "admin/panels/checks.html", _checks_panel, order=10))
PROGRAMME_NUMBERS.add("cutover", _numbers)
PROGRAMME_PANELS.add(
    "attention", ProgrammePanel("Needs attention", "admin/panels/attention.html", _attention_panel, 10)
)
PROGRAMME_PANELS.add("phases", ProgrammePanel("Tenants by phase", "admin/panels/phases.html", _phases_panel, 20))
