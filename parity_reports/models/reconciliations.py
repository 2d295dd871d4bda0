"""Reconciliations: what is to be done about records that drift, who agreed, and what became of each."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.models import Audit, TenantModel
from core.reconciling import Outcome
from parity_reports.domain.reconciliation import State, Strategy


def _pair(at: str, by: str) -> Q:
    return Q(**{at: None, by: None}) | Q(**{f"{at}__isnull": False, f"{by}__isnull": False})


class Reconciliation(TenantModel):
    """One decision about an entity's drift: previewed, agreed to, carried out batch by batch, undoable for a time."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    entity = models.CharField(max_length=60)
    title = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=[(state.value, state.value.capitalize()) for state in State])
    strategies = models.JSONField(default=dict, help_text="What is done about each cause.")
    reason = models.CharField(max_length=500)
    second_person = models.CharField(max_length=200, blank=True, help_text="Why somebody else has to agree.")
    aside = models.CharField(max_length=200, blank=True, help_text="What is left under a legal hold, and why.")
    accepted_until = models.DateTimeField(null=True, help_text="Until when accepted differences count.")
    requested_at = models.DateTimeField()
    requested_by = models.UUIDField()
    approved_at = models.DateTimeField(null=True)
    approved_by = models.UUIDField(null=True)
    refused_at = models.DateTimeField(null=True)
    refused_by = models.UUIDField(null=True)
    finished_at = models.DateTimeField(null=True)
    undo_until = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.UUIDField(null=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ("-requested_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "entity"),
                condition=Q(state__in=["running", "undoing"]),
                name="parity_reports_reconciliation_one",
            ),
            models.CheckConstraint(
                condition=_pair("approved_at", "approved_by"), name="parity_reports_reconciliation_approved"
            ),
            models.CheckConstraint(
                condition=_pair("refused_at", "refused_by"), name="parity_reports_reconciliation_refused"
            ),
            models.CheckConstraint(
                condition=_pair("undone_at", "undone_by"), name="parity_reports_reconciliation_undone"
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("requested_by")),
                name="parity_reports_reconciliation_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(second_person="")
                | Q(approved_at__isnull=False)
                | Q(state__in=["previewed", "awaiting", "refused"]),
                name="parity_reports_reconciliation_agreed",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="parity_reports_reconciliation_reason"),
        )

    def __str__(self) -> str:
        return f"{self.title}: {self.state}"


class ReconciliationItem(TenantModel):
    """One record of a reconciliation: what is done about it, and what became of it."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.CASCADE, related_name="items")
    drift = models.ForeignKey("parity_reports.Drift", on_delete=models.PROTECT, related_name="+")
    strategy = models.CharField(max_length=10, choices=[(strategy.value, strategy.label) for strategy in Strategy])
    sealed_key = models.TextField(help_text="The object's key, encrypted.")
    mark = models.CharField(max_length=1000, blank=True, help_text="How the object stood at the preview.")
    fields = models.JSONField(
        default=dict,
        help_text="Of a merged one: per column that differs whether the new platform's value stays; public values.",
    )
    foreseen = models.CharField(max_length=1000, blank=True, help_text="A digest of what merging makes of it.")
    outcome = models.CharField(max_length=10, blank=True, choices=[(one.value, one.value) for one in Outcome])
    undone = models.CharField(max_length=10, blank=True, choices=[(one.value, one.value) for one in Outcome])

    class Meta:
        ordering = ("reconciliation", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "reconciliation", "drift"), name="parity_reports_reconciliationitem_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.strategy} {self.outcome}".strip()

    @property
    def kept(self) -> frozenset[str]:
        """The columns that stay as the new platform has them, and therefore go on differing from legacy's."""
        return frozenset(column for column, told in self.fields.items() if told["keeps"])
