"""Domains that a tenant claims, and the look-ups of their challenge."""

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.utils import timezone

from accounts.domain.challenge import Method
from accounts.domain.diagnosis import Code
from core.models import Audit, TenantModel

_PROVEN_BY = [("txt", "its TXT record"), ("cname", "its alias"), ("file", "the file on its web site")]

if TYPE_CHECKING:
    from accounts.models.transfers import DomainTransfer


class Domain(TenantModel):
    """A domain a tenant says it holds; proven once its challenge was seen in DNS.

    A proof stands until the domain is released. A token issued after the proof asks for a fresh one and takes
    nothing away while it waits.
    """

    audit: ClassVar[Audit] = Audit.LEDGERED

    name = models.CharField(max_length=253, help_text="As DNS sees it: A-labels, lower case.")
    text = models.CharField(max_length=253, help_text="As its owner reads it.")
    token = models.CharField(max_length=63, help_text="Public by its nature: it is published in DNS.")
    earlier_tokens = models.JSONField(default=list, help_text="Replaced ones, newest first, to recognise them.")
    method = models.CharField(
        max_length=10, default=Method.DNS.value, choices=[("dns", "A DNS record"), ("file", "A file on the web site")]
    )
    claimed_at = models.DateTimeField(default=timezone.now, editable=False)
    claimed_by = models.UUIDField(editable=False)
    token_issued_at = models.DateTimeField(default=timezone.now, editable=False)
    verified_at = models.DateTimeField(null=True, editable=False, help_text="When it was first proven.")
    verified_by = models.UUIDField(null=True, editable=False)
    proven_at = models.DateTimeField(null=True, editable=False, help_text="When it was last proven.")
    proven_via = models.CharField(
        max_length=10, blank=True, editable=False, choices=_PROVEN_BY, help_text="What proved it last."
    )
    failed_at = models.DateTimeField(null=True, editable=False, help_text="When the current token was given up.")
    next_check_at = models.DateTimeField(null=True, editable=False)
    fresh_asked_at = models.DateTimeField(
        null=True, editable=False, help_text="When a fresh proof was asked for, three days before the move."
    )
    contested_at = models.DateTimeField(
        null=True, editable=False, help_text="When another account that asks for it showed to control it."
    )
    passed_on_at = models.DateTimeField(null=True, editable=False, help_text="When it went to another account.")

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "name"), name="accounts_domain_once"),
            # Across tenants, on purpose: a stranger learns of it only after proving to hold the same domain.
            models.UniqueConstraint(
                fields=("name",), condition=models.Q(verified_at__isnull=False), name="accounts_domain_one_owner"
            ),
            models.CheckConstraint(
                condition=models.Q(verified_at=None, verified_by=None, proven_at=None)
                | models.Q(
                    verified_at__isnull=False, verified_by__isnull=False, proven_at__gte=models.F("verified_at")
                ),
                name="accounts_domain_verified_pair",
            ),
            models.CheckConstraint(
                condition=models.Q(method__in=[method.value for method in Method]), name="accounts_domain_method"
            ),
            models.CheckConstraint(
                condition=models.Q(failed_at=None) | models.Q(next_check_at=None), name="accounts_domain_failed_rests"
            ),
            models.CheckConstraint(
                condition=models.Q(contested_at=None) | models.Q(verified_at__isnull=False),
                name="accounts_domain_contested_is_held",
            ),
            models.CheckConstraint(
                condition=models.Q(passed_on_at=None) | models.Q(verified_at=None), name="accounts_domain_passed_on"
            ),
        )
        indexes = (
            models.Index(
                fields=("next_check_at",),
                condition=models.Q(next_check_at__isnull=False),
                name="accounts_domain_due",
            ),
        )

    def __str__(self) -> str:
        return self.text

    @property
    def is_verified(self) -> bool:
        """Whether the domain was proven."""
        return self.verified_at is not None

    @property
    def awaits_proof(self) -> bool:
        """Whether the current token still waits to be seen."""
        return self.failed_at is None and (self.proven_at is None or self.token_issued_at > self.proven_at)

    @property
    def lacks_fresh_proof(self) -> bool:
        """Whether a proof that stands was to be given afresh before the move, and was not yet."""
        asked, proven = self.fresh_asked_at, self.proven_at
        return asked is not None and proven is not None and proven < asked

    @property
    def transfer(self) -> "DomainTransfer | None":
        """How it stands with the latest wish to have the domain from another account; None once it is proven."""
        return None if self.is_verified else next(iter(self.transfers.all()), None)

    @property
    def last_check(self) -> "DomainCheck | None":
        """The latest look at what is asked for now; what was found of an earlier token explains nothing."""
        return next((check for check in self.checks.all() if check.checked_at >= self.token_issued_at), None)


class DomainCheck(TenantModel):
    """One look at a domain's challenge: what was found, what was expected, what to do."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="checks")
    checked_at = models.DateTimeField()
    is_automatic = models.BooleanField()
    code = models.CharField(max_length=20, help_text="Which cure it needs; the summary says it in words.")
    summary = models.TextField()
    found = models.JSONField(default=list)
    expected = models.CharField(max_length=255)
    fix = models.TextField(blank=True)
    ttl = models.PositiveIntegerField(null=True, help_text="Seconds resolvers may keep the answer.")
    is_authenticated = models.BooleanField(default=False, help_text="DNSSEC, by our own resolver.")

    class Meta:
        ordering = ("-checked_at",)
        indexes = (models.Index(fields=("domain", "-checked_at"), name="accounts_domaincheck_latest"),)

    @property
    def is_outage(self) -> bool:
        """Whether it says nothing about the record, only about the servers."""
        return self.code in {Code.TIMEOUT, Code.SERVFAIL, Code.REFUSED, Code.FILE_UNREACHABLE}

    def __str__(self) -> str:
        return self.summary


class DomainLink(TenantModel):
    """A way for somebody without an account to see what to publish for one domain; only a digest of it is kept."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="links")
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    made_at = models.DateTimeField(editable=False)
    made_by = models.UUIDField(editable=False)
    expires_at = models.DateTimeField(editable=False)
    opened_at = models.DateTimeField(null=True, editable=False, help_text="When it was first opened.")
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.UUIDField(null=True, editable=False)

    class Meta:
        ordering = ("-made_at",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(revoked_at=None, revoked_by=None)
                | models.Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="accounts_domainlink_revoked_pair",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("made_at")), name="accounts_domainlink_ends"
            ),
        )

    def __str__(self) -> str:
        return f"Link for {self.domain}"
