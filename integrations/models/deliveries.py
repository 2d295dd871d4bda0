"""Messages to endpoints and the attempts to deliver them."""

from typing import ClassVar

from django.db import models

from core.models import Audit, TenantModel
from integrations.domain.retries import State
from integrations.models.endpoints import Endpoint


class Message(TenantModel):
    """One message to one endpoint. Its id stays the same over all attempts; asking for it leaves a ledger entry."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="messages")
    message_id = models.CharField(max_length=60)
    event = models.CharField(max_length=100)
    body = models.TextField(help_text="The exact text that is signed.")
    requested_at = models.DateTimeField()
    requested_by = models.UUIDField()
    state = models.CharField(max_length=12, default=State.PENDING.value, choices=[(s.value, s.value) for s in State])
    tries = models.PositiveSmallIntegerField(default=0, help_text="Attempts since it was (last) asked for.")
    next_attempt_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-requested_at",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "message_id"), name="integrations_message_once"),
            models.CheckConstraint(
                condition=models.Q(state=State.PENDING.value, next_attempt_at__isnull=False, settled_at=None)
                | models.Q(
                    state__in=[State.DELIVERED.value, State.FAILED.value],
                    next_attempt_at=None,
                    settled_at__isnull=False,
                ),
                name="integrations_message_settled",
            ),
        )
        indexes = (
            models.Index(
                fields=("next_attempt_at",),
                condition=models.Q(next_attempt_at__isnull=False),
                name="integrations_message_due",
            ),
            models.Index(fields=("tenant", "state", "-requested_at"), name="integrations_message_listed"),
        )

    def __str__(self) -> str:
        return self.message_id


class Attempt(TenantModel):
    """One attempt: what the endpoint answered, how long it took, and the beginning of what it said."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attempts")
    attempted_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, help_text="None where nobody answered.")
    took_ms = models.PositiveIntegerField(default=0)
    trouble = models.CharField(max_length=300, blank=True, help_text="Why nobody answered.")
    excerpt = models.CharField(max_length=400, blank=True, help_text="Of the answer, redacted.")

    class Meta:
        ordering = ("-attempted_at",)
        indexes = (models.Index(fields=("message", "-attempted_at"), name="integrations_attempt_latest"),)

    def __str__(self) -> str:
        return f"{self.status or self.trouble}"
