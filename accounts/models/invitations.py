"""Invitations into a tenant."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from core.models import Audit, TenantModel
from core.permissions import TenantRole


class Invitation(TenantModel):
    """A person's way into a tenant: a link that works once, of which only a digest is kept."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    email = models.EmailField("e-mail address", help_text="Lower case; only an account with this address may accept.")
    role = models.CharField(max_length=20, choices=[(role.value, role.value.capitalize()) for role in TenantRole])
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_at = models.DateTimeField(default=timezone.now, editable=False)
    invited_by = models.UUIDField(editable=False)
    expires_at = models.DateTimeField(editable=False)
    sent_at = models.DateTimeField(null=True, editable=False, help_text="When the mail with the newest link left.")
    accepted_at = models.DateTimeField(null=True, editable=False)
    accepted_by = models.UUIDField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.UUIDField(null=True, editable=False)

    class Meta:
        ordering = ("-invited_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "email"),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="accounts_invitation_open_once",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at=None, accepted_by=None)
                | models.Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="accounts_invitation_accepted_pair",
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at=None, revoked_by=None)
                | models.Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="accounts_invitation_revoked_pair",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at=None) | models.Q(revoked_at=None), name="accounts_invitation_one_end"
            ),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="accounts_invitation_email_lower"),
        )

    def __str__(self) -> str:
        return f"Invitation as {self.role}"
