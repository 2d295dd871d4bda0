"""What a customer relies on, and which guides a person has put aside."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.models import Audit, TenantModel


class Reliance(TenantModel):
    """A workflow that a tenant relies on: whether it was tried on the new platform, or its absence accepted.

    `tried_as` and `accepted_as` are the workflow's fingerprint at that moment; the catalogue is declared in files.
    """

    audit: ClassVar[Audit] = Audit.LEDGERED

    workflow = models.CharField(max_length=60)
    relied_at = models.DateTimeField()
    relied_by = models.UUIDField()
    tried_at = models.DateTimeField(null=True, blank=True)
    tried_by = models.UUIDField(null=True, blank=True)
    tried_as = models.CharField(max_length=16, blank=True, default="")
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.UUIDField(null=True, blank=True)
    accepted_as = models.CharField(max_length=16, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="", help_text="Why the difference is accepted.")

    class Meta:
        ordering = ("workflow",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "workflow"), name="parity_reports_reliance_once"),
            models.CheckConstraint(
                condition=Q(tried_at=None, tried_by=None, tried_as="")
                | (Q(tried_at__isnull=False, tried_by__isnull=False) & ~Q(tried_as="")),
                name="parity_reports_reliance_tried_pair",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_by=None, accepted_as="", reason="")
                | (Q(accepted_at__isnull=False, accepted_by__isnull=False) & ~Q(accepted_as="") & ~Q(reason="")),
                name="parity_reports_reliance_accepted_pair",
            ),
        )

    def __str__(self) -> str:
        return self.workflow


class GuideMark(TenantModel):
    """That a person has read a guide, or wants it out of the way; a higher version of the guide is news again.

    A person's own reading is nobody's business: it is kept here, and not in the ledger, from which nothing goes.
    """

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    class Mark(models.TextChoices):
        """What the person said."""

        READ = "read"
        DISMISSED = "dismissed"

    guide = models.CharField(max_length=60)
    version = models.PositiveIntegerField()
    mark = models.CharField(max_length=10, choices=Mark)
    marked_at = models.DateTimeField()
    marked_by = models.UUIDField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "marked_by", "guide"), name="parity_reports_guidemark_once"),
        )

    def __str__(self) -> str:
        return f"{self.guide} {self.mark}"
