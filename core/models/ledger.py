"""The ledger's tables; `core.ledger` writes them, triggers of the database number, chain and protect them."""

from typing import ClassVar

from django.db import models

from core.models.base import Audit, TenantModel


class LedgerEntry(models.Model):
    """One change. `body` is canonical JSON and the only column that is written; triggers derive the others from it."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    id = models.UUIDField(primary_key=True, editable=False)
    chain = models.UUIDField(editable=False, help_text="The tenant's id, or the nil UUID for the programme.")
    seq = models.BigIntegerField(editable=False)
    event = models.TextField(editable=False)
    at = models.DateTimeField(editable=False)
    actor_kind = models.TextField(editable=False)
    actor_id = models.UUIDField(null=True, editable=False)
    subject_type = models.TextField(editable=False)
    subject_id = models.TextField(editable=False)
    data = models.JSONField(editable=False)
    body = models.TextField(editable=False)
    prev = models.BinaryField(editable=False)
    hash = models.BinaryField(editable=False)

    class Meta:
        db_table = "core_ledger_entry"
        verbose_name_plural = "ledger entries"
        ordering = ("chain", "-seq")
        constraints = (models.UniqueConstraint(fields=("chain", "seq"), name="core_ledger_entry_place"),)
        indexes = (
            models.Index(
                models.F("chain"),
                models.F("subject_id"),
                models.F("seq").desc(),
                condition=~models.Q(chain="00000000-0000-0000-0000-000000000000"),
                name="core_ledger_entry_subject",
            ),
        )

    def __str__(self) -> str:
        return f"{self.event} #{self.seq}"


class LedgerHead(models.Model):
    """The last entry of a chain; its row is the lock that puts the chain's entries in line."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    id = models.UUIDField(primary_key=True, editable=False, help_text="The chain.")
    seq = models.BigIntegerField(editable=False)
    hash = models.BinaryField(editable=False)

    class Meta:
        db_table = "core_ledger_head"

    def __str__(self) -> str:
        return f"{self.id} #{self.seq}"


class LedgerCheckpoint(models.Model):
    """A signature over the head of a chain; its hash is the witness that receipts carry."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    id = models.UUIDField(primary_key=True, editable=False)
    chain = models.UUIDField(editable=False)
    number = models.BigIntegerField(editable=False)
    seq = models.BigIntegerField(editable=False, help_text="The last entry it covers.")
    at = models.DateTimeField(editable=False)
    body = models.TextField(editable=False)
    signature = models.BinaryField(editable=False)
    hash = models.BinaryField(editable=False)

    class Meta:
        db_table = "core_ledger_checkpoint"
        ordering = ("chain", "-number")
        constraints = (models.UniqueConstraint(fields=("chain", "number"), name="core_ledger_checkpoint_place"),)

    def __str__(self) -> str:
        return f"checkpoint {self.number} at #{self.seq}"

    @property
    def witness(self) -> str:
        """What to print in receipts, evidence packs and mails: who keeps it can prove a later truncation."""
        return bytes(self.hash).hex()


class LedgerDatum(TenantModel):
    """A personal datum that an entry holds as a salted digest only; erasing it leaves the chain whole."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    entry_id = models.UUIDField(editable=False)
    name = models.CharField(max_length=100, editable=False)
    salt = models.BinaryField(editable=False)
    value = models.TextField(editable=False)

    class Meta:
        db_table = "core_ledger_datum"
        verbose_name_plural = "ledger data"
        constraints = (models.UniqueConstraint(fields=("tenant", "entry_id", "name"), name="core_ledger_datum_once"),)

    def __str__(self) -> str:
        return f"{self.name} of {self.entry_id}"
