"""What Crossing asks of allauth: no open sign-up, secrets encrypted at rest, staff never without a second factor.

Guessing is slowed by allauth's own rate limits on the shared cache; a second mechanism (django-axes) would count the
same attempts a second time, and the admin has no sign-in of its own.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.core import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.http import HttpRequest, HttpResponse

from accounts.queries import second_factors
from accounts.views import company_sign_in
from core import sealing


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """People come by invitation."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up by themselves."""
        return False

    def pre_login(self, request: HttpRequest, user: Any, **more: Any) -> HttpResponse | None:
        """Refuse a password where only the company's sign-in counts; asked after it was found to be right."""
        refused: HttpResponse | None = super().pre_login(request, user, **more)
        refused = refused or company_sign_in.refuse(request, user)
        if refused:
            clear_login(request)
        return refused


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Keeps the secrets of authenticator apps and recovery codes encrypted."""

    def encrypt(self, text: str) -> str:
        """Encrypt with the newest key of FIELD_KEYS."""
        return sealing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt with whichever key of FIELD_KEYS it was encrypted with."""
        return sealing.unseal(encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Let staff replace a second factor, but not remove the last."""
        if not authenticator.user.is_staff or authenticator.type not in second_factors.COUNTED:
            return True
        others = Authenticator.objects.filter(user=authenticator.user, type__in=second_factors.COUNTED)
        return bool(others.exclude(pk=authenticator.pk).exists())


def too_often(request: HttpRequest) -> HttpResponse | None:
    """Return the answer to who signs in by a provider too often from one address, or None."""
    limited: HttpResponse | None = ratelimit.consume_or_429(request, action="sso")
    return limited
