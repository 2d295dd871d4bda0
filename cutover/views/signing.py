"""What customer and staff share when they sign: the passkey's exchange, and proof of a recent re-authentication."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from core.approvals import methods, passkeys, seals
from core.approvals.signatures import UnableToSign
from core.domain.approvals import Method, ReAuthentication
from core.errors import UseCaseError
from core.models import ApprovalRequest
from core.web import ActingRequest
from cutover.queries import pages
from cutover.services import go_no_go

LARGEST_ANSWER = 20_000
"""Characters; an assertion is under two thousand."""


def site(request: ActingRequest) -> str:
    """Return the relying party's id, as allauth chose it when the passkey was registered."""
    return request.get_host().partition(":")[0]


def proof(request: ActingRequest, *, wanted: Method, at: datetime) -> ReAuthentication | None:
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


def confirm_address(*, wanted: Method, back: str) -> str:
    """Return the address where this person confirms who they are, and comes back."""
    name = "mfa_reauthenticate" if wanted is Method.TOTP else "account_reauthenticate"
    return f"{reverse(name)}?{urlencode({'next': back})}"


def answer(request: ActingRequest) -> passkeys.Answer:
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
    return passkeys.Answer(statement_id, assertion, site(request))


def begin(request: ActingRequest, request_id: UUID) -> JsonResponse:
    """Answer the page's script with the statement to sign, or with the refusal."""
    try:
        statement, options = go_no_go.begin(
            request_id=request_id,
            shown_evidence=request.POST.get("evidence", ""),
            rp_id=site(request),
            by=request.actor,
            at=timezone.now(),
        )
    except UseCaseError as refusal:
        return JsonResponse({"message": refusal.message, "fix": refusal.fix}, status=refusal.status)
    return JsonResponse({"statement": str(statement.pk), "options": options})


def sign(
    request: ActingRequest, request_id: UUID, *, here: str, refuse: Callable[[UseCaseError], HttpResponse]
) -> HttpResponse:
    """Take a signature: by passkey, or under a recent re-authentication, which is asked for where there is none.

    Who has a passkey signs with it whatever the form says.
    """
    go_no_go.require_seat(request_id=request_id, by=request.actor)
    at = timezone.now()
    wanted = methods.best(user_id=request.actor.known_id)
    given = proof(request, wanted=wanted, at=at)
    if given is None and wanted is not Method.PASSKEY:
        return redirect(confirm_address(wanted=wanted, back=f"{here}#sign"))
    try:
        go_no_go.sign(
            request_id=request_id,
            shown_evidence=request.POST.get("evidence", ""),
            proof=given or answer(request),
            by=request.actor,
            at=at,
        )
    except UseCaseError as refusal:
        return refuse(refusal)
    messages.success(request, "Your signature is recorded.")
    return redirect(here)


def page_context(
    request: ActingRequest, found: ApprovalRequest, addresses: dict[str, str], problem: UseCaseError | None
) -> dict[str, Any]:
    """Return what the page of a request shows to this person."""
    at = timezone.now()
    method = methods.best(user_id=request.actor.known_id)
    return {
        "page": pages.page(request=found, by=request.actor, at=at),
        "addresses": addresses,
        "problem": problem,
        "method": method,
        "has_passkey": method is Method.PASSKEY,
        "proof": proof(request, wanted=method, at=at),
        "server_key": seals.public_key().hex(),
    }
