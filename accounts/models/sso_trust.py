"""What a connection trusts: its provider's certificates, and the address where its metadata stand."""

from typing import ClassVar

from django.db import models

from accounts.domain.certificates import Held, Reason, Source
from accounts.models.sso import SsoConnection
from core.models import Audit, TenantModel


class SsoCertificate(TenantModel):
    """A certificate that a tenant's provider signs with; several stand side by side while a key changes."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    connection = models.ForeignKey(SsoConnection, on_delete=models.CASCADE, related_name="certificates")
    fingerprint = models.CharField(max_length=64, help_text="SHA-256.")
    der = models.TextField(help_text="Base64, without armour.")
    subject = models.CharField(max_length=200)
    not_before = models.DateTimeField("valid from")
    not_after = models.DateTimeField("valid until")
    source = models.CharField(max_length=10, choices=[(each.value, each.label) for each in Source])
    added_at = models.DateTimeField()
    added_by = models.UUIDField()
    signed_at = models.DateTimeField(null=True, help_text="When an answer was last signed with it.")
    missed = models.PositiveSmallIntegerField(default=0, help_text="Readings of the metadata in a row that lack it.")
    missing_since = models.DateTimeField(null=True)
    warned_days = models.PositiveSmallIntegerField(null=True, help_text="Of which step before its end people know.")
    retired_at = models.DateTimeField(null=True)
    retired_by = models.UUIDField(null=True)
    retired_because = models.CharField(max_length=10, blank=True, choices=[(each.value, each.label) for each in Reason])

    class Meta:
        verbose_name = "SSO certificate"
        ordering = ("retired_at", "-not_after")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "connection", "fingerprint"), name="accounts_ssocertificate_once"
            ),
            models.CheckConstraint(
                condition=models.Q(retired_at=None, retired_by=None, retired_because="")
                | (models.Q(retired_at__isnull=False, retired_by__isnull=False) & ~models.Q(retired_because="")),
                name="accounts_ssocertificate_retired_pair",
            ),
            models.CheckConstraint(
                condition=models.Q(missed=0, missing_since=None) | models.Q(missed__gt=0, missing_since__isnull=False),
                name="accounts_ssocertificate_missing_pair",
            ),
        )
        indexes = (
            models.Index(
                fields=("not_after",),
                condition=models.Q(retired_at=None),
                name="accounts_ssocertificate_ending",
            ),
        )

    def __str__(self) -> str:
        return self.subject or self.fingerprint

    @property
    def held(self) -> Held:
        """The certificate as the rules know it."""
        return Held(
            fingerprint=self.fingerprint,
            source=Source(self.source),
            not_before=self.not_before,
            not_after=self.not_after,
            retired=Reason(self.retired_because) if self.retired_because else None,
            missed=self.missed,
            missing_since=self.missing_since,
            signed_at=self.signed_at,
        )


class SsoSource(TenantModel):
    """The address where a provider's metadata stand, which is read again by itself.

    `proposal` is what the metadata last said where that differs from the connection and nobody trusted vouches for it:
    it waits for a person's yes. `refused` is the one that was last answered with no. `pinned` is what they were signed
    with when a person followed the address: it vouches for new certificates, as those do that are trusted already.
    """

    audit: ClassVar[Audit] = Audit.LEDGERED

    connection = models.ForeignKey(SsoConnection, on_delete=models.CASCADE, related_name="+")
    url = models.CharField("metadata address", max_length=2000)
    followed_at = models.DateTimeField()
    followed_by = models.UUIDField()
    due_at = models.DateTimeField(help_text="When it is read next.")
    read_at = models.DateTimeField(help_text="When it was last read and understood.")
    failures = models.PositiveSmallIntegerField(default=0, help_text="Readings in a row that failed.")
    problem = models.TextField(blank=True, help_text="Why the last reading failed.")
    proposal = models.JSONField(null=True)
    proposed_at = models.DateTimeField(null=True)
    refused = models.CharField(max_length=64, blank=True)
    pinned = models.CharField(max_length=64, blank=True, help_text="The certificate that signed them at first.")

    class Meta:
        verbose_name = "SSO metadata address"
        verbose_name_plural = "SSO metadata addresses"
        constraints = (
            models.UniqueConstraint(fields=("tenant", "connection"), name="accounts_ssosource_one"),
            models.CheckConstraint(
                condition=models.Q(proposal=None, proposed_at=None)
                | models.Q(proposal__isnull=False, proposed_at__isnull=False),
                name="accounts_ssosource_proposed_pair",
            ),
        )
        indexes = (models.Index(fields=("due_at",), name="accounts_ssosource_due"),)

    def __str__(self) -> str:
        return self.url
