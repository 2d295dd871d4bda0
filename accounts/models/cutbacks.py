"""A timed return of a tenant to passwords."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models.enforcement import pair
from core.models import Audit, TenantModel

LONGEST = timedelta(hours=24)


class Cutback(TenantModel):
    """One cutback: asked for with a reason, approved by both sides, over by itself.

    While it runs, passwords sign the tenant's people in although their company's sign-in is enforced. It is over
    when its time is, whether or not anybody has written that down yet.
    """

    audit: ClassVar[Audit] = Audit.LEDGERED

    reason = models.CharField(max_length=500)
    hours = models.PositiveSmallIntegerField(help_text="How long it is to last, once both have approved it.")
    requested_at = models.DateTimeField()
    requested_by = models.UUIDField()
    lapses_at = models.DateTimeField(help_text="Until when it may be approved.")
    customer_approved_at = models.DateTimeField(null=True)
    customer_approved_by = models.UUIDField(null=True)
    vendor_approved_at = models.DateTimeField(null=True)
    vendor_approved_by = models.UUIDField(null=True)
    preflight = models.JSONField(default=dict, help_text="How many members had a password that works, at the start.")
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="When its end was written down.")
    ended_by = models.UUIDField(null=True)

    class Meta:
        verbose_name = "cutback"
        ordering = ("-requested_at",)
        constraints = (
            models.UniqueConstraint(fields=("tenant",), condition=Q(ended_at=None), name="accounts_cutback_one_open"),
            models.CheckConstraint(condition=~Q(reason=""), name="accounts_cutback_reason"),
            models.CheckConstraint(condition=Q(hours__gte=1, hours__lte=24), name="accounts_cutback_hours"),
            models.CheckConstraint(
                condition=pair("customer_approved_at", "customer_approved_by"), name="accounts_cutback_customer_pair"
            ),
            models.CheckConstraint(
                condition=pair("vendor_approved_at", "vendor_approved_by"), name="accounts_cutback_vendor_pair"
            ),
            models.CheckConstraint(
                condition=Q(customer_approved_by=None)
                | Q(vendor_approved_by=None)
                | ~Q(customer_approved_by=F("vendor_approved_by")),
                name="accounts_cutback_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None, ends_at=None)
                | Q(
                    customer_approved_at__isnull=False,
                    vendor_approved_at__isnull=False,
                    ends_at__gt=F("starts_at"),
                    ends_at__lte=F("starts_at") + LONGEST,
                ),
                name="accounts_cutback_bounded",
            ),
            models.CheckConstraint(condition=pair("ended_at", "ended_by"), name="accounts_cutback_ended_pair"),
        )
        indexes = (models.Index(fields=("ends_at",), condition=Q(ended_at=None), name="accounts_cutback_ending"),)

    def __str__(self) -> str:
        return f"{self.hours} hours, asked {self.requested_at:%Y-%m-%d %H:%M}"
