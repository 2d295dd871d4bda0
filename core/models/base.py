"""What every model of a tenant has in common."""

from enum import StrEnum
from typing import ClassVar
from uuid import uuid4

from django.db import models


class Audit(StrEnum):
    """How changes of a model reach the ledger (rule 7)."""

    LEDGERED = "ledgered"
    """Every change leaves its own entry, in the same transaction."""
    OPERATIONAL = "operational"
    """Progress rows, attempts, stage rows: the work they belong to leaves one entry per batch."""


class TenantModel(models.Model):
    """A row that belongs to one tenant; the database lets nobody else see it.

    Its migration declares the table with `core.rls.TenantTable`. Its foreign keys to other tenant tables
    are doubled there by composite keys, so that no row can point into another tenant.
    """

    audit: ClassVar[Audit]

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+", editable=False)

    class Meta:
        abstract = True
