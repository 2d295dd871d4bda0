"""What was seen on both platforms when, what differed, and what the customer chose."""

from typing import ClassVar

from django.db import models

from core.models import Audit, TenantModel
from entitlements.domain.preview import Choice


class Snapshot(TenantModel):
    """What both platforms said of a customer's contract at one moment; never changed afterwards."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    taken_at = models.DateTimeField()
    taken_by = models.UUIDField()
    matrix = models.CharField(max_length=60, help_text="Version and digest of the matrix it was laid under.")
    legacy = models.JSONField(null=True, help_text="The contract on legacy; empty: none.")
    use = models.JSONField(help_text="Counts of what is used, and of people by role.")
    new = models.JSONField(null=True, help_text="The subscription on the new platform; empty: none.")
    features = models.JSONField(null=True, help_text="What the new plan includes; empty: no subscription there yet.")
    policies = models.JSONField(null=True, help_text="What the organisation allows on the new platform.")
    people = models.JSONField(default=dict, help_text="Legacy role by the member's user id.")
    unmapped = models.PositiveIntegerField("not mapped")
    choices = models.PositiveIntegerField("open choices")
    mismatches = models.PositiveIntegerField()
    difference = models.BigIntegerField(
        null=True, help_text="What a month costs more, in the currency's smallest unit; empty: cannot be said."
    )
    currency = models.CharField(max_length=3)

    class Meta:
        ordering = ("-taken_at",)
        indexes = (models.Index(fields=("tenant", "-taken_at"), name="entitlements_snapshot_latest"),)

    def __str__(self) -> str:
        return f"{self.tenant}, {self.taken_at:%d %b %Y %H:%M} UTC"


class Mismatch(TenantModel):
    """Something on the new platform not as promised, from the snapshot that found it to the first that did not."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    subject = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    promised = models.CharField(max_length=200)
    found = models.CharField(max_length=200)
    opened_in = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="opened")
    settled_in = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="settled", null=True)

    class Meta:
        verbose_name_plural = "mismatches"
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "subject"),
                condition=models.Q(settled_in=None),
                name="entitlements_mismatch_open_once",
            ),
        )

    def __str__(self) -> str:
        return self.title


class Decision(TenantModel):
    """What the customer chose about something that cannot stay as it is, and exactly what that rested on."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    subject = models.CharField(max_length=100)
    choice = models.CharField(
        max_length=20, choices=[(choice.value, choice.value.replace("_", " ")) for choice in Choice]
    )
    basis = models.CharField(max_length=300)
    decided_at = models.DateTimeField()
    decided_by = models.UUIDField()
    replaced_at = models.DateTimeField(null=True)
    replaced_by = models.UUIDField(null=True)

    class Meta:
        ordering = ("-decided_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "subject"),
                condition=models.Q(replaced_at=None),
                name="entitlements_decision_stands_once",
            ),
            models.CheckConstraint(
                condition=models.Q(replaced_at=None, replaced_by=None)
                | models.Q(replaced_at__isnull=False, replaced_by__isnull=False),
                name="entitlements_decision_replaced_pair",
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject}: {self.get_choice_display()}"
