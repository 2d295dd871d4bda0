"""Support cases and what was said in them."""

from typing import ClassVar

from django.db import models

from comms.domain.cases import CaseState, Severity
from core.models import Audit, TenantModel


class Case(TenantModel):
    """A customer's case about the move, with the finding it is about as it stood then, and its clock."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    subject = models.CharField(max_length=150)
    severity = models.CharField(max_length=1, choices=[(one.value, one.label) for one in Severity])
    state = models.CharField(
        max_length=20, choices=[(state.value, state.label) for state in CaseState], default=CaseState.NEW.value
    )
    check_id = models.CharField("check", max_length=100, blank=True)
    finding = models.JSONField(default=dict, blank=True, help_text="What the check had found when the case was opened.")
    phase = models.CharField(max_length=20, help_text="The tenant's phase when the case was opened.")
    opened_at = models.DateTimeField(editable=False)
    opened_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+", editable=False)
    assignee = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    respond_by = models.DateTimeField(editable=False)
    resolve_by = models.DateTimeField(editable=False)
    responded_at = models.DateTimeField(null=True, editable=False)
    paused_at = models.DateTimeField(null=True, editable=False, help_text="Since when it waits for the customer.")
    due_at = models.DateTimeField(
        "clock runs out", null=True, editable=False, help_text="The deadline that runs now; empty while none does."
    )
    escalation = models.PositiveSmallIntegerField(default=0, editable=False)
    escalates_at = models.DateTimeField(null=True, editable=False)
    resolved_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    feedback = models.CharField(max_length=200, blank=True, help_text="The shortcoming behind it, in our words.")
    feedback_owner = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ships_on = models.DateField(null=True, blank=True, help_text="When it is put right for everybody.")

    class Meta:
        ordering = ("-opened_at",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in CaseState]), name="comms_case_state"
            ),
            models.CheckConstraint(
                condition=models.Q(severity__in=[one.value for one in Severity]), name="comms_case_severity"
            ),
            models.CheckConstraint(
                condition=models.Q(state="waiting", paused_at__isnull=False)
                | (~models.Q(state="waiting") & models.Q(paused_at=None)),
                name="comms_case_clock_stands_while_waiting",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("new", "in_progress"), due_at__isnull=False)
                | (~models.Q(state__in=("new", "in_progress")) & models.Q(due_at=None)),
                name="comms_case_clock_runs_while_ours",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("resolved", "closed"), resolved_at__isnull=False)
                | (~models.Q(state__in=("resolved", "closed")) & models.Q(resolved_at=None)),
                name="comms_case_resolved_when",
            ),
        )
        indexes = (
            models.Index(fields=("tenant", "-opened_at"), name="comms_case_newest"),
            models.Index(fields=("due_at",), condition=models.Q(due_at__isnull=False), name="comms_case_clock"),
            models.Index(
                fields=("escalates_at",), condition=models.Q(escalates_at__isnull=False), name="comms_case_escalates"
            ),
        )

    def __str__(self) -> str:
        return self.subject

    @property
    def severity_short(self) -> str:
        """The severity in one word."""
        return Severity(self.severity).short


class CaseEntry(TenantModel):
    """One thing said in a case; never changed afterwards."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="entries")
    text = models.TextField()
    is_ours = models.BooleanField(help_text="Written by one of the vendor's people.")
    written_at = models.DateTimeField(editable=False)
    written_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+", editable=False)

    class Meta:
        verbose_name_plural = "case entries"
        ordering = ("written_at", "id")
        indexes = (models.Index(fields=("case", "written_at"), name="comms_caseentry_in_order"),)

    def __str__(self) -> str:
        return f"Entry of {self.case}"
