"""Runs, their batches, and where every source row ended.

The truth about a run's progress stands in the new platform, in the transaction of each batch; `Batch`,
`OutcomeTotal` and `DeadLetter` are its picture here, rebuilt from there whenever a run goes on.
"""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from backfills.domain import lag
from backfills.domain.judgement import Fate
from backfills.domain.runs import ACTIVE, RunState
from core.models import Audit, TenantModel


class Run(TenantModel):
    """One pass over all rows of an entity of a tenant, or over those that changed: a catch-up."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    entity = models.CharField(max_length=60)
    state = models.CharField(max_length=20, choices=[(state.value, state.value.capitalize()) for state in RunState])
    spec = models.CharField(max_length=120, help_text="Entity, version and digest of the mapping spec.")
    source_total = models.BigIntegerField(null=True, blank=True, help_text="Rows in legacy, as last counted.")
    read = models.BigIntegerField(default=0)
    batches = models.IntegerField(default=0)
    changed = models.BigIntegerField(default=0, help_text="Rows of the new platform that the run wrote.")
    supplemented = models.IntegerField(default=0, help_text="Rows that the mapping itself supplied.")
    since = models.DateTimeField(
        null=True, blank=True, help_text="It reads only what changed since, by legacy's clock: a catch-up."
    )
    watermark = models.DateTimeField(null=True, blank=True, help_text="Legacy's clock when the run began.")
    blind_spot = models.TextField(
        blank=True,
        help_text="Why its watermark may pass what a long transaction of legacy changed; for customers.",
    )
    source_version = models.CharField(
        max_length=80, blank=True, help_text="Which file of legacy its rows come from: its digest. Empty for a server."
    )
    as_of = models.DateTimeField(
        null=True,
        blank=True,
        help_text="As of when its file holds everything, where the mapping says how that is known.",
    )
    removed = models.BigIntegerField(default=0, help_text="Objects of the new platform that the run removed.")
    held = models.BigIntegerField(
        default=0, help_text="Objects that it would have removed, kept under a legal hold or by legacy's own mark."
    )
    whole_because = models.TextField(blank=True, help_text="Why it reads every row although a catch-up was asked for.")
    standing = models.BooleanField(default=False, help_text="Nobody asked for it: a standing catch-up did.")
    problem = models.TextField(blank=True, help_text="Why it did not succeed; fit for the customer.")
    requested_by = models.UUIDField(null=True, blank=True, editable=False)
    requested_at = models.DateTimeField(editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    moved_at = models.DateTimeField(null=True, blank=True, help_text="When its last batch was committed.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-requested_at", "-id")
        indexes = (models.Index(fields=("tenant", "entity", "-requested_at"), name="backfills_run_latest"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in RunState]), name="backfills_run_state"
            ),
            models.UniqueConstraint(
                fields=("tenant", "entity"),
                condition=Q(state__in=sorted(state.value for state in ACTIVE)),
                name="backfills_run_one_active",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(state.value for state in ACTIVE)) | Q(finished_at__isnull=False),
                name="backfills_run_finished",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[RunState.SUCCEEDED.value, RunState.STOPPED.value])
                | Q(source_total__isnull=False),
                name="backfills_run_counted",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[RunState.FAILED.value, RunState.STOPPED.value, RunState.CANCELLED.value])
                | ~Q(problem=""),
                name="backfills_run_says_why",
            ),
            models.CheckConstraint(
                condition=Q(whole_because="") | Q(since__isnull=True), name="backfills_run_whole_or_since"
            ),
        )

    def __str__(self) -> str:
        return f"{self.entity} ({self.state})"

    @property
    def is_accounted(self) -> bool:
        """Whether every source row has its one outcome (the database holds to it)."""
        return RunState(self.state).is_accounted

    @property
    def arrived_until(self) -> datetime | None:
        """Up to which moment it brought everything over, once every row is accounted for; None where nobody knows."""
        return lag.arrived(
            started_at=self.started_at,
            source_version=self.source_version,
            watermark=self.watermark,
            as_of=self.as_of,
        )

    @property
    def is_catch_up(self) -> bool:
        """Whether a catch-up was asked for, be it that every row had to be read after all."""
        return self.since is not None or self.whole_because != ""


class Batch(TenantModel):
    """A batch that the new platform has committed."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="batch_rows")
    number = models.IntegerField()
    first_key = models.TextField()
    last_key = models.TextField()
    rows = models.BigIntegerField()
    changed = models.BigIntegerField()
    committed_at = models.DateTimeField()

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("tenant", "run", "number"), name="backfills_batch_once"),)

    def __str__(self) -> str:
        return f"batch {self.number}"


class OutcomeTotal(TenantModel):
    """How many source rows of a run ended so: the conservation ledger. Σ count = source, the database sees to it."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="totals")
    fate = models.CharField(max_length=20, choices=[(fate.value, fate.value.capitalize()) for fate in Fate])
    rule = models.CharField(max_length=80, blank=True)
    count = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "run", "fate", "rule"), name="backfills_total_once"),
            models.CheckConstraint(condition=Q(count__gte=0), name="backfills_total_count"),
            models.CheckConstraint(condition=Q(fate__in=[fate.value for fate in Fate]), name="backfills_total_fate"),
            models.CheckConstraint(
                condition=Q(fate=Fate.MIGRATED.value) | ~Q(rule=""), name="backfills_total_names_rule"
            ),
        )

    def __str__(self) -> str:
        return f"{self.fate} {self.rule} {self.count}"
