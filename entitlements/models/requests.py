"""Requests for access: somebody could not, said why they should, and was answered."""

from typing import ClassVar

from django.db import models

from core.models import Audit, TenantModel


class AccessRequest(TenantModel):
    """A member's request for what they lack, and its answer."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    class Outcome(models.TextChoices):
        """How a request was answered."""

        GRANTED = "granted"
        DECLINED = "declined"

    member = models.ForeignKey("accounts.Member", on_delete=models.PROTECT, related_name="+")
    ability = models.CharField(max_length=100, help_text="What they could not do.")
    wanted = models.CharField(max_length=100, help_text="What they lack: a role, a feature switch or a plan.")
    reason = models.CharField(max_length=500)
    requested_at = models.DateTimeField()
    requested_by = models.UUIDField()
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    answer = models.CharField(max_length=500, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.UUIDField(null=True)

    class Meta:
        ordering = ("-requested_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "member", "wanted"),
                condition=models.Q(answered_at=None),
                name="entitlements_request_open_once",
            ),
            models.CheckConstraint(
                condition=models.Q(answered_at=None, answered_by=None, outcome="")
                | models.Q(answered_at__isnull=False, answered_by__isnull=False, outcome__in=["granted", "declined"]),
                name="entitlements_request_answered_pair",
            ),
        )

    def __str__(self) -> str:
        return f"{self.ability}: {self.wanted}"
