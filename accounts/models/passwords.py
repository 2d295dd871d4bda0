"""That a tenant's people have no passwords any more, and the sealed ones until there is no way back."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models.enforcement import pair
from core.models import Audit, TenantModel


class PasswordRemoval(TenantModel):
    """One removal: it holds until it is restored; from `reversible_until` on it holds for good."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    reason = models.CharField(max_length=500)
    removed_at = models.DateTimeField()
    removed_by = models.UUIDField()
    reversible_until = models.DateTimeField()
    sealed = models.PositiveIntegerField(default=0, help_text="Passwords that were sealed.")
    kept = models.PositiveIntegerField(default=0, help_text="People of other accounts too, whose passwords stayed.")
    excepted = models.PositiveIntegerField(default=0, help_text="Members who had not signed in by their company yet.")
    restored_at = models.DateTimeField(null=True)
    restored_by = models.UUIDField(null=True)
    destroyed_at = models.DateTimeField(null=True, help_text="When the sealed passwords were forgotten.")

    class Meta:
        verbose_name = "removal of passwords"
        verbose_name_plural = "removals of passwords"
        ordering = ("-removed_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant",), condition=Q(restored_at=None), name="accounts_passwordremoval_one"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="accounts_passwordremoval_reason"),
            models.CheckConstraint(
                condition=Q(reversible_until__gt=F("removed_at")), name="accounts_passwordremoval_reversible"
            ),
            models.CheckConstraint(
                condition=pair("restored_at", "restored_by"), name="accounts_passwordremoval_restored_pair"
            ),
            models.CheckConstraint(
                condition=Q(restored_at=None) | Q(destroyed_at=None), name="accounts_passwordremoval_one_end"
            ),
        )

    def __str__(self) -> str:
        return f"{self.sealed} passwords, {self.removed_at:%Y-%m-%d}"


class SealedPassword(TenantModel):
    """A member's password hash, encrypted, for as long as it can be given back."""

    audit: ClassVar[Audit] = Audit.OPERATIONAL

    removal = models.ForeignKey(PasswordRemoval, on_delete=models.CASCADE, related_name="passwords")
    member = models.ForeignKey("accounts.Member", on_delete=models.CASCADE, related_name="+")
    sealed = models.TextField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "removal", "member"), name="accounts_sealedpassword_once"),
        )

    def __str__(self) -> str:
        return "sealed"
