"""What a browser shows of who signs: their passkey's exchange, or proof of a recent re-authentication."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from core.approvals import methods, passkeys
from core.approvals.signatures import UnableToSign
from core.domain.approvals import Method, ReAuthentication
from core.errors import UseCaseError
from core.models import SigningStatement
from core.web import ActingRequest

LARGEST_ANSWER = 20_000
"""Characters; an assertion is under two thousand."""


class Begin(Protocol):
    """A use case that issues the statement which a passkey is to sign."""

    def __call__(self, *, shown_evidence: str, rp_id: str, at: datetime) -> tuple[SigningStatement, dict[str, Any]]:
        """Return the statement and the options for the browser."""


class Take(Protocol):
    """A use case that takes a signature."""

    def __call__(self, *, shown_evidence: str, proof: passkeys.Answer | ReAuthentication, at: datetime) -> object:
        """Take it."""


def begin(request: ActingRequest, use: Begin) -> JsonResponse:
    """Answer the page's script with the statement to sign, or with the refusal."""
    try:
        shown = request.POST.get("evidence", "")
        statement, options = use(shown_evidence=shown, rp_id=_site(request), at=timezone.now())
    except UseCaseError as refusal:
        return JsonResponse({"message": refusal.message, "fix": refusal.fix}, status=refusal.status)
    return JsonResponse({"statement": str(statement.pk), "options": options})


def sign(
    request: ActingRequest, use: Take, *, here: str, refuse: Callable[[UseCaseError], HttpResponse]
) -> HttpResponse:
    """Take a signature: by passkey, or under a recent re-authentication, which is asked for where there is none.

    Who has a passkey signs with it whatever the form says.
    """
    at = timezone.now()
    wanted = methods.best(user_id=request.actor.known_id)
    given = proof(request, wanted=wanted, at=at)
    if given is None and wanted is not Method.PASSKEY:
        return redirect(_confirm_address(wanted=wanted, back=f"{here}#sign"))
    try:
        use(shown_evidence=request.POST.get("evidence", ""), proof=given or _answer(request), at=at)
    except UseCaseError as refusal:
        return refuse(refusal)
    messages.success(request, "Your signature is recorded.")
    return redirect(here)


def context(request: ActingRequest, *, at: datetime) -> dict[str, Any]:
    """Return what `components/sign.html` shows to this person: how they sign, and what they have proven already."""
    method = methods.best(user_id=request.actor.known_id)
    return {
        "method": method,
        "has_passkey": method is Method.PASSKEY,
        "proof": proof(request, wanted=method, at=at),
    }


def proof(request: HttpRequest, *, wanted: Method, at: datetime) -> ReAuthentication | None:
    """Return this session's newest fresh re-authentication by the factor it must be; None without one."""
    if wanted is Method.PASSKEY:
        return None
    user = request.user if request.user.is_authenticated else None
    for record in reversed(get_authentication_records(request, user)):
        is_wanted = record.get("type") == "totp" if wanted is Method.TOTP else record.get("method") == "password"
        if is_wanted and record.get("reauthenticated"):
            given = ReAuthentication(wanted, datetime.fromtimestamp(record["at"], UTC))
            if given.is_fresh(at=at):
                return given
    return None


def _site(request: HttpRequest) -> str:
    """Return the relying party's id, as allauth chose it when the passkey was registered."""
    return request.get_host().partition(":")[0]


def _confirm_address(*, wanted: Method, back: str) -> str:
    """Return the address where this person confirms who they are, and comes back."""
    name = "mfa_reauthenticate" if wanted is Method.TOTP else "account_reauthenticate"
    return f"{reverse(name)}?{urlencode({'next': back})}"


def _answer(request: HttpRequest) -> passkeys.Answer:
    """Read the passkey's answer out of the form. Raises UnableToSign when it is none."""
    text = request.POST.get("assertion", "")
    try:
        assertion = json.loads(text) if len(text) <= LARGEST_ANSWER else None
        statement_id = UUID(request.POST.get("statement", ""))
    except ValueError:
        assertion = None
    if not isinstance(assertion, dict):
        raise UnableToSign(
            "No passkey answered, so nothing was signed.",
            fix="Signing by passkey needs JavaScript. If you lost the passkey, remove it under your security settings.",
        )
    return passkeys.Answer(statement_id, assertion, _site(request))
