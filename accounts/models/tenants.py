"""Tenants and their members."""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.utils import timezone

from core.models import Audit, TenantModel
from core.permissions import TenantRole


class Tenant(models.Model):
    """A customer of the vendor, who moves from the legacy platform to the new one."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    slug = models.SlugField(unique=True, max_length=63, help_text="How the tenant is called in addresses.")
    name = models.CharField(max_length=200)
    segment = models.CharField(max_length=40, blank=True, help_text="How the vendor groups its customers.")
    legacy_ref = models.CharField("legacy key", max_length=100, unique=True, help_text="Key on the legacy platform.")
    time_zone = models.CharField(max_length=64, default="UTC", help_text="IANA name, such as America/New_York.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Member(TenantModel):
    """A user's place in a tenant."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=[(role.value, role.value.capitalize()) for role in TenantRole])
    joined_at = models.DateTimeField(default=timezone.now, editable=False)
    deactivated_at = models.DateTimeField(null=True, blank=True, editable=False)
    deactivated_by = models.UUIDField(null=True, blank=True, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "user"), name="accounts_member_once"),
            models.CheckConstraint(
                condition=models.Q(deactivated_at=None, deactivated_by=None)
                | models.Q(deactivated_at__isnull=False, deactivated_by__isnull=False),
                name="accounts_member_deactivated_pair",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"
