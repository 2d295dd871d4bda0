"""What allauth does to a person's sign-in, as entries of the programme's ledger, and fresh session keys with it.

allauth is the one package whose signals we listen to: it changes these rows itself.
"""

from typing import Any

from allauth.account import signals as account
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.dispatch import Signal
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.queries import second_factors
from core import ledger
from core.actor import Actor, ActorKind

_EVENTS: dict[str, Signal] = {
    "accounts.user.password_set": account.password_set,
    "accounts.user.password_changed": account.password_changed,
    "accounts.user.password_reset": account.password_reset,
    "accounts.user.email_changed": account.email_changed,
    "accounts.user.second_factor_added": mfa.authenticator_added,
    "accounts.user.second_factor_removed": mfa.authenticator_removed,
    "accounts.user.recovery_codes_renewed": mfa.authenticator_reset,
}


def listen() -> None:
    """Connect every event; safe to repeat."""
    for event, signal in _EVENTS.items():
        signal.connect(_recorder(event), dispatch_uid=event, weak=False)
    mfa.authenticator_added.connect(_trust, dispatch_uid="accounts.signin.trust")


def _recorder(event: str) -> Any:
    def record(*, user: User, authenticator: Authenticator | None = None, **_: Any) -> None:
        """Record who changed their own sign-in; the entry holds ids alone."""
        by = Actor(ActorKind.STAFF if user.is_staff else ActorKind.MEMBER, user.pk, str(user))
        data = {"type": str(authenticator.type)} if authenticator else {}
        with transaction.atomic():
            ledger.record(event, by=by, at=timezone.now(), tenant_id=None, subject=user, data=data)

    return record


def _trust(*, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    """Count the second factor just set up as shown, under a fresh session key: the session may do more than before."""
    if authenticator.type not in second_factors.COUNTED:
        return
    record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)
    request.session.cycle_key()
