"""Inspections of legacy: what would become of every row, and all that is wrong with those that would be rejected."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.models import Audit, TenantModel


class Inspection(TenantModel):
    """One pass over all rows of a tenant that judges and moves nothing."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    state = models.CharField(max_length=20, choices=State.choices, default=State.RUNNING)
    mapping_sha256 = models.CharField(max_length=64, help_text="Of the labels of all specs, in their order.")
    problem = models.TextField(blank=True, help_text="Why it was not finished; fit for the customer.")
    requested_by = models.UUIDField(null=True, blank=True, editable=False)
    requested_at = models.DateTimeField(editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-requested_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["running", "done", "failed"]), name="backfills_inspection_state"
            ),
            models.UniqueConstraint(
                fields=("tenant",), condition=Q(state="running"), name="backfills_inspection_one_running"
            ),
            models.CheckConstraint(
                condition=Q(state="running", finished_at=None) | (~Q(state="running") & Q(finished_at__isnull=False)),
                name="backfills_inspection_finished",
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(problem=""), name="backfills_inspection_says_why"),
        )

    def __str__(self) -> str:
        return f"inspection ({self.state})"


class InspectedEntity(TenantModel):
    """An entity that an inspection has read to its end: `outcomes` lists (fate, rule, rows) as a run would count."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    inspection = models.ForeignKey(Inspection, on_delete=models.CASCADE, related_name="entities")
    entity = models.CharField(max_length=60)
    position = models.IntegerField()
    spec = models.CharField(max_length=120)
    rows = models.BigIntegerField()
    size = models.BigIntegerField(help_text="Bytes that were read.")
    seconds = models.FloatField(help_text="How long reading and judging took.")
    rejected = models.BigIntegerField()
    outcomes = models.JSONField(default=list)
    new = models.BigIntegerField(null=True, help_text="Objects that a run would make; empty where nobody can tell.")
    changed = models.BigIntegerField(null=True, help_text="Objects that a run would change.")
    same = models.BigIntegerField(null=True, help_text="Objects that a run would leave as they are.")
    gone = models.BigIntegerField(null=True, help_text="Objects that a run would remove.")

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "inspection", "entity"), name="backfills_inspected_once"),
            models.CheckConstraint(
                condition=Q(rejected__gte=0, rejected__lte=F("rows"), size__gte=0, seconds__gte=0),
                name="backfills_inspected_figures",
            ),
        )

    def __str__(self) -> str:
        return self.entity


class InspectedFault(TenantModel):
    """Rows with one fault. `examples` lists [key, value] of the first ones; what is not public was never written."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    inspected = models.ForeignKey(InspectedEntity, on_delete=models.CASCADE, related_name="faults")
    rule = models.CharField(max_length=80)
    column = models.CharField(max_length=80, blank=True)
    count = models.BigIntegerField()
    examples = models.JSONField(default=list)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "inspected", "rule", "column"), name="backfills_fault_once"),
            models.CheckConstraint(condition=Q(count__gt=0), name="backfills_fault_count"),
        )

    def __str__(self) -> str:
        return f"{self.rule} {self.column}: {self.count}"
