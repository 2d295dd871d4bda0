"""Domains that go from one tenant to another."""

from typing import ClassVar

from django.db import models

from accounts.domain.transfers import OPEN, TransferState
from core.models import Audit, TenantModel


class DomainTransfer(TenantModel):
    """A tenant that asks for a domain which another account holds; it says nothing of who that is."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    domain = models.ForeignKey("accounts.Domain", on_delete=models.CASCADE, related_name="transfers")
    state = models.CharField(
        max_length=10,
        choices=[(state.value, state.label) for state in TransferState],
        default=TransferState.ASKED.value,
    )
    reason = models.CharField(max_length=500, help_text="Why the domain is theirs, in the words of who asks.")
    asked_at = models.DateTimeField(editable=False)
    asked_by = models.UUIDField(editable=False)
    proven_at = models.DateTimeField(null=True, editable=False, help_text="When the token of this request was seen.")
    decided_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.UUIDField(null=True, editable=False)
    answer = models.CharField(max_length=500, blank=True, help_text="What whoever decided says to who asked.")

    class Meta:
        ordering = ("-asked_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "domain"),
                condition=models.Q(state__in=[state.value for state in OPEN]),
                name="accounts_domaintransfer_open_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in TransferState]),
                name="accounts_domaintransfer_state",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=[state.value for state in OPEN], decided_at__isnull=True, decided_by__isnull=True
                )
                | (
                    ~models.Q(state__in=[state.value for state in OPEN])
                    & models.Q(decided_at__isnull=False, decided_by__isnull=False)
                ),
                name="accounts_domaintransfer_decided_pair",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["proven", "approved"]) | models.Q(proven_at__isnull=False),
                name="accounts_domaintransfer_proven_first",
            ),
        )

    def __str__(self) -> str:
        return f"Transfer of {self.domain}"
