"""Signatures: issue the statement a person is to sign, and take their signature under it."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from core import ledger
from core.actor import Actor
from core.approvals import methods, passkeys, requests, seals, statements
from core.domain import approvals as domain
from core.domain.approvals import Method, ReAuthentication, RequestState
from core.errors import UseCaseError
from core.evidence import packs
from core.models import ApprovalRequest, Signature, SigningStatement


class UnableToSign(UseCaseError):
    """A signature is not taken; the message says why."""


def issue(*, request: ApprovalRequest, seat: str, shown_evidence: str, by: Actor, at: datetime) -> SigningStatement:
    """Write the statement that `by` would sign in a seat. Raises UnableToSign when they may not."""
    user_id = by.known_id
    if problem := domain.refusal(
        requests.standing(request, shown_evidence=shown_evidence), seat=seat, user_id=user_id, at=at
    ):
        raise UnableToSign(problem)
    statement = statements.write(
        action=request.action,
        tenant_id=request.tenant_id,
        evidence_sha256=request.pack.evidence_sha256,
        user_id=user_id,
        at=at,
    )
    return SigningStatement.objects.create(
        tenant_id=request.tenant_id,
        request=request,
        user_id=user_id,
        seat=seat,
        body=statement.body,
        nonce_sha256=domain.token_digest(statement.nonce),
        issued_at=statement.issued_at,
        expires_at=statement.expires_at,
    )


def sign(
    *,
    request: ApprovalRequest,
    seat: str,
    shown_evidence: str,
    proof: passkeys.Answer | ReAuthentication,
    by: Actor,
    at: datetime,
) -> bool:
    """Take one signature; return whether the request is approved by it.

    A passkey's answer signs a statement issued before; a re-authentication at most five minutes old signs one
    issued now, under the server's seal alone, and only for who has nothing better. Raises UnableToSign with the
    reason for the person who signs.
    """
    user_id = by.known_id
    assertion = None
    if isinstance(proof, ReAuthentication):
        if not proof.is_fresh(at=at):
            raise UnableToSign("Confirm who you are once more: the last time is over five minutes ago.")
        statement = issue(request=request, seat=seat, shown_evidence=shown_evidence, by=by, at=at)
        if problem := domain.refusal_of_method(given=proof.method, best=methods.best(user_id=user_id)):
            raise UnableToSign(problem, fix="If you no longer have it, remove it under your security settings first.")
        method, proven = proof.method, {"authenticated_at": packs.moment(proof.at)}
    else:
        statement = _issued(request, seat=seat, user_id=user_id, statement_id=proof.statement_id)
        assertion = passkeys.verify(user_id=user_id, statement=bytes(statement.body), answer=proof)
        method, proven = Method.PASSKEY, assertion.as_record()
    try:
        with transaction.atomic():
            locked = ApprovalRequest.objects.select_for_update(of=("self",)).select_related("pack").get(pk=request.pk)
            standing = requests.standing(locked, shown_evidence=shown_evidence)
            if problem := domain.refusal(standing, seat=seat, user_id=user_id, at=at):
                raise UnableToSign(problem)
            _use(statement, at=at)
            if assertion is not None:
                passkeys.advance_counter(assertion)
            _store(locked, statement, user_id=user_id, method=method, proven=proven, by=by, at=at)
            done = domain.is_complete(requests.standing(locked, shown_evidence=shown_evidence))
            if done:
                requests.end(request=locked, state=RequestState.APPROVED, reason="", by=by, at=at)
    except IntegrityError as error:
        raise UnableToSign("Someone signed at the same moment. Look at the request again.") from error
    request.refresh_from_db()
    return done


def _issued(request: ApprovalRequest, *, seat: str, user_id: UUID, statement_id: UUID) -> SigningStatement:
    found = SigningStatement.objects.filter(pk=statement_id, request=request, user_id=user_id, seat=seat).first()
    if found is None:
        raise UnableToSign("This statement was not issued to you. Start again.")
    return found


def _use(statement: SigningStatement, *, at: datetime) -> None:
    unused = SigningStatement.objects.filter(pk=statement.pk, used_at=None, issued_at__lte=at, expires_at__gt=at)
    if not unused.update(used_at=at):
        raise UnableToSign("This statement was used already or is older than five minutes. Start again.")


def _store(
    request: ApprovalRequest,
    statement: SigningStatement,
    *,
    user_id: UUID,
    method: Method,
    proven: dict[str, Any],
    by: Actor,
    at: datetime,
) -> None:
    body = bytes(statement.body)
    signature = Signature.objects.create(
        tenant_id=request.tenant_id,
        request=request,
        statement=statement,
        user_id=user_id,
        seat=statement.seat,
        method=method.value,
        signed_at=at,
        record=statements.record(
            statement=body, seat=statement.seat, user_id=user_id, method=method, proof=proven, seal=seals.seal, at=at
        ),
    )
    data = {
        "action": request.action,
        "seat": statement.seat,
        "method": method.value,
        "evidence_sha256": request.pack.evidence_sha256,
        "statement_sha256": hashlib.sha256(body).hexdigest(),
    }
    ledger.record("core.approval.signed", by=by, at=at, tenant_id=request.tenant_id, subject=signature, data=data)
