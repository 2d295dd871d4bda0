"""Access reviews: who had which role where when a review began, and what was decided about each."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.domain.access import DIFFERENCES, LONGEST_REASON, Verdict, shown, ways_in_words
from accounts.models.enforcement import pair
from core.models import Audit, TenantModel

_VERDICTS = [
    (Verdict.OPEN.value, "To decide"),
    (Verdict.ATTESTED.value, "Attested"),
    (Verdict.ASKED.value, "Waits for a second owner"),
    (Verdict.REVOKED.value, "Taken away"),
]


class AccessReview(TenantModel):
    """One review of everybody's access; while it is open, no other begins. It ends finished, or abandoned.

    Of a large account the lines are written down by the queue: until then it has none, and `begun_at` says when it was
    asked for. It has at least one line afterwards, for whoever begins it has access.
    """

    audit: ClassVar[Audit] = Audit.LEDGERED

    begun_at = models.DateTimeField()
    begun_by = models.UUIDField()
    due_on = models.DateField()
    people = models.PositiveIntegerField(help_text="How many lines it has; 0 until they are written down.")
    finished_at = models.DateTimeField(null=True)
    finished_by = models.UUIDField(null=True)
    abandoned_at = models.DateTimeField(null=True)
    abandoned_by = models.UUIDField(null=True)
    reason = models.CharField(max_length=LONGEST_REASON, blank=True, help_text="Why it was abandoned.")
    approval_id = models.UUIDField(null=True, help_text="The request by which its summary is signed.")
    summary = models.JSONField(default=dict, help_text="How many by difference and decision, once it is finished.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the finished lines: the ledger holds it too.")

    class Meta:
        ordering = ("-begun_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant",),
                condition=Q(finished_at=None, abandoned_at=None),
                name="accounts_accessreview_one_open",
            ),
            models.CheckConstraint(condition=pair("finished_at", "finished_by"), name="accounts_accessreview_pair"),
            models.CheckConstraint(
                condition=Q(finished_at=None, sha256="") | (Q(finished_at__isnull=False) & ~Q(sha256="")),
                name="accounts_accessreview_summed",
            ),
            models.CheckConstraint(
                condition=pair("abandoned_at", "abandoned_by"), name="accounts_accessreview_abandoned_pair"
            ),
            models.CheckConstraint(
                condition=Q(abandoned_at=None, reason="") | (Q(abandoned_at__isnull=False) & ~Q(reason="")),
                name="accounts_accessreview_reason",
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(abandoned_at=None), name="accounts_accessreview_ends_once"
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(people__gt=0), name="accounts_accessreview_written"
            ),
        )

    def __str__(self) -> str:
        return f"Access review of {self.begun_at:%Y-%m-%d}"

    @property
    def is_open(self) -> bool:
        """Whether it is under way."""
        return self.finished_at is None and self.abandoned_at is None

    @property
    def is_being_written(self) -> bool:
        """Whether it waits for everybody's access to be written down."""
        return self.is_open and not self.people


class AccessLine(TenantModel):
    """One person's access as it was when the review began, and what was decided. Names are never copied here."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    review = models.ForeignKey(AccessReview, on_delete=models.PROTECT, related_name="lines")
    number = models.PositiveIntegerField()
    member = models.ForeignKey("accounts.Member", on_delete=models.PROTECT, null=True, related_name="+")
    legacy = models.ForeignKey("accounts.LegacyPerson", on_delete=models.PROTECT, null=True, related_name="+")
    new = models.ForeignKey("accounts.NewPerson", on_delete=models.PROTECT, null=True, related_name="+")
    old_role = models.CharField(max_length=100, blank=True)
    platform_role = models.CharField(max_length=100, blank=True, help_text="On the new platform itself.")
    role = models.CharField(max_length=20, blank=True, help_text="In Crossing.")
    is_old_owner = models.BooleanField(default=False)
    is_platform_owner = models.BooleanField(default=False)
    difference = models.CharField(
        max_length=10, choices=[(each.value, said.title) for each, said in DIFFERENCES.items()]
    )
    ways = models.JSONField(default=list, help_text="The ways in that were open to them.")
    seen_at = models.DateTimeField("last seen", null=True)
    verdict = models.CharField(max_length=10, blank=True, choices=_VERDICTS)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.UUIDField(null=True)
    agreed_at = models.DateTimeField(null=True)
    agreed_by = models.UUIDField(null=True)

    class Meta:
        verbose_name = "line of an access review"
        verbose_name_plural = "lines of access reviews"
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "review", "number"), name="accounts_accessline_number"),
            models.CheckConstraint(condition=pair("decided_at", "decided_by"), name="accounts_accessline_pair"),
            models.CheckConstraint(condition=pair("agreed_at", "agreed_by"), name="accounts_accessline_agreed_pair"),
            models.CheckConstraint(
                condition=Q(verdict="", decided_at=None) | (~Q(verdict="") & Q(decided_at__isnull=False)),
                name="accounts_accessline_decided",
            ),
            models.CheckConstraint(
                condition=~Q(verdict="revoked", role="owner") | Q(agreed_at__isnull=False),
                name="accounts_accessline_owner_agreed",
            ),
            models.CheckConstraint(
                condition=Q(agreed_by=None) | ~Q(agreed_by=F("decided_by")), name="accounts_accessline_four_eyes"
            ),
            models.CheckConstraint(
                condition=Q(member__isnull=False) | Q(legacy__isnull=False) | Q(new__isnull=False),
                name="accounts_accessline_somebody",
            ),
        )
        indexes = (models.Index(fields=("tenant", "review", "verdict"), name="accounts_accessline_open"),)

    def __str__(self) -> str:
        return f"Line {self.number}"

    @property
    def name(self) -> str:
        """Who it is, by the name they go by now."""
        return shown(str(self.member.user) if self.member else str(self.new or self.legacy))

    @property
    def email(self) -> str:
        """Their address now."""
        return shown(self.member.user.email if self.member else getattr(self.new or self.legacy, "email", ""))

    @property
    def role_now(self) -> str:
        """What they hold in Crossing now."""
        return "" if self.member is None or self.member.deactivated_at else self.member.role

    @property
    def has_changed(self) -> bool:
        """Whether they hold another role now than the line says, though nobody took it away here."""
        return self.verdict != Verdict.REVOKED and self.role_now != self.role

    @property
    def ways_in_words(self) -> str:
        """How they came in."""
        return ways_in_words(self.ways)

    @property
    def state(self) -> str:
        """How its difference looks."""
        return next(said.state for each, said in DIFFERENCES.items() if each == self.difference)
