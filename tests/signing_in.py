"""Signing in for tests."""

from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client


def sign_staff_in_wholly() -> None:
    """Let `Client.force_login` sign staff in as it does customers: wholly, here with the second factor.

    Without it nothing opens for staff (`portal.middleware.StaffSecondFactor`). It was shown long ago, so that whatever
    asks for a fresh one still asks. A test of the second factor itself uses `by_password_alone`.
    """
    force_login = Client.force_login

    def wholly(client: Client, user: Any, backend: str | None = None) -> None:
        force_login(client, user, backend)
        if user.is_staff:
            _remember(client, user, {"method": "mfa", "type": "totp", "at": 0})

    Client.force_login = wholly  # type: ignore[method-assign, assignment]  # one place instead of each test


def by_password_alone(client: Client, user: Any) -> None:
    """Sign a person in as a password alone does."""
    client.force_login(user)
    _remember(client, user, {"method": "password", "at": 0})


def _remember(client: Client, user: Any, record: dict[str, Any]) -> None:
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [record]
    session[f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"] = str(user.pk)
    session.save()
