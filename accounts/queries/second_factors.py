"""Who has a second factor; a person's factors are theirs in every tenant."""

from collections.abc import Collection
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.http import HttpRequest

COUNTED = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""Recovery codes are a way back in, not a factor of their own."""


def holders(*, user_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the users who have a passkey or an authenticator app."""
    found = Authenticator.objects.filter(user_id__in=user_ids, type__in=COUNTED)
    return set(found.values_list("user_id", flat=True))


def was_used(request: HttpRequest) -> bool:
    """Tell whether the person showed a second factor (or a passkey) in this session."""
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))
