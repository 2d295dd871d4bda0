"""The floor's own pages in the admin: jobs, findings, toggles, holds, tokens."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from core import holds, queue, readiness
from core.admin import PROGRAMME_NUMBERS, Number, StaffAdmin, operation
from core.domain.jobs import UNFINISHED
from core.models import Hold, Job, RecordedFinding, ToggleSetting, Token
from core.permissions import Permission
from core.toggles import TOGGLES
from portal.dashboard.queries import jobs

_PATIENCE = timedelta(minutes=1)
"""How long a due job may wait before somebody should look at the workers."""


@admin.register(Job)
class JobAdmin(StaffAdmin):
    """Every piece of work of the last weeks, and what became of it."""

    list_display = ("what", "tenant", "state", "attempts", "created_at", "finished_at", "problem")
    list_filter = ("state",)
    list_select_related = ("tenant",)
    search_fields = ("task", "key", "tenant__name")
    exclude = ("claim",)

    @admin.display(description="job", ordering="task")
    def what(self, job: Job) -> str:
        """Say what is done, in words where customers see it too."""
        return jobs.TITLES.get(job.task, job.task)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Show the newest first."""
        found: QuerySet[Job] = super().get_queryset(request)
        return found.order_by("-sequence")

    @operation("Try again", permission=Permission.MANAGE_RUNS, when=lambda job: job.state == queue.JobState.DEAD)
    def try_again(self, request: HttpRequest, job: Job, answers: Mapping[str, Any]) -> str:
        """Put a job that was given up back into the queue."""
        queue.retry(job.pk, by=self.actor(request))
        return "The job waits again, with a fresh count of attempts."

    @operation("Cancel", permission=Permission.MANAGE_RUNS, when=lambda job: job.state in UNFINISHED)
    def cancel(self, request: HttpRequest, job: Job, answers: Mapping[str, Any]) -> str:
        """Cancel a job that waits, or ask one that runs to stop."""
        queue.cancel(job.pk, by=self.actor(request))
        return "The job is cancelled; one that runs stops at its next step."


@admin.register(RecordedFinding)
class RecordedFindingAdmin(StaffAdmin):
    """What each check found, now and before."""

    list_display = ("about", "tenant", "outcome", "summary", "evaluated_at", "expires_at", "is_latest")
    list_filter = ("outcome", "is_latest")
    list_select_related = ("tenant",)
    search_fields = ("check_id", "tenant__name", "summary")

    @admin.display(description="check", ordering="check_id")
    def about(self, row: RecordedFinding) -> str:
        """Say what the check is called."""
        return readiness.title_of(row.check_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecordedFinding]:
        """Show the newest first."""
        found: QuerySet[RecordedFinding] = super().get_queryset(request)
        return found.order_by("-evaluated_at", "check_id")


class _TimeBoxedAdmin(StaffAdmin):
    """What holds for a time: the first to expire first."""

    list_filter: ClassVar[Any] = (("ended_at", admin.EmptyFieldListFilter),)
    list_select_related = ("tenant",)
    ordering: ClassVar[tuple[str, ...]] = ("expires_at",)


@admin.register(ToggleSetting)
class ToggleSettingAdmin(_TimeBoxedAdmin):
    """What is switched on for a tenant, and until when."""

    list_display = ("switch", "tenant", "reason", "switched_on_at", "expires_at", "ended_at")
    search_fields = ("name", "tenant__name", "reason")

    @admin.display(description="toggle", ordering="name")
    def switch(self, row: ToggleSetting) -> str:
        """Say what is switched on."""
        return TOGGLES[row.name].title if row.name in TOGGLES else row.name


def _is_legal_hold(hold: Hold) -> bool:
    return hold.kind == holds.LEGAL_HOLD and hold.ended_at is None


@admin.register(Hold)
class HoldAdmin(_TimeBoxedAdmin):
    """What must not be touched, and until when."""

    list_display = ("what", "tenant", "subject", "reason", "placed_at", "expires_at", "ended_at")
    search_fields = ("kind", "tenant__name", "reason")

    @admin.display(description="hold", ordering="kind")
    def what(self, hold: Hold) -> str:
        """Say what kind of hold it is."""
        return holds.KINDS[hold.kind].title if hold.kind in holds.KINDS else hold.kind

    @operation("Release", permission=Permission.MANAGE_OBLIGATIONS, when=_is_legal_hold)
    def release(self, request: HttpRequest, hold: Hold, answers: Mapping[str, Any]) -> str:
        """End a legal hold before its time."""
        holds.release(hold, by=self.actor(request), at=timezone.now())
        return "The hold is released."


@admin.register(Token)
class TokenAdmin(_TimeBoxedAdmin):
    """The tenants' machine tokens; their secrets are kept nowhere."""

    list_display = ("name", "tenant", "prefix", "scopes", "expires_at", "last_used_at", "revoked_at")
    list_filter: ClassVar[Any] = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "prefix", "tenant__name")
    exclude = ("sha256",)


def _numbers(at: datetime) -> list[Number]:
    depth = queue.depth(at=at)
    jobs = reverse("admin:core_job_changelist")
    late = depth.oldest_since is not None and at - depth.oldest_since > _PATIENCE
    wait = timesince(depth.oldest_since, at) if depth.oldest_since and late else "under a minute"
    return [
        Number("Longest wait of a job", wait, "1 minute", not late, f"{jobs}?state__exact=queued"),
        Number("Jobs given up", f"{depth.dead:,}", "none", depth.dead == 0, f"{jobs}?state__exact=dead"),
    ]


PROGRAMME_NUMBERS.add("queue", _numbers)
