"""People who sign in tests: a passkey registered as allauth keeps it."""

from typing import Any

from allauth.mfa.models import Authenticator

from accounts.models import User
from core.evidence import verifier
from core.models import SigningStatement
from tests.passkeys import Passkey


def register(person: User, **fields: Any) -> Passkey:
    """Give a person a passkey in software."""
    passkey = Passkey(**fields)
    Authenticator.objects.create(
        user=person,
        type=Authenticator.Type.WEBAUTHN,
        data={"name": "Test", "credential": passkey.registration()},
    )
    return passkey


def challenge_of(statement: SigningStatement) -> bytes:
    """Return the challenge that signs a statement."""
    return verifier.challenge_of(bytes(statement.body))
