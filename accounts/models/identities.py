"""People as a tenant's directory knows them: the members they are linked to, what waits, what a rule decides."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from accounts.domain.signing_in import OUTCOMES, REASONS
from core.models import Audit, TenantModel

_OUTCOMES = [(outcome.value, words) for outcome, words in OUTCOMES.items()]
_REASONS = [(reason.value, words) for reason, (words, _) in REASONS.items()]


class Source(models.TextChoices):
    """What linked an identity to a member."""

    APPROVAL = "approval", "approved"
    RULE = "rule", "standing rule"
    JOINED = "joined", "joined by signing in"
    PROVISIONING = "provisioning", "provisioned"
    MAPPING = "mapping", "identity map"


class LinkedIdentity(TenantModel):
    """A person of the tenant's directory, linked to a member: the one key that SAML and SCIM share."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    member = models.ForeignKey("accounts.Member", on_delete=models.CASCADE, related_name="identities")
    external_id = models.CharField("external id", max_length=320, blank=True)
    user_name = models.CharField("user name", max_length=320, blank=True, help_text="In lower case.")
    source = models.CharField(max_length=20, choices=Source)
    linked_at = models.DateTimeField()
    linked_by = models.UUIDField()

    class Meta:
        verbose_name = "linked identity"
        verbose_name_plural = "linked identities"
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "external_id"),
                condition=~models.Q(external_id=""),
                name="accounts_linkedidentity_id_once",
            ),
            models.UniqueConstraint(
                fields=("tenant", "user_name"),
                condition=~models.Q(user_name=""),
                name="accounts_linkedidentity_name_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(external_id="", user_name=""), name="accounts_linkedidentity_has_key"
            ),
            models.CheckConstraint(
                condition=models.Q(user_name=Lower("user_name")),
                name="accounts_linkedidentity_name_lower",
            ),
        )

    def __str__(self) -> str:
        return self.user_name or self.external_id


class LinkProposal(TenantModel):
    """A link that somebody of the tenant is to approve or reject: the address is a member's, the key is new."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    member = models.ForeignKey("accounts.Member", on_delete=models.CASCADE, related_name="link_proposals")
    external_id = models.CharField("external id", max_length=320, blank=True)
    user_name = models.CharField("user name", max_length=320, blank=True)
    reason = models.CharField(max_length=30, choices=_REASONS, help_text="Why the link waits.")
    proposed_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.UUIDField(null=True)
    is_approved = models.BooleanField(null=True)

    class Meta:
        ordering = ("-proposed_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "member", "external_id", "user_name"), name="accounts_linkproposal_once"
            ),
            models.CheckConstraint(
                condition=models.Q(decided_at=None, decided_by=None, is_approved=None)
                | models.Q(decided_at__isnull=False, decided_by__isnull=False, is_approved__isnull=False),
                name="accounts_linkproposal_decided_pair",
            ),
            models.CheckConstraint(
                condition=~models.Q(external_id="", user_name=""), name="accounts_linkproposal_has_key"
            ),
        )

    def __str__(self) -> str:
        return self.user_name or self.external_id


class StandingRule(TenantModel):
    """What a tenant decides once for everybody of a proven domain: that their links count, or that they may join."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    class Kind(models.TextChoices):
        LINK = "link", "link members by their address"
        JOIN = "join", "let new people join"

    domain = models.CharField(max_length=253, help_text="As DNS sees it.")
    kind = models.CharField(max_length=10, choices=Kind)
    made_at = models.DateTimeField()
    made_by = models.UUIDField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.UUIDField(null=True)

    class Meta:
        ordering = ("domain", "kind")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "domain", "kind"),
                condition=models.Q(ended_at=None),
                name="accounts_standingrule_once",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None, ended_by=None)
                | models.Q(ended_at__isnull=False, ended_by__isnull=False),
                name="accounts_standingrule_ended_pair",
            ),
        )

    def __str__(self) -> str:
        return f"{self.domain}: {self.get_kind_display()}"


class SsoSignIn(TenantModel):
    """One sign-in by a tenant's provider: asked once, answered once, within ten minutes, for one browser.

    `browser` is the digest of what only the browser that asked holds. `sealed` is what was found in the answer,
    encrypted, for a week; outcome, reason and verdicts stay, and the member is all they say of a person.
    """

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    connection = models.ForeignKey("accounts.SsoConnection", on_delete=models.CASCADE, related_name="sign_ins")
    fingerprint = models.CharField(max_length=64, help_text="The connection's when the sign-in began.")
    request_id = models.CharField(max_length=64, help_text="Of our AuthnRequest.")
    is_failover = models.BooleanField(default=False, help_text="Asked for our second address.")
    leaves_for = models.TextField(blank=True, help_text="The address of the provider, with our request.")
    browser = models.CharField(max_length=64)
    leads_to = models.CharField(max_length=2000, blank=True, help_text="The page of ours that was asked for.")
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, blank=True, choices=_OUTCOMES, help_text="Once it was answered.")
    reason = models.CharField(max_length=30, blank=True, choices=_REASONS, help_text="Once it was answered.")
    verdicts = models.JSONField(default=dict, help_text="Each check's verdict; nothing of a person.")
    member = models.ForeignKey("accounts.Member", on_delete=models.CASCADE, null=True, related_name="sso_sign_ins")
    sealed = models.TextField(blank=True)
    purged_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True, help_text="When the browser that asked was signed in.")
    session_ends_at = models.DateTimeField(null=True, help_text="When the provider wants the session to end.")

    class Meta:
        verbose_name = "SSO sign-in"
        ordering = ("-started_at",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "request_id"), name="accounts_ssosignin_request_once"),
            models.CheckConstraint(
                condition=models.Q(answered_at=None, outcome="", reason="", used_at=None)
                | (models.Q(answered_at__isnull=False) & ~models.Q(outcome="") & ~models.Q(reason="")),
                name="accounts_ssosignin_answered_pair",
            ),
            models.CheckConstraint(
                condition=models.Q(used_at=None) | models.Q(outcome__in=("signed_in", "joined"), member__isnull=False),
                name="accounts_ssosignin_used_has_member",
            ),
            models.CheckConstraint(
                condition=models.Q(purged_at=None) | models.Q(sealed=""), name="accounts_ssosignin_purged_is_empty"
            ),
        )
        indexes = (
            models.Index(fields=("tenant", "-started_at"), name="accounts_ssosignin_latest"),
            models.Index(fields=("tenant", "-answered_at"), name="accounts_ssosignin_answers"),
            models.Index(fields=("-answered_at",), condition=~models.Q(outcome=""), name="accounts_ssosignin_newest"),
            models.Index(fields=("answered_at",), condition=~models.Q(sealed=""), name="accounts_ssosignin_to_purge"),
        )

    def __str__(self) -> str:
        return self.outcome or "not answered"

    @property
    def reference(self) -> str:
        """What a person who was refused tells their admin."""
        return self.pk.hex[:8].upper()
