"""What a customer was promised."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from compliance.domain.obligations import Kind
from core.domain.checks import OWNERS
from core.models import Audit, TenantModel


class Obligation(TenantModel):
    """One promise to one customer: where it stands written, what keeps it, and what is planned where nothing does."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    key = models.SlugField(max_length=60)
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.label) for kind in Kind])
    title = models.CharField(max_length=200)
    promise = models.CharField(max_length=500, help_text="In the customer's words.")
    source = models.CharField(max_length=200, help_text="Contract and clause.")
    owner = models.CharField(max_length=20, choices=[(owner, owner) for owner in sorted(OWNERS - {"customer"})])
    checks = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    control = models.CharField(max_length=500, blank=True, help_text="What keeps it where no check can ask.")
    plan = models.CharField(max_length=500, blank=True, help_text="What will keep it, where nothing does yet.")
    plan_due_on = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField(editable=False)
    recorded_by = models.UUIDField(editable=False)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)
    retired_by = models.UUIDField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("kind", "title")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "key"), condition=Q(retired_at=None), name="compliance_obligation_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in Kind]), name="compliance_obligation_kind"
            ),
            models.CheckConstraint(
                condition=Q(owner__in=sorted(OWNERS - {"customer"})), name="compliance_obligation_owner"
            ),
            models.CheckConstraint(
                condition=Q(plan="", plan_due_on=None) | (~Q(plan="") & Q(plan_due_on__isnull=False)),
                name="compliance_obligation_plan_pair",
            ),
            models.CheckConstraint(
                condition=Q(retired_at=None, retired_by=None) | Q(retired_at__isnull=False, retired_by__isnull=False),
                name="compliance_obligation_retired_pair",
            ),
        )

    def __str__(self) -> str:
        return self.title
