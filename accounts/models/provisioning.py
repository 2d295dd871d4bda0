"""Provisioning: people and groups as a tenant's directory sends them, and every call that it made.

A provisioned user is what the directory says, whether or not anything has come of it: while provisioning is on trial
no member is touched, and the directory finds what it sent all the same.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.domain.provisioning.plans import REASONS, WORDS
from core.models import Audit, TenantModel
from core.permissions import TenantRole

_OUTCOMES = [(outcome.value, words) for outcome, (_, words) in WORDS.items()]
_REASONS = [(reason.value, words) for reason, words in REASONS.items()]


class Provisioning(TenantModel):
    """Whether what the directory says of people changes members. Without an end of the trial it does not."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    enabled_at = models.DateTimeField(null=True)
    enabled_by = models.UUIDField(null=True)

    class Meta:
        verbose_name_plural = "provisioning"
        constraints = (
            models.UniqueConstraint(fields=("tenant",), name="accounts_provisioning_one"),
            models.CheckConstraint(
                condition=Q(enabled_at=None, enabled_by=None) | Q(enabled_at__isnull=False, enabled_by__isnull=False),
                name="accounts_provisioning_enabled_pair",
            ),
        )

    def __str__(self) -> str:
        return "enabled" if self.enabled_at else "on trial"


class ProvisionedResource(TenantModel):
    """What a SCIM resource has in common. Deleting one by SCIM keeps the row, so that it can be undone."""

    external_id = models.CharField("external id", max_length=320, blank=True)
    name_key = models.CharField(max_length=320, help_text="Its name in the form in which names are compared.")
    resource = models.JSONField(default=dict, help_text="The attributes that are kept, as they were sent.")
    facts = models.JSONField(default=dict, help_text="The same in the form in which they are compared.")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class ProvisionedUser(ProvisionedResource):
    """A person of the tenant's directory."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    is_active = models.BooleanField(default=True, help_text="What was said last; saying nothing changes nothing.")
    outcome = models.CharField(max_length=30, blank=True, choices=_OUTCOMES, help_text="What became of it last.")
    reason = models.CharField(max_length=30, blank=True, choices=_REASONS, help_text="Why nothing became of it.")
    put_out_at = models.DateTimeField(null=True, help_text="When the member was deactivated because of it.")
    given_role = models.CharField(max_length=20, blank=True, help_text="The role that its groups gave the member.")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "name_key"), condition=Q(deleted_at=None), name="accounts_provisioneduser_name_once"
            ),
            models.UniqueConstraint(
                fields=("tenant", "external_id"),
                condition=Q(deleted_at=None) & ~Q(external_id=""),
                name="accounts_provisioneduser_id_once",
            ),
            models.CheckConstraint(condition=~Q(name_key=""), name="accounts_provisioneduser_named"),
        )
        indexes = (models.Index(fields=("tenant", "created_at", "id"), name="accounts_scim_user_order"),)

    def __str__(self) -> str:
        return str(self.resource.get("displayName") or self.resource.get("userName") or self.pk)


class ProvisionedEmail(TenantModel):
    """An address of a provisioned user, in the form in which it is compared."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    user = models.ForeignKey(ProvisionedUser, on_delete=models.CASCADE, related_name="emails")
    value = models.CharField(max_length=320, null=True)  # noqa: DJ001  absent differs from empty in SCIM
    type = models.CharField(max_length=200, null=True)  # noqa: DJ001
    is_primary = models.BooleanField(null=True)

    class Meta:
        indexes = (models.Index(fields=("tenant", "value"), name="accounts_scim_email"),)

    def __str__(self) -> str:
        return self.value or ""


class ProvisionedGroup(ProvisionedResource):
    """A group of the tenant's directory, with the role that its members get here."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    role = models.CharField(
        max_length=20, blank=True, choices=[(role.value, role.value.capitalize()) for role in TenantRole]
    )
    role_set_at = models.DateTimeField(null=True)
    role_set_by = models.UUIDField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "external_id"),
                condition=Q(deleted_at=None) & ~Q(external_id=""),
                name="accounts_provisionedgroup_id_once",
            ),
            models.CheckConstraint(
                condition=Q(role_set_at=None, role_set_by=None)
                | Q(role_set_at__isnull=False, role_set_by__isnull=False),
                name="accounts_provisionedgroup_role_pair",
            ),
            models.CheckConstraint(condition=~Q(name_key=""), name="accounts_provisionedgroup_named"),
        )
        indexes = (models.Index(fields=("tenant", "created_at", "id"), name="accounts_scim_group_order"),)

    def __str__(self) -> str:
        return str(self.resource.get("displayName") or self.pk)


class ProvisionedMembership(TenantModel):
    """That a provisioned user is in a provisioned group."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    group = models.ForeignKey(ProvisionedGroup, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(ProvisionedUser, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "group", "user"), name="accounts_provisionedmembership_once"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"


class ProvisioningCall(TenantModel):
    """One call of the directory and what came of it, for a fortnight. It names people by their ids alone."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    called_at = models.DateTimeField()
    token = models.ForeignKey("core.Token", on_delete=models.CASCADE, related_name="+")
    method = models.CharField(max_length=7)
    kind = models.CharField(max_length=30, help_text="User, Group, or the part of the service that was read.")
    resource_id = models.UUIDField(null=True)
    about = models.CharField(max_length=300, blank=True, help_text="The attributes that the call names.")
    status = models.PositiveSmallIntegerField()
    scim_type = models.CharField(max_length=30, blank=True)
    refusal = models.CharField(max_length=500, blank=True)
    outcome = models.CharField(max_length=30, blank=True, choices=_OUTCOMES, help_text="What became of it.")
    was_trial = models.BooleanField(help_text="Whether members were left alone.")

    class Meta:
        ordering = ("-called_at", "-pk")
        indexes = (
            models.Index(F("tenant"), F("called_at").desc(), F("id").desc(), name="accounts_scim_call_newest"),
            models.Index(fields=("called_at",), name="accounts_scim_call_oldest"),
        )

    def __str__(self) -> str:
        return f"{self.method} {self.kind} {self.status}"
