"""What stands on the pages themselves: status updates, and banners that a person has put away."""

from typing import ClassVar

from django.db import models

from core.models import Audit, TenantModel


class StatusUpdate(TenantModel):
    """One dated piece of news about a tenant's move, written by staff; never changed afterwards."""

    class Kind(models.TextChoices):
        """What the news is."""

        INFO = "info", "News"
        INCIDENT = "incident", "Incident"
        RESOLVED = "resolved", "Resolved"

    audit: ClassVar[Audit] = Audit.LEDGERED

    kind = models.CharField(max_length=20, choices=Kind.choices)
    title = models.CharField(max_length=120)
    text = models.TextField()
    written_at = models.DateTimeField(editable=False)
    written_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+", editable=False)

    class Meta:
        ordering = ("-written_at",)
        indexes = (models.Index(fields=("tenant", "-written_at"), name="comms_statusupdate_newest"),)

    def __str__(self) -> str:
        return self.title


class BannerDismissal(TenantModel):
    """A banner that a person has read and put away."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    person = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    banner = models.CharField(max_length=100)
    dismissed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "person", "banner"), name="comms_bannerdismissal_once"),
        )

    def __str__(self) -> str:
        return self.banner
