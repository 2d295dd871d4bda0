"""What the API keeps so that a write may be repeated without being done twice."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.models.base import Audit, TenantModel
from core.models.timeboxed import Token


class KeptAnswer(TenantModel):
    """The answer to a write, kept for its repetition under the same Idempotency-Key; without an end it is in flight."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, address and body.")
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    content_type = models.CharField(max_length=100, blank=True, default="")
    location = models.CharField(max_length=300, blank=True, default="")
    body = models.BinaryField(default=b"")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "token", "key"), name="core_keptanswer_one_per_key"),
            models.CheckConstraint(
                condition=Q(answered_at=None, status=None) | Q(answered_at__isnull=False, status__isnull=False),
                name="core_keptanswer_answered_pair",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=models.F("started_at")), name="core_keptanswer_expires"),
        )
        indexes = (models.Index(fields=("expires_at",), name="core_keptanswer_expiring"),)

    def __str__(self) -> str:
        return self.key
