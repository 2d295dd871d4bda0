"""What the checks found: the whole history, with the latest answer of each check marked."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.findings import Outcome
from core.models.base import Audit, TenantModel


class RecordedFinding(TenantModel):
    """One answer of one check about a tenant; written once, only `is_latest` is ever taken back."""

    # Each evaluation leaves one entry with the digest of its answers.
    audit: ClassVar[Audit] = Audit.OPERATIONAL

    check_id = models.CharField(max_length=200)
    outcome = models.CharField(max_length=10, choices=[(outcome.value, outcome.value) for outcome in Outcome])
    summary = models.CharField(max_length=500)
    fix = models.TextField(blank=True, default="")
    link = models.CharField(max_length=500, blank=True, default="")
    facts = models.JSONField(default=dict)
    evidence = models.JSONField(default=dict)
    items = models.JSONField(default=dict, help_text="What it blocks on, by name, and how far each goes.")
    evaluation_id = models.UUIDField(help_text="The evaluation it was part of.")
    evaluated_at = models.DateTimeField()
    evaluated_by = models.UUIDField()
    expires_at = models.DateTimeField()
    took_ms = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True, default="", help_text="Class of a crash, for staff.")
    is_latest = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "check_id"), condition=Q(is_latest=True), name="core_recordedfinding_one_latest"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=[outcome.value for outcome in Outcome]), name="core_recordedfinding_outcome"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("evaluated_at")), name="core_recordedfinding_expires_later"
            ),
        )
        indexes = (
            models.Index("tenant", "check_id", F("evaluated_at").desc(), name="core_recordedfinding_history"),
            models.Index(fields=("expires_at",), condition=Q(is_latest=True), name="core_recordedfinding_expiring"),
        )

    def __str__(self) -> str:
        return f"{self.check_id}: {self.outcome}"
