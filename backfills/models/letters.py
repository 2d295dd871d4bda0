"""The rows that a run rejected, and every time they were judged again."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.models import Audit, TenantModel


class DeadLetter(TenantModel):
    """A source row that was rejected: why, by which spec, how often. Its payload is encrypted.

    `first_at` is when that began: one that was put right, or rejected for another reason, begins anew.

    A waived one has no state of its own: it stays open, and a policy exception covers it until that expires.
    """

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    class State(models.TextChoices):
        OPEN = "open", "Open"
        RETRYING = "retrying", "Being tried again"
        RESOLVED = "resolved", "Resolved"

    run = models.ForeignKey("backfills.Run", on_delete=models.PROTECT, related_name="dead_letters")
    entity = models.CharField(max_length=60)
    source_key = models.TextField()
    state = models.CharField(max_length=20, choices=State.choices, default=State.OPEN)
    rule = models.CharField(max_length=80)
    sqlstate = models.CharField(max_length=5, blank=True)
    column = models.CharField(max_length=80, blank=True)
    spec = models.CharField(max_length=120)
    attempts = models.IntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    payload = models.BinaryField(blank=True, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "entity", "source_key"), name="backfills_letter_once"),
            models.CheckConstraint(condition=Q(attempts__gte=1), name="backfills_letter_attempts"),
            models.CheckConstraint(condition=Q(last_at__gte=F("first_at")), name="backfills_letter_times"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "retrying", "resolved"]), name="backfills_letter_state"
            ),
        )
        indexes = (models.Index(fields=("tenant", "entity", "state", "rule"), name="backfills_letter_groups"),)

    def __str__(self) -> str:
        return f"rejected row of {self.entity}"


UNRESOLVED = (DeadLetter.State.OPEN, DeadLetter.State.RETRYING)
"""The states of a row that has not moved."""


class Retry(TenantModel):
    """The rejected rows of a run, judged once more: by which spec, how many, and what became of them."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    run = models.ForeignKey("backfills.Run", on_delete=models.CASCADE, related_name="retries")
    state = models.CharField(max_length=20, choices=State.choices, default=State.RUNNING)
    spec = models.CharField(max_length=120, help_text="Entity, version and digest of the spec that judged them.")
    asked = models.BigIntegerField(help_text="Rows that were rejected when it began.")
    settled = models.BigIntegerField(default=0, help_text="Of these, how many are rejected no more.")
    changed = models.BigIntegerField(default=0, help_text="Rows of the new platform that it wrote.")
    after_batch = models.IntegerField(help_text="Batches that the run had before.")
    problem = models.TextField(blank=True, help_text="Why it was not finished; fit for the customer.")
    requested_by = models.UUIDField(null=True, blank=True, editable=False)
    requested_at = models.DateTimeField(editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "retries"
        ordering = ("-requested_at", "-id")
        constraints = (
            models.CheckConstraint(condition=Q(state__in=["running", "done", "failed"]), name="backfills_retry_state"),
            models.UniqueConstraint(
                fields=("tenant", "run"), condition=Q(state="running"), name="backfills_retry_one_running"
            ),
            models.CheckConstraint(
                condition=Q(state="running", finished_at=None) | (~Q(state="running") & Q(finished_at__isnull=False)),
                name="backfills_retry_finished",
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(problem=""), name="backfills_retry_says_why"),
            models.CheckConstraint(
                condition=Q(asked__gt=0, settled__gte=0, settled__lte=F("asked"), changed__gte=0),
                name="backfills_retry_figures",
            ),
        )

    def __str__(self) -> str:
        return f"retry of {self.asked} rows ({self.state})"
