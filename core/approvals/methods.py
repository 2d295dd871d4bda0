"""In which way a person signs: by the best that they have."""

from uuid import UUID

from allauth.mfa.models import Authenticator

from core.domain.approvals import Method


def best(*, user_id: UUID) -> Method:
    """Return the best way this person has; every lesser one is refused."""
    held = set(Authenticator.objects.filter(user_id=user_id).values_list("type", flat=True))
    if Authenticator.Type.WEBAUTHN in held:
        return Method.PASSKEY
    return Method.TOTP if Authenticator.Type.TOTP in held else Method.PASSWORD
