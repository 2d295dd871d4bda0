"""Drift: entities watched since their last whole comparison, and the records that came to differ since."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.models import Audit, TenantModel
from parity_reports.domain.drift import Cause

_NOT_EXPLAINED = Q(explained_at=None, explained_by=None, explained_until=None, explanation="")


class Watch(TenantModel):
    """How one entity stands since its last whole comparison. Rewritten by each re-check."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    report = models.ForeignKey("parity_reports.Report", on_delete=models.CASCADE, related_name="watches")
    entity = models.CharField(max_length=60)
    title = models.CharField(max_length=120)
    looked_at = models.DateTimeField(null=True, help_text="When it was last known of each record whether it differs.")
    began_at = models.DateTimeField(
        null=True, help_text="When that look began: how a record stood until then, it has seen."
    )
    whole_at = models.DateTimeField(
        null=True, help_text="When all of it was last read, and not only what was written since the look before."
    )
    mark = models.TextField(blank=True, help_text="What the next look goes on from, encrypted: it names records.")
    due_at = models.DateTimeField(help_text="When it is looked at again.")
    differing = models.BigIntegerField(default=0, help_text="Records that came to differ, as last counted.")
    causes = models.JSONField(default=dict, help_text="Those records by cause.")
    unlisted_since = models.DateTimeField(
        null=True, help_text="Since when there are more unexplained records than are kept one by one."
    )
    problem = models.TextField(blank=True, help_text="Why it could not be read, in words fit for the customer.")

    class Meta:
        verbose_name_plural = "watches"
        ordering = ("report", "entity")
        constraints = (
            models.UniqueConstraint(fields=("tenant", "entity"), name="parity_reports_watch_entity"),
            models.CheckConstraint(condition=Q(differing__gte=0), name="parity_reports_watch_differing"),
        )

    def __str__(self) -> str:
        return self.entity


class Drift(TenantModel):
    """One record that came to differ: what differs, why, and since when. Its values are not kept.

    What a re-check finds or no longer finds is one entry in the ledger; what a person explains is an entry of its own.
    """

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    entity = models.CharField(max_length=60)
    record = models.CharField(max_length=16, help_text="The record's name in this tenant's reports (keyed HMAC).")
    key = models.CharField(max_length=200, blank=True, help_text="Its key, where the mapping declares that public.")
    sealed_key = models.TextField(blank=True, help_text="Its key, encrypted, so that it can be put right.")
    kind = models.CharField(max_length=12)
    columns = models.JSONField(default=dict, help_text="Per differing column the kind of difference.")
    because = models.CharField(max_length=80, blank=True, help_text="The rule that keeps a missing record back.")
    cause = models.CharField(max_length=12, choices=[(cause.value, cause.label) for cause in Cause])
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    unexplained_since = models.DateTimeField(null=True, blank=True)
    explained_at = models.DateTimeField(null=True, blank=True)
    explained_by = models.UUIDField(null=True, blank=True)
    explained_until = models.DateTimeField(null=True, blank=True)
    explanation = models.CharField(max_length=500, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-first_seen_at", "entity", "record")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "entity", "record"),
                condition=Q(resolved_at=None),
                name="parity_reports_drift_one_open",
            ),
            models.CheckConstraint(
                condition=Q(cause__in=[cause.value for cause in Cause]), name="parity_reports_drift_cause"
            ),
            models.CheckConstraint(condition=Q(last_seen_at__gte=F("first_seen_at")), name="parity_reports_drift_seen"),
            models.CheckConstraint(
                condition=_NOT_EXPLAINED
                | Q(explained_at__isnull=False, explained_by__isnull=False, explained_until__gt=F("explained_at"))
                & ~Q(explanation=""),
                name="parity_reports_drift_explained",
            ),
            models.CheckConstraint(
                condition=~Q(cause=Cause.UNKNOWN.value) | Q(unexplained_since__isnull=False),
                name="parity_reports_drift_unexplained",
            ),
            models.CheckConstraint(
                condition=Q(cause=Cause.UNKNOWN.value) | Q(unexplained_since=None),
                name="parity_reports_drift_explained_by_facts",
            ),
        )
        indexes = (
            models.Index(
                fields=("tenant", "unexplained_since"),
                condition=Q(resolved_at=None),
                name="parity_reports_drift_open",
            ),
        )

    def __str__(self) -> str:
        return f"{self.entity} {self.record}"
