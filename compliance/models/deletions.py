"""Deletions of what was copied for the move, and their attestations."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from compliance.domain.datasets import Dataset
from core.models import Audit, TenantModel


class Deletion(TenantModel):
    """An order to delete a dataset of a tenant: written down before anything is touched, and when it is done."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    dataset = models.CharField(max_length=60)
    counted = models.JSONField(help_text="Rows per table when it was asked for.")
    requested_at = models.DateTimeField(editable=False)
    requested_by = models.UUIDField(editable=False)
    begun_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When the last attempt began that found rows: the database lets go of them for a while from then on."""
    parity_sha256 = models.CharField(max_length=64, blank=True, default="", editable=False)
    """The comparison that the move is judged by, as that attempt found it: it may be what is deleted."""
    accepted = models.JSONField(default=dict, blank=True, editable=False)
    """Of stage data, as that attempt found it: what was accepted as not moved or not equal, counted, by whose leave."""
    done_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-requested_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "dataset"), condition=Q(done_at=None), name="compliance_deletion_one_open"
            ),
        )

    @property
    def label(self) -> str:
        """What is deleted, in words."""
        return Dataset(self.dataset).label

    def __str__(self) -> str:
        return self.label


class Attestation(TenantModel):
    """A sealed statement that a deletion happened and was verified; never changed once written."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    deletion = models.ForeignKey(Deletion, on_delete=models.PROTECT, related_name="attestations")
    body = models.BinaryField(editable=False)
    sha256 = models.CharField(max_length=64)
    seal = models.CharField(max_length=128, help_text="The server's Ed25519 signature, hexadecimal.")
    public_key = models.CharField(max_length=64)
    attested_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ("-attested_at",)
        constraints = (models.UniqueConstraint(fields=("tenant", "deletion"), name="compliance_attestation_once"),)

    def __str__(self) -> str:
        return f"Attestation {self.sha256[:12]}"
