"""What Crossing asks of allauth: no open sign-up, secrets encrypted at rest, staff never without a second factor.

Guessing is slowed by allauth's own rate limits on the shared cache; a second mechanism (django-axes) would count the
same attempts a second time, and the admin has no sign-in of its own.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.stagekit import clear_login
from allauth.account.utils import perform_login
from allauth.core import context, ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.queries import second_factors
from accounts.views import company_sign_in
from core import sealing
from core.errors import PermissionRefused


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


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    """Adds a passkey, which opens every account of its owner, in a session that opens them all for good.

    Else a password that one account still takes would open, by a passkey, those that take the company's sign-in alone;
    and one that counts for the hours of a cutback would open the account ever after.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        closed = company_sign_in.closed_to(context.request, kwargs["user"])
        if closed:
            raise PermissionRefused(
                "A passkey would open accounts that your password does not open any more.",
                fix=f"Sign in by your company for {closed[0].name} first, and add the passkey then.",
            )
        lent = company_sign_in.lent_to(context.request, kwargs["user"])
        if lent:
            raise PermissionRefused(
                f"Passwords open {lent[0].name} for some hours only, and a passkey would open it ever after.",
                fix="Add the passkey once your company's sign-in works again.",
            )
        super().__init__(*args, **kwargs)


def sign_in(
    request: HttpRequest,
    user: Any,
    *,
    method: str,
    tenant_id: UUID,
    leads_to: str,
    email_verification: str | None = None,
    ends_at: datetime | None = None,
) -> HttpResponse:
    """Sign a person in by what one of their accounts vouches for; a second factor of theirs is still asked for.

    Whoever was signed in there before is signed out first, or how the session was opened would be lost with theirs.
    The session lasts as long as any other, or until `ends_at` if that is earlier; what vouched ends then in any case.
    """
    if request.user.is_authenticated and request.user.pk != user.pk:
        get_adapter().logout(request)
    until = {"ends_at": ends_at.timestamp()} if ends_at else {}
    record_authentication(request, user, method=method, tenant_id=str(tenant_id), **until)
    usual = timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    request.session.set_expiry(min(ends_at, usual) if ends_at else None)
    signed_in: HttpResponse = perform_login(request, user, email_verification=email_verification, redirect_url=leads_to)
    return signed_in


def too_often(request: HttpRequest, action: str = "sso") -> HttpResponse | None:
    """Return the answer to who signs in by a provider, or tries recovery codes, too often from one address, or None."""
    limited: HttpResponse | None = ratelimit.consume_or_429(request, action=action)
    return limited
