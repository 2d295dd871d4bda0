"""The queue's rows: PostgreSQL is the truth about what is to be done."""

from typing import ClassVar, Self
from uuid import UUID, uuid4

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now

from core.domain.jobs import UNFINISHED, JobState
from core.models.base import Audit, TenantModel

_QUEUED = Q(state=JobState.QUEUED.value)
_RUNNING = Q(state=JobState.RUNNING.value)
_UNFINISHED = sorted(state.value for state in UNFINISHED)
"""Sorted, or each process would write another migration: a set of text has no order."""


class Jobs(models.QuerySet["Job"]):
    """Queries of jobs."""

    def of(self, tenant_id: UUID | None) -> Self:
        """Return a tenant's jobs, or the house's own (None)."""
        return self.filter(tenant__isnull=True) if tenant_id is None else self.filter(tenant_id=tenant_id)


class Job(models.Model):
    """One piece of work, for one tenant or (tenant null) for the house.

    `key` names the piece: of the same tenant, task and key at most one job waits. `lane` names what must not run
    side by side: of the same tenant and lane at most one job runs, in the order of `sequence`.
    """

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, null=True, related_name="+")
    task = models.CharField(max_length=200)
    key = models.CharField(max_length=200, blank=True, default="")
    lane = models.CharField(max_length=400, blank=True, default="")
    sequence = models.BigIntegerField(db_default=Func(Value("core_job_sequence"), function="nextval"), editable=False)
    payload = models.JSONField(default=dict)
    requested_by = models.UUIDField(null=True, blank=True)

    state = models.CharField(
        max_length=12,
        default=JobState.QUEUED.value,
        choices=[(state.value, state.value) for state in JobState],
    )
    attempts = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=5)
    created_at = models.DateTimeField(db_default=Now())
    not_before = models.DateTimeField(db_default=Now())
    rung_at = models.DateTimeField(null=True, blank=True)

    claim = models.UUIDField(
        null=True,
        blank=True,
        help_text="Proof of the present claim; a worker without it is late.",
    )
    claimed_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=200, blank=True, default="")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    cancel_asked_by = models.UUIDField(null=True, blank=True)

    done = models.BigIntegerField(default=0)
    first_done = models.BigIntegerField(default=0, help_text="What this attempt first said was done.")
    measured_at = models.DateTimeField(null=True, blank=True, help_text="When it first said so.")
    total = models.BigIntegerField(null=True, blank=True)
    message = models.CharField(
        max_length=500,
        blank=True,
        default="",
        help_text="What it is doing; the tenant sees it.",
    )
    problem = models.CharField(
        max_length=500,
        blank=True,
        default="",
        help_text="Why the last attempt failed; the tenant sees it.",
    )
    error = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="Class of the error, for staff.",
    )

    objects: ClassVar[models.Manager["Job"]] = Jobs.as_manager()

    class Meta:
        ordering = ("sequence",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "task", "key"),
                condition=_QUEUED & ~Q(key=""),
                nulls_distinct=False,
                name="core_job_one_waits_per_key",
            ),
            models.UniqueConstraint(
                fields=("tenant", "lane"),
                condition=_RUNNING & ~Q(lane=""),
                nulls_distinct=False,
                name="core_job_one_runs_per_lane",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in JobState]),
                name="core_job_state_known",
            ),
            models.CheckConstraint(
                condition=(
                    _RUNNING
                    & Q(
                        claim__isnull=False,
                        claimed_until__isnull=False,
                        started_at__isnull=False,
                    )
                )
                | (~_RUNNING & Q(claim=None, claimed_until=None)),
                name="core_job_claimed_while_running",
            ),
            models.CheckConstraint(
                condition=Q(state__in=_UNFINISHED, finished_at=None)
                | (~Q(state__in=_UNFINISHED) & Q(finished_at__isnull=False)),
                name="core_job_finished_pair",
            ),
            models.CheckConstraint(
                condition=Q(cancel_asked_at=None, cancel_asked_by=None)
                | Q(cancel_asked_at__isnull=False, cancel_asked_by__isnull=False),
                name="core_job_cancel_pair",
            ),
            models.CheckConstraint(
                condition=Q(done__gte=0) & (Q(total=None) | Q(total__gte=0)),
                name="core_job_progress_counts",
            ),
        )
        indexes = (
            models.Index(fields=("not_before",), condition=_QUEUED, name="core_job_waiting"),
            models.Index(fields=("claimed_until",), condition=_RUNNING, name="core_job_running"),
            models.Index(
                fields=("tenant", "lane", "sequence"),
                condition=Q(state__in=_UNFINISHED) & ~Q(lane=""),
                name="core_job_lane",
            ),
            models.Index(fields=("finished_at",), condition=Q(state=JobState.DEAD.value), name="core_job_dead"),
            models.Index("tenant", F("created_at").desc(), name="core_job_latest"),
            models.Index("task", F("created_at").desc(), name="core_job_by_task"),
        )

    def __str__(self) -> str:
        return f"{self.task} ({self.state})"


class Event(TenantModel):
    """Something that happened to a tenant, published in the transaction that made it happen."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    name = models.CharField(max_length=200)
    payload = models.JSONField(default=dict)
    published_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = (models.Index("tenant", F("published_at").desc(), name="core_event_latest"),)

    def __str__(self) -> str:
        return self.name
