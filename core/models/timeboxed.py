"""What holds for a time only: toggles, holds, tokens (rule 13)."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from core.models.base import Audit, TenantModel

_NOT_ENDED = Q(ended_at=None, ended_by=None)
_ENDED = Q(ended_at__isnull=False, ended_by__isnull=False)


class ToggleSetting(TenantModel):
    """A toggle switched on for a tenant until it expires or somebody ends it."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    name = models.CharField(max_length=100)
    reason = models.CharField(max_length=500)
    switched_on_at = models.DateTimeField()
    switched_on_by = models.UUIDField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "name"), condition=Q(ended_at=None), name="core_togglesetting_one_on"
            ),
            models.CheckConstraint(condition=_NOT_ENDED | _ENDED, name="core_togglesetting_ended_pair"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("switched_on_at")), name="core_togglesetting_expires"),
            models.CheckConstraint(condition=~Q(reason=""), name="core_togglesetting_reason"),
        )
        indexes = (
            models.Index(fields=("expires_at",), condition=Q(ended_at=None), name="core_togglesetting_expiring"),
        )

    def __str__(self) -> str:
        return self.name


class Hold(TenantModel):
    """Something of a tenant that must not be touched until the hold expires or somebody releases it."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    kind = models.CharField(max_length=100)
    subject = models.CharField(max_length=200, blank=True, default="", help_text="What is held; empty: everything.")
    reason = models.CharField(max_length=500)
    placed_at = models.DateTimeField()
    placed_by = models.UUIDField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=_NOT_ENDED | _ENDED, name="core_hold_ended_pair"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("placed_at")), name="core_hold_expires"),
            models.CheckConstraint(condition=~Q(reason=""), name="core_hold_reason"),
        )
        indexes = (
            models.Index(fields=("tenant", "kind"), condition=Q(ended_at=None), name="core_hold_standing"),
            models.Index(fields=("expires_at",), condition=Q(ended_at=None), name="core_hold_expiring"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip()


class Token(TenantModel):
    """A secret that lets a machine act for a tenant; only its digest is kept."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    name = models.CharField(max_length=100, help_text="What it is used for.")
    prefix = models.CharField(max_length=20, help_text="How a person recognises it; no secret.")
    sha256 = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=100))
    created_at = models.DateTimeField()
    created_by = models.UUIDField()
    issued_through = models.UUIDField(null=True, blank=True, help_text="The token that asked for it; empty: a person.")
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.UUIDField(null=True, blank=True)
    replaced_at = models.DateTimeField(null=True, blank=True, help_text="When a rotation gave it an earlier end.")
    replaced_by = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by=None) | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="core_token_revoked_pair",
            ),
            models.CheckConstraint(
                condition=Q(replaced_at=None, replaced_by=None)
                | Q(replaced_at__isnull=False, replaced_by__isnull=False),
                name="core_token_replaced_pair",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="core_token_expires"),
            models.CheckConstraint(condition=Q(scopes__len__gt=0), name="core_token_scoped"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
