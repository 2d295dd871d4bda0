"""People who sign in tests: a passkey registered as allauth keeps it, or a session that has just confirmed them."""

import time
from typing import Any

from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY,
    AUTHENTICATION_METHODS_SESSION_KEY,
)
from allauth.mfa.models import Authenticator
from django.test import Client

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


def confirm(client: Client, person: User, method: str) -> None:
    """Let a browser's session show that its person has just confirmed who they are by a password or a code."""
    session = client.session
    record: dict[str, object] = {"method": method, "at": time.time() - 1, "reauthenticated": True}
    if method == "totp":
        record |= {"method": "mfa", "type": "totp"}
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [*session.get(AUTHENTICATION_METHODS_SESSION_KEY, []), record]
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(person.pk)
    session.save()


def challenge_of(statement: SigningStatement) -> bytes:
    """Return the challenge that signs a statement."""
    return verifier.challenge_of(bytes(statement.body))
