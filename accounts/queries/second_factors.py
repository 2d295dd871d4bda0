"""Who has a second factor; a person's factors are theirs in every tenant."""

from collections.abc import Collection
from uuid import UUID

from allauth.mfa.models import Authenticator

COUNTED = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""Recovery codes are a way back in, not a factor of their own."""


def holders(*, user_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the users who have a passkey or an authenticator app."""
    found = Authenticator.objects.filter(user_id__in=user_ids, type__in=COUNTED)
    return set(found.values_list("user_id", flat=True))
