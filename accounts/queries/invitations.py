"""Invitations, by tenant and by link."""

from dataclasses import dataclass
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import connection
from django.db.models import QuerySet

from accounts.domain import invitations as rules
from accounts.models import Invitation, User


@dataclass(frozen=True, slots=True)
class Found:
    """Whose invitation a link opens, before any tenant's rows may be read."""

    tenant_id: UUID
    invitation_id: UUID


def find(*, token: str) -> Found | None:
    """Return whose invitation a link opens, or None for a link that opens nothing (any more)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant_id, invitation_id FROM crossing.invitation(%s)", [rules.digest(token)])
        row = cursor.fetchone()
    return Found(*row) if row else None


def has_account(*, invitation: Invitation) -> bool:
    """Tell whether somebody signs in with the invited address already, or has shown to own it."""
    address = invitation.email
    return (
        User.objects.filter(email=address).exists()
        or EmailAddress.objects.filter(email__iexact=address, verified=True).exists()
    )


def pending(*, tenant_id: UUID) -> QuerySet[Invitation]:
    """Return the invitations that were neither accepted nor taken back, the newest first."""
    return Invitation.objects.filter(tenant_id=tenant_id, accepted_at=None, revoked_at=None).order_by("-invited_at")
