"""A tenant's runbook and its steps."""

from typing import ClassVar

from django.db import models

from core.models import Audit, TenantModel
from core.permissions import StaffRole


class Runbook(TenantModel):
    """The plan of one tenant's crossing. T0 is `cutover_on`, in the tenant's time zone; its owner is the cutover's."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    cutover_on = models.DateField("cutover day (T0)")
    opened_at = models.DateTimeField(editable=False)
    opened_by = models.UUIDField(editable=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant",), name="runbooks_runbook_one_per_tenant"),)

    def __str__(self) -> str:
        return f"Runbook of {self.tenant}"


class Step(TenantModel):
    """One step of a runbook, with its owner, day and signature."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    runbook = models.ForeignKey(Runbook, on_delete=models.CASCADE, related_name="steps")
    key = models.SlugField(max_length=60)
    title = models.CharField(max_length=200)
    validation = models.CharField(max_length=300, help_text="How one sees that it is done.")
    offset_days = models.SmallIntegerField("day", help_text="Days from T0; negative before.")
    owner_role = models.CharField(
        max_length=40, choices=[(role.value, role.value.replace("_", " ")) for role in StaffRole]
    )
    gates = models.BooleanField("gates the go/no-go", default=True)
    note = models.CharField(max_length=500, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True, editable=False)
    signed_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("offset_days", "key")
        constraints = (
            models.UniqueConstraint(fields=("tenant", "runbook", "key"), name="runbooks_step_once"),
            models.CheckConstraint(
                condition=models.Q(signed_at=None, signed_by=None)
                | models.Q(signed_at__isnull=False, signed_by__isnull=False),
                name="runbooks_step_signed_pair",
            ),
        )

    def __str__(self) -> str:
        return self.title
