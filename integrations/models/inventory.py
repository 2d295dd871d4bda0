"""What a tenant has connected to legacy, and what becomes of it."""

from typing import ClassVar

from django.db import models

from core.inventory import Kind
from core.models import Audit, TenantModel
from integrations.domain.fates import Fate


class Item(TenantModel):
    """One integration that legacy has or had, with its stated fate. It is never deleted."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in Kind])
    key = models.CharField(max_length=100, help_text="What legacy calls it.")
    name = models.CharField(max_length=300)
    address = models.CharField(max_length=2048, blank=True)
    scopes = models.JSONField(default=list)
    last_used_on = models.DateField(null=True)
    is_active = models.BooleanField(default=True, help_text="In legacy, when it was last read.")
    found_at = models.DateTimeField(help_text="When it was first read.")
    gone_at = models.DateTimeField(null=True, help_text="Since when legacy has it no more.")

    fate = models.CharField(max_length=20, blank=True, choices=[(fate.value, fate.words) for fate in Fate])
    reason = models.CharField(max_length=300, blank=True)
    decided_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.UUIDField(null=True, editable=False)

    class Meta:
        ordering = ("kind", "key")
        constraints = (
            models.UniqueConstraint(fields=("tenant", "kind", "key"), name="integrations_item_once"),
            models.CheckConstraint(
                condition=models.Q(fate="", decided_at=None, decided_by=None)
                | (~models.Q(fate="") & models.Q(decided_at__isnull=False, decided_by__isnull=False)),
                name="integrations_item_decided_pair",
            ),
            models.CheckConstraint(
                condition=~models.Q(fate=Fate.RETIRED.value) | ~models.Q(reason=""),
                name="integrations_item_retired_for_a_reason",
            ),
        )

    def __str__(self) -> str:
        return self.name
