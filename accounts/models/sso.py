"""A tenant's connection to its identity provider, the tests of it, and the assertions that were used."""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.utils import timezone

from core.models import Audit, TenantModel


def new_provider_id() -> str:
    """Return an id for a connection: opaque and ours, so that nobody can enter another's (`org_<uuid>`)."""
    return f"org_{uuid4().hex}"


class SsoConnection(TenantModel):
    """How a tenant's people will sign in: by its identity provider, or stated to do without.

    The row stays when the metadata are removed: the provider's side keeps knowing our addresses, which carry
    `provider_id`.
    """

    audit: ClassVar[Audit] = Audit.LEDGERED

    provider_id = models.CharField(max_length=40, unique=True, default=new_provider_id, editable=False)
    entity_id = models.CharField("entity ID", max_length=1024, blank=True)
    sso_url = models.CharField("sign-in address", max_length=2000, blank=True)
    fingerprint = models.CharField(
        max_length=64, blank=True, help_text="Differs as soon as provider or sign-in address do."
    )
    attributes = models.JSONField(default=dict, help_text="Which attribute says what of a person, where it is chosen.")
    wants_signed_requests = models.BooleanField(default=False, help_text="Whether its metadata ask us to sign.")
    begun_at = models.DateTimeField(default=timezone.now, editable=False)
    begun_by = models.UUIDField(editable=False)
    connected_at = models.DateTimeField(null=True, editable=False, help_text="When these metadata were given.")
    connected_by = models.UUIDField(null=True, editable=False)
    declined_at = models.DateTimeField(null=True, editable=False, help_text="When they chose to do without.")
    declined_by = models.UUIDField(null=True, editable=False)

    class Meta:
        verbose_name = "SSO connection"
        constraints = (
            models.UniqueConstraint(fields=("tenant",), name="accounts_ssoconnection_one"),
            models.CheckConstraint(
                condition=models.Q(connected_at=None, connected_by=None, fingerprint="")
                | (
                    models.Q(connected_at__isnull=False, connected_by__isnull=False)
                    & ~models.Q(fingerprint="")
                    & ~models.Q(entity_id="")
                    & ~models.Q(sso_url="")
                ),
                name="accounts_ssoconnection_connected_pair",
            ),
            models.CheckConstraint(
                condition=models.Q(declined_at=None, declined_by=None)
                | models.Q(declined_at__isnull=False, declined_by__isnull=False, fingerprint=""),
                name="accounts_ssoconnection_declined_pair",
            ),
        )

    def __str__(self) -> str:
        return self.entity_id or self.provider_id

    @property
    def is_connected(self) -> bool:
        """Whether the provider's metadata are here."""
        return self.connected_at is not None


class SsoTest(TenantModel):
    """One test sign-in: asked by an admin, answered once, within ten minutes, by whatever comes back.

    `sealed` is the message itself and all that was found in it, encrypted, for a week; the outcomes stay.
    """

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    connection = models.ForeignKey(SsoConnection, on_delete=models.CASCADE, related_name="tests")
    fingerprint = models.CharField(max_length=64, help_text="The connection's when the test began.")
    request_id = models.CharField(max_length=64, help_text="Of our AuthnRequest.")
    is_failover = models.BooleanField(default=False, help_text="Asked for our second address.")
    leaves_for = models.TextField(help_text="The address of the provider, with our request.")
    started_at = models.DateTimeField()
    started_by = models.UUIDField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    outcome = models.CharField(
        max_length=10,
        blank=True,
        choices=[("passed", "Passed"), ("failed", "Failed")],
        help_text="Once it was answered.",
    )
    signed_by = models.CharField(max_length=64, blank=True, help_text="The certificate that the answer is signed with.")
    verdicts = models.JSONField(default=dict, help_text="Each check's verdict; nothing of a person.")
    sealed = models.TextField(blank=True)
    purged_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "SSO test"
        ordering = ("-started_at",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "request_id"), name="accounts_ssotest_request_once"),
            models.CheckConstraint(
                condition=models.Q(answered_at=None, outcome="")
                | models.Q(answered_at__isnull=False, outcome__in=("passed", "failed")),
                name="accounts_ssotest_answered_pair",
            ),
            models.CheckConstraint(
                condition=models.Q(purged_at=None) | models.Q(sealed=""), name="accounts_ssotest_purged_is_empty"
            ),
        )
        indexes = (
            models.Index(fields=("connection", "-started_at"), name="accounts_ssotest_latest"),
            models.Index(fields=("answered_at",), condition=~models.Q(sealed=""), name="accounts_ssotest_to_purge"),
        )

    def __str__(self) -> str:
        return self.outcome or "not answered"


class UsedAssertion(TenantModel):
    """An assertion that has counted once, remembered for as long as it could come again."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField()
    forget_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant", "digest"), name="accounts_usedassertion_once"),)
        indexes = (models.Index(fields=("forget_at",), name="accounts_usedassertion_forget"),)

    def __str__(self) -> str:
        return self.digest
