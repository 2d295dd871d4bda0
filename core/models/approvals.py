"""Evidence packs, the requests to sign them, and the signatures; none is ever changed once written."""

from typing import ClassVar

from django.db import models

from core.domain.approvals import Method, RequestState
from core.models.base import Audit, TenantModel


class EvidencePack(TenantModel):
    """Frozen evidence: the table of contents of exact bytes, and the two digests over them."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    action = models.CharField(max_length=60)
    evidence_sha256 = models.CharField(max_length=64)
    material_sha256 = models.CharField(max_length=64)
    manifest = models.BinaryField()
    collected_at = models.DateTimeField()
    collected_by = models.UUIDField()

    def __str__(self) -> str:
        return f"{self.action} {self.evidence_sha256[:12]}"


class EvidencePart(TenantModel):
    """One part of a pack, byte for byte. The database checks its digest."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    pack = models.ForeignKey(EvidencePack, on_delete=models.PROTECT, related_name="parts")
    name = models.CharField(max_length=80)
    title = models.CharField(max_length=120)
    body = models.BinaryField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("tenant", "pack", "name"), name="core_evidencepart_once"),)

    def __str__(self) -> str:
        return self.name


class ApprovalRequest(TenantModel):
    """A request that people sign a pack, so that one action becomes possible."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    action = models.CharField(max_length=60)
    pack = models.ForeignKey(EvidencePack, on_delete=models.PROTECT, related_name="requests")
    seats = models.JSONField(help_text="The signatures it needs, and who is to give each, where somebody is named.")
    state = models.CharField(
        max_length=12,
        choices=[(state.value, state.value.capitalize()) for state in RequestState],
        default=RequestState.OPEN.value,
    )
    requested_at = models.DateTimeField()
    requested_by = models.UUIDField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.UUIDField(null=True, blank=True)
    ending = models.TextField(blank=True, help_text="Why it ended, in words for the customer.")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "action"),
                condition=models.Q(state=RequestState.OPEN.value),
                name="core_approvalrequest_one_open",
            ),
            models.UniqueConstraint(fields=("tenant", "pack"), name="core_approvalrequest_own_pack"),
            models.CheckConstraint(
                condition=models.Q(state=RequestState.OPEN.value, ended_at=None, ended_by=None)
                | (~models.Q(state=RequestState.OPEN.value) & models.Q(ended_at__isnull=False, ended_by__isnull=False)),
                name="core_approvalrequest_ended_pair",
            ),
        )

    def __str__(self) -> str:
        return f"{self.action} ({self.state})"


class SigningStatement(TenantModel):
    """The exact bytes one person was asked to sign; its nonce is used once."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="statements")
    user_id = models.UUIDField()
    seat = models.CharField(max_length=40)
    body = models.BinaryField()
    nonce_sha256 = models.CharField(max_length=64)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "nonce_sha256"), name="core_signingstatement_nonce_once"),
        )

    def __str__(self) -> str:
        return f"{self.seat} {self.issued_at:%Y-%m-%d %H:%M}"


class Signature(TenantModel):
    """One person's signature under a request, with everything that proves it."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="signatures")
    statement = models.ForeignKey(SigningStatement, on_delete=models.PROTECT, related_name="signatures")
    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    seat = models.CharField(max_length=40)
    method = models.CharField(max_length=12, choices=[(method.value, method.label) for method in Method])
    signed_at = models.DateTimeField()
    record = models.BinaryField(help_text="The signature with its seal, exactly as it stands in the pack.")

    class Meta:
        ordering = ("signed_at", "seat")
        constraints = (
            models.UniqueConstraint(fields=("tenant", "request", "user"), name="core_signature_distinct_people"),
            models.UniqueConstraint(fields=("tenant", "request", "seat"), name="core_signature_one_per_seat"),
            models.UniqueConstraint(fields=("tenant", "statement"), name="core_signature_nonce_once"),
        )

    def __str__(self) -> str:
        return f"{self.seat}: {self.user}"
