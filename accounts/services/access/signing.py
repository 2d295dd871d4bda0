"""The signature under a finished access review: the mechanism of the go/no-go (`core.approvals`), with one seat.

Deciding about everybody is what asks for it, not a person; so whoever manages members may sign, once.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.domain.access import ACTION, SEAT
from accounts.models import AccessReview
from accounts.queries import access as queries
from accounts.queries.access import frozen
from accounts.services.access import UnableToReview, authorise, locked, record
from core import evidence, ledger, outbox
from core.actor import Actor
from core.approvals import archive, passkeys, reading, requests, signatures
from core.domain.approvals import ReAuthentication, RequestState, Seat
from core.evidence import packs
from core.models import ApprovalRequest, SigningStatement
from core.permissions import Permission

HOUSE = Actor.system("access_review")
PART = "accounts.access_review"
_TITLES = {**requests.FLOOR_TITLES, PART: "The access review", "core.ledger": "Ledger witness"}


def witness(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return the ledger's witness for a pack; it writes a checkpoint, so it is asked for outside the transaction."""
    return evidence.ledger_witness(tenant_id=tenant_id, at=at)


def ask(review: AccessReview, *, witness: Mapping[str, Any], at: datetime) -> ApprovalRequest:
    """Freeze a finished review's summary and ask for a signature, inside the caller's transaction.

    What was asked for before and not signed ends: it was another review's, or has expired.
    """
    last = reading.newest(tenant_id=review.tenant_id, action=ACTION)
    if last is not None and last.state == RequestState.OPEN:
        why = "The signature is asked for anew."
        requests.end(request=last, state=RequestState.VOIDED, reason=why, by=HOUSE, at=at)
    parts = {PART: frozen.summary(review), "core.ledger": witness}
    pack = packs.build(action=ACTION, tenant_id=review.tenant_id, at=at, findings=(), parts=parts)
    return requests.open_request(
        action=ACTION, tenant_id=review.tenant_id, pack=pack, titles=_TITLES, seats=[Seat(SEAT)], holds_until=None,
        by=HOUSE, at=at,
    )  # fmt: skip


def ask_again(*, review: AccessReview, by: Actor, at: datetime) -> AccessReview:
    """Ask once more for a signature that was not given in time. One that was given, or still can be, stays."""
    authorise(by, review.tenant_id)
    told = witness(tenant_id=review.tenant_id, at=at)
    with transaction.atomic(durable=True):
        found = locked(review)
        if found.finished_at is None:
            raise UnableToReview("This review is not finished yet.", fix="Decide about everybody, then finish it.")
        if queries.last_finished(tenant_id=found.tenant_id) != found:
            raise UnableToReview("A newer review was finished since.", fix="Sign that one.")
        request = queries.request_of(found)
        if request is not None and not _is_over(request, at=at):
            return found
        found.approval_id = ask(found, witness=told, at=at).pk
        found.save(update_fields=["approval_id"])
        record("signature_asked", found, by=by, at=at)
    return found


def begin(
    *, review: AccessReview, shown_evidence: str, rp_id: str, by: Actor, at: datetime
) -> tuple[SigningStatement, dict[str, Any]]:
    """Issue the statement that `by` signs by passkey; return it with the options for the browser."""
    authorise(by, review.tenant_id)
    request = _asked_for(review)
    statement = signatures.issue(request=request, seat=SEAT, shown_evidence=shown_evidence, by=by, at=at)
    return statement, passkeys.options(user_id=statement.user_id, statement=bytes(statement.body), rp_id=rp_id)


def sign(
    *, review: AccessReview, shown_evidence: str, proof: passkeys.Answer | ReAuthentication, by: Actor, at: datetime
) -> AccessReview:
    """Take the signature under a finished review's summary. Raises UnableToSign with the reason."""
    authorise(by, review.tenant_id)
    request = _asked_for(review)
    with transaction.atomic(durable=True):
        signatures.sign(request=request, seat=SEAT, shown_evidence=shown_evidence, proof=proof, by=by, at=at)
        record("signed", review, by=by, at=at, data={"evidence_sha256": request.pack.evidence_sha256})
        outbox.publish("accounts.access_review.signed", tenant_id=review.tenant_id, review_id=review.pk)
    ledger.checkpoint(tenant_id=review.tenant_id, at=at)
    return review


def export(*, review: AccessReview, by: Actor, at: datetime) -> tuple[str, bytes]:
    """Return the signed summary as a file that verifies offline, and its name; the ledger says that it was taken."""
    by.require(Permission.VIEW_EVIDENCE, tenant_id=review.tenant_id)
    request = _asked_for(review)
    return f"access-review-{request.pack.evidence_sha256[:12]}.zip", archive.export(request, by=by, at=at)


def _asked_for(review: AccessReview) -> ApprovalRequest:
    request = queries.request_of(review)
    if request is None:
        raise UnableToReview("There is nothing to sign: this review is not finished.", fix="Finish it first.")
    return request


def _is_over(request: ApprovalRequest, *, at: datetime) -> bool:
    """Whether nobody can sign under it any more, and nobody has."""
    is_open = request.state == RequestState.OPEN
    return at >= request.expires_at if is_open else request.state != RequestState.APPROVED
