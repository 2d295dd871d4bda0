"""Shadow reads: the records that are sampled, the rounds in which they were read, and what did not agree."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.models import Audit, TenantModel
from parity_reports.domain.drift import Cause
from parity_reports.domain.shadow import Ending


class ShadowSample(TenantModel):
    """Records drawn for one read and not read yet. Rounds take from it; it is drawn anew when it is empty or old."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    entity = models.CharField(max_length=60)
    read = models.CharField(max_length=60)
    number = models.PositiveIntegerField(help_text="How often it was drawn: the seed follows from it.")
    sealed_keys = models.TextField(help_text="Their keys in legacy, encrypted.")
    drawn_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ("entity", "read")
        constraints = (
            models.UniqueConstraint(fields=("tenant", "entity", "read"), name="parity_reports_shadowsample_read"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("drawn_at")), name="parity_reports_shadowsample_expires"
            ),
        )

    def __str__(self) -> str:
        return f"{self.entity} {self.read}"


class ShadowRound(TenantModel):
    """One round of reads: what they found, how long they took, and when the next may begin."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    entity = models.CharField(max_length=60)
    read = models.CharField(max_length=60)
    title = models.CharField(max_length=160)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    compared = models.PositiveIntegerField(default=0)
    mismatched = models.PositiveIntegerField(default=0)
    newer = models.PositiveIntegerField(
        default=0, help_text="Reads that differ because people work on the new platform already."
    )
    known = models.PositiveIntegerField(
        default=0, help_text="Reads that differ as the last comparison says; no mismatch."
    )
    settled = models.PositiveIntegerField(default=0, help_text="Reads that agreed once they were made again.")
    unasked = models.PositiveIntegerField(default=0, help_text="Sampled records that led to no comparison.")
    legacy = models.JSONField(default=list, help_text="What each read took legacy, in microseconds.")
    new = models.JSONField(default=list, help_text="What each read took the new platform, in microseconds.")
    slowed = models.PositiveSmallIntegerField(default=1, help_text="One of so many of the agreed reads is made.")
    due_at = models.DateTimeField(help_text="When the next round may begin.")
    problem = models.TextField(blank=True, help_text="Why nothing could be read, in words fit for the customer.")
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ("-began_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(mismatched__lte=F("compared") - F("newer") - F("known")),
                name="parity_reports_shadowround_counts",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__gte=F("began_at"), due_at__gte=F("began_at"), expires_at__gt=F("ended_at")),
                name="parity_reports_shadowround_times",
            ),
            models.CheckConstraint(condition=Q(slowed__gte=1), name="parity_reports_shadowround_slowed"),
        )
        indexes = (models.Index(fields=("tenant", "-began_at"), name="parity_reports_shadowround_new"),)

    def __str__(self) -> str:
        return f"{self.entity} {self.read}"


class ShadowMismatch(TenantModel):
    """One read whose answers did not agree: what differs, why, and since when. No value of a record is kept.

    It is made again in every round of its read until it agrees. What a round finds, or no longer finds, is one entry
    in the ledger.
    """

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    entity = models.CharField(max_length=60)
    read = models.CharField(max_length=60)
    title = models.CharField(max_length=160)
    about = models.CharField(max_length=16, help_text="What was asked for, by its name in this tenant's reports.")
    shown = models.CharField(max_length=200, blank=True, help_text="What was asked for, where the mapping opens it.")
    sealed_key = models.TextField(blank=True, help_text="The sampled record's key in legacy, encrypted.")
    names = models.JSONField(
        default=list, help_text="The differing records by their names in reports; if some are unexplained, those alone."
    )
    records = models.PositiveIntegerField(help_text="How many records differ in the answer.")
    kind = models.CharField(max_length=12)
    columns = models.JSONField(default=dict, help_text="Per differing column the kind of difference.")
    because = models.CharField(max_length=80, blank=True, help_text="The rule that keeps a missing record back.")
    cause = models.CharField(max_length=12, choices=[(cause.value, cause.label) for cause in Cause])
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    unexplained_since = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    ended = models.CharField(
        max_length=8, blank=True, choices=[(each.value, each.label) for each in Ending], help_text="How it ended."
    )

    class Meta:
        verbose_name_plural = "shadow mismatches"
        ordering = ("-first_seen_at", "entity", "about")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "entity", "read", "about"),
                condition=Q(resolved_at=None),
                name="parity_reports_shadowmismatch_one_open",
            ),
            models.CheckConstraint(
                condition=Q(cause__in=[cause.value for cause in Cause]), name="parity_reports_shadowmismatch_cause"
            ),
            models.CheckConstraint(
                condition=Q(last_seen_at__gte=F("first_seen_at")), name="parity_reports_shadowmismatch_seen"
            ),
            models.CheckConstraint(
                condition=Q(cause=Cause.UNKNOWN.value, unexplained_since__isnull=False)
                | ~Q(cause=Cause.UNKNOWN.value) & Q(unexplained_since=None),
                name="parity_reports_shadowmismatch_unexplained",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None) | Q(sealed_key=""), name="parity_reports_shadowmismatch_forgets"
            ),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=False) | Q(ended=""), name="parity_reports_shadowmismatch_ended"
            ),
        )
        indexes = (
            models.Index(
                fields=("tenant", "unexplained_since"),
                condition=Q(resolved_at=None),
                name="parity_reports_shadowmism_open",
            ),
        )

    def __str__(self) -> str:
        return f"{self.entity} {self.about}"
