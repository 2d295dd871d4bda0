"""That a tenant's people must sign in by their company, and who gets in when that fails."""

from typing import ClassVar

from django.db import models

from core.models import Audit, TenantModel


def pair(at: str, by: str) -> models.Q:
    """Hold a moment and a person together: both are there, or neither."""
    return models.Q(**{at: None, by: None}) | models.Q(**{f"{at}__isnull": False, f"{by}__isnull": False})


class Enforcement(TenantModel):
    """One switching-on of `accounts.enforce_sso`: from when passwords are refused, and what was known of it then.

    The toggle it belongs to says whether it stands and until when; this row says from when.
    """

    audit: ClassVar[Audit] = Audit.LEDGERED

    toggle = models.ForeignKey("core.ToggleSetting", on_delete=models.PROTECT, related_name="+")
    takes_effect_at = models.DateTimeField()
    forecast = models.JSONField(default=dict, help_text="How many people were foreseen to get in, by outcome.")
    accepted_list = models.CharField(
        max_length=64, blank=True, help_text="Digest of the list of people locked out that was seen and accepted."
    )

    warned_days = models.PositiveSmallIntegerField(
        null=True, help_text="Of which step before its end people know; 0: that it is over."
    )

    class Meta:
        verbose_name = "enforcement of single sign-on"
        verbose_name_plural = "enforcements of single sign-on"
        ordering = ("-takes_effect_at",)
        constraints = (models.UniqueConstraint(fields=("tenant", "toggle"), name="accounts_enforcement_own_toggle"),)

    def __str__(self) -> str:
        return f"from {self.takes_effect_at:%Y-%m-%d %H:%M}"


class BreakGlassOwner(TenantModel):
    """One of the two owners who get in by a recovery code when the company's sign-in fails."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    member = models.ForeignKey("accounts.Member", on_delete=models.PROTECT, related_name="+")
    seat = models.PositiveSmallIntegerField()
    named_at = models.DateTimeField()
    named_by = models.UUIDField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.UUIDField(null=True)

    class Meta:
        verbose_name = "break-glass owner"
        ordering = ("seat",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "seat"), condition=models.Q(ended_at=None), name="accounts_breakglass_seat_once"
            ),
            models.UniqueConstraint(
                fields=("tenant", "member"), condition=models.Q(ended_at=None), name="accounts_breakglass_person_once"
            ),
            models.CheckConstraint(condition=models.Q(seat__in=(1, 2)), name="accounts_breakglass_two"),
            models.CheckConstraint(condition=pair("ended_at", "ended_by"), name="accounts_breakglass_ended_pair"),
        )

    def __str__(self) -> str:
        return f"Seat {self.seat}"


class RecoveryCode(TenantModel):
    """A code that signs a break-glass owner in once; only its digest is kept."""

    audit: ClassVar[Audit] = Audit.LEDGERED

    owner = models.ForeignKey(BreakGlassOwner, on_delete=models.PROTECT, related_name="codes")
    digest = models.CharField(max_length=64, unique=True)
    issued_at = models.DateTimeField()
    lapses_at = models.DateTimeField(null=True, help_text="Set when another code of its set was used.")
    used_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("issued_at",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(used_at=None) | models.Q(replaced_at=None), name="accounts_recoverycode_one_end"
            ),
        )

    def __str__(self) -> str:
        return "used" if self.used_at else "replaced" if self.replaced_at else "unused"
