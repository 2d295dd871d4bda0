"""The exception registry."""

from typing import ClassVar

from django.db import models

from core.models import Audit, TenantModel


def _pair(at: str, by: str) -> models.Q:
    return models.Q(**{at: None, by: None}) | models.Q(**{f"{at}__isnull": False, f"{by}__isnull": False})


class PolicyException(TenantModel):
    """An agreed departure from one check: scope, owner, expiry, compensating controls, approved by another person."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    check_id = models.CharField("check", max_length=100)
    reason = models.CharField(max_length=500)
    compensating_controls = models.CharField(max_length=1000)
    items = models.JSONField(
        default=dict, editable=False, help_text="What the check named when it was asked for, and how far."
    )
    owner = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    requested_at = models.DateTimeField(editable=False)
    requested_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+", editable=False)
    approved_at = models.DateTimeField(null=True, editable=False)
    approved_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    refused_at = models.DateTimeField(null=True, editable=False)
    refused_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )

    class Meta:
        ordering = ("-requested_at",)
        constraints = (
            models.CheckConstraint(
                condition=_pair("approved_at", "approved_by"), name="runbooks_exception_approved_pair"
            ),
            models.CheckConstraint(condition=_pair("refused_at", "refused_by"), name="runbooks_exception_refused_pair"),
            models.CheckConstraint(condition=_pair("revoked_at", "revoked_by"), name="runbooks_exception_revoked_pair"),
            models.CheckConstraint(
                condition=models.Q(approved_by=None) | ~models.Q(approved_by=models.F("requested_by")),
                name="runbooks_exception_four_eyes",
            ),
            models.CheckConstraint(
                condition=models.Q(approved_at=None) | models.Q(refused_at=None), name="runbooks_exception_decided_once"
            ),
        )

    def __str__(self) -> str:
        return f"Exception for {self.check_id}"
