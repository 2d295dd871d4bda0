"""A tenant's cutover and the history of its phases."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from core.models import Audit, TenantModel
from cutover.domain.phases import Phase

PHASES = [(phase.value, phase.label) for phase in Phase]


class Cutover(TenantModel):
    """One tenant's move from the legacy platform to the new one."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    tenant = models.OneToOneField("accounts.Tenant", on_delete=models.PROTECT, related_name="+", editable=False)
    phase = models.CharField(max_length=20, choices=PHASES, default=Phase.DISCOVER.value)
    phase_since = models.DateTimeField(default=timezone.now)
    window_starts_at = models.DateTimeField(null=True, blank=True)
    window_ends_at = models.DateTimeField(null=True, blank=True)
    wave = models.CharField(max_length=40, blank=True, help_text="The group of tenants that moves together.")
    approver = models.ForeignKey(
        "accounts.Member",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who signs the go/no-go for the customer; empty: any owner.",
    )
    runbook_owner = models.ForeignKey(
        "accounts.User",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who signs the go/no-go for the vendor.",
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(phase__in=[phase.value for phase in Phase]), name="cutover_cutover_phase"
            ),
            models.CheckConstraint(
                condition=models.Q(window_starts_at=None, window_ends_at=None)
                | models.Q(window_starts_at__isnull=False, window_ends_at__gt=models.F("window_starts_at")),
                name="cutover_cutover_window",
            ),
        )

    def __str__(self) -> str:
        return f"{self.tenant}: {self.get_phase_display()}"


class PhaseChange(TenantModel):
    """One move of a cutover from a phase to another; never changed afterwards."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    cutover = models.ForeignKey(Cutover, on_delete=models.PROTECT, related_name="changes")
    source = models.CharField(max_length=20, choices=PHASES)
    target = models.CharField(max_length=20, choices=PHASES)
    changed_at = models.DateTimeField()
    changed_by = models.UUIDField(help_text="The actor's id: a user or a part of the house.")
    reason = models.TextField(blank=True)
    approval_id = models.UUIDField(null=True, blank=True, help_text="The signed request that allowed the move.")

    class Meta:
        ordering = ("changed_at",)

    def __str__(self) -> str:
        return f"{self.get_source_display()} → {self.get_target_display()}"
