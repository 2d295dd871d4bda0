"""Mailings and each person's copy of them."""

from typing import ClassVar

from django.db import models

from comms.domain.deliveries import DeliveryState
from comms.domain.ladder import Audience, Kind
from comms.domain.mailings import MailingState
from core.models import Audit, TenantModel


def _pair(at: str, by: str) -> models.Q:
    return models.Q(**{at: None, by: None}) | models.Q(**{f"{at}__isnull": False, f"{by}__isnull": False})


class Mailing(TenantModel):
    """One message to one audience on one occasion. Once issued, its words and its version are kept as they left."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    template = models.CharField(max_length=60)
    version = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.label) for kind in Kind])
    audience = models.CharField(max_length=20, choices=[(one.value, one.label) for one in Audience])
    occasion = models.CharField(max_length=120, help_text="What it is sent for; never twice for the same one.")
    is_essential = models.BooleanField("essential", help_text="Reaches those too who want no reminders.")
    due_at = models.DateTimeField()
    state = models.CharField(
        max_length=20,
        choices=[(state.value, state.label) for state in MailingState],
        default=MailingState.PLANNED.value,
    )
    note = models.TextField(blank=True, help_text="The customer's own words, plain text.")
    subject = models.CharField(max_length=400, blank=True)
    text = models.TextField(blank=True)
    link = models.CharField(max_length=500, blank=True)
    planned_at = models.DateTimeField(editable=False)
    issued_at = models.DateTimeField(null=True, editable=False)
    skipped_at = models.DateTimeField(null=True, editable=False)
    skipped_by = models.UUIDField(null=True, editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("due_at", "template")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "template", "occasion", "audience"), name="comms_mailing_once_per_occasion"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in MailingState]), name="comms_mailing_state"
            ),
            models.CheckConstraint(
                condition=models.Q(state="issued", issued_at__isnull=False) & ~models.Q(subject="") & ~models.Q(text="")
                | (~models.Q(state="issued") & models.Q(issued_at=None)),
                name="comms_mailing_issued_with_its_words",
            ),
            models.CheckConstraint(condition=_pair("skipped_at", "skipped_by"), name="comms_mailing_skipped_pair"),
        )
        indexes = (
            models.Index(fields=("due_at",), condition=models.Q(state="planned"), name="comms_mailing_due"),
            models.Index(fields=("tenant", "-due_at"), name="comms_mailing_newest"),
        )

    def __str__(self) -> str:
        return self.subject or self.template


class Delivery(TenantModel):
    """One person's copy of a mailing; there is never a second one."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="deliveries")
    person = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=20,
        choices=[(state.value, state.label) for state in DeliveryState],
        default=DeliveryState.WAITING.value,
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(help_text="When it is tried (again).")
    claimed_until = models.DateTimeField(null=True, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)
    problem = models.CharField(max_length=200, blank=True, help_text="What the mail server said, without addresses.")

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ("mailing", "id")
        constraints = (
            models.UniqueConstraint(fields=("tenant", "mailing", "person"), name="comms_delivery_once_per_person"),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in DeliveryState]), name="comms_delivery_state"
            ),
            models.CheckConstraint(
                condition=models.Q(state="sent", sent_at__isnull=False)
                | (~models.Q(state="sent") & models.Q(sent_at=None)),
                name="comms_delivery_sent_when",
            ),
            models.CheckConstraint(
                condition=models.Q(state="sending", claimed_until__isnull=False)
                | (~models.Q(state="sending") & models.Q(claimed_until=None)),
                name="comms_delivery_claimed_while_sending",
            ),
        )
        indexes = (
            models.Index(fields=("next_at",), condition=models.Q(state="waiting"), name="comms_delivery_due"),
            models.Index(fields=("claimed_until",), condition=models.Q(state="sending"), name="comms_delivery_claimed"),
        )

    def __str__(self) -> str:
        return f"{self.mailing}: {self.get_state_display()}"


class Preference(TenantModel):
    """A person who wants only what is essential from this tenant's move."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    person = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    essential_only_since = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant", "person"), name="comms_preference_once"),)

    def __str__(self) -> str:
        return "Essential messages only"
