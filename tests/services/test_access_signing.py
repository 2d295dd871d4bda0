"""How an access review ends: signed or abandoned, by no machine; and what became otherwise meanwhile."""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from accounts.domain.access import Verdict
from accounts.evidence import access_review
from accounts.queries import access as queries
from accounts.services import members
from accounts.services.access import UnableToDecide, UnableToReview, decisions, reviews, signing
from core import tenancy
from core.actor import Actor
from core.approvals import seals
from core.approvals.signatures import UnableToSign
from core.domain.approvals import Method, ReAuthentication
from core.errors import UseCaseError
from core.evidence import verifier
from core.models import ApprovalRequest, LedgerEntry
from core.permissions import Permission, TenantRole
from tests import make
from tests.reviewing import AT, House, sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    with tenancy.scope(tenant_id=made.id):
        yield made


def test_the_signed_summary_verifies_without_us_and_stands_in_the_evidence(house: House) -> None:
    done = sign(house.finish(), by=house.admin)
    name, body = signing.export(review=done, by=make.actor(house.admin), at=AT)
    assert verifier.verify(body, server_key=seals.public_key()).problems == []
    assert name.startswith("access-review-")
    summary = json.loads(verifier.read_archive(body)["evidence/parts/accounts.access_review.json"])
    lines = b"".join(reviews.record_lines(review=done, by=make.actor(house.admin), at=AT))
    assert hashlib.sha256(lines).hexdigest() == summary["lines_sha256"] == done.sha256
    assert len(lines.splitlines()) == 1 + 4
    assert sum(each["people"] for each in summary["by_reviewer"]) == 4
    frozen = access_review(tenant_id=house.id, at=AT)
    told = json.loads(frozen["signature"]["statement"])
    assert told["evidence_sha256"] == frozen["signature"]["evidence_sha256"]
    said = verifier.check_signature(
        json.loads(frozen["signature"]["record"]), frozen["signature"]["statement"].encode(),
        server_key=seals.public_key(), evidence=told["evidence_sha256"],
    )  # fmt: skip
    assert said["user"] == str(house.admin.user_id)
    for field in ("name", "email"):
        assert getattr(house.member.user, field) not in body.decode(errors="replace")


def test_a_summary_is_signed_once_by_whoever_manages_members_and_by_nobody_else(house: House) -> None:
    done = house.finish()
    for by in (make.actor(house.member), Actor.system("beat")):
        with pytest.raises(UseCaseError):
            signing.begin(review=done, shown_evidence="", rp_id="localhost", by=by, at=AT)
    with pytest.raises(UnableToSign, match="other evidence"):
        proof = ReAuthentication(Method.PASSWORD, AT)
        signing.sign(review=done, shown_evidence="0" * 64, proof=proof, by=make.actor(house.owner), at=AT)
    sign(done, by=house.owner)
    with pytest.raises(UnableToSign, match="takes no more signatures"):
        sign(done, by=house.admin)


def test_a_signature_that_was_not_given_within_a_week_is_asked_for_again(house: House) -> None:
    done, late = house.finish(), AT + timedelta(days=8)
    by, asked = make.actor(house.owner), done.approval_id
    assert signing.ask_again(review=done, by=by, at=AT).approval_id == asked
    done = signing.ask_again(review=done, by=by, at=late)
    assert done.approval_id != asked
    assert ApprovalRequest.objects.get(pk=asked).state == "voided"
    again = house.finish(at=late)  # an unsigned one keeps nobody from the next, and is asked about no more
    with pytest.raises(UnableToReview, match="A newer review"):
        signing.ask_again(review=done, by=by, at=late + timedelta(days=8))
    assert ApprovalRequest.objects.get(pk=again.approval_id).state == "open"


def test_a_review_is_abandoned_with_a_reason_and_counts_for_nothing(house: House) -> None:
    review, by = house.begin(), make.actor(house.owner)
    for reason in ("", "  ", "x" * 301, "one\u202etwo"):
        with pytest.raises(UnableToReview, match="in one line why"):
            reviews.abandon(review=review, reason=reason, by=by, at=AT)
    done = reviews.abandon(review=review, reason="The old list was wrong", by=by, at=AT)
    entry = LedgerEntry.objects.filter(chain=house.id).latest("seq")
    assert entry.event == "accounts.access_review.abandoned"
    assert "old list" not in entry.body
    with pytest.raises(UnableToReview, match="was abandoned"):
        reviews.finish(review=done, by=by, at=AT)
    with pytest.raises(UnableToDecide, match="has ended"):
        house.attest(house.member, by=house.owner)
    assert access_review(tenant_id=house.id, at=AT) == {"review": None}
    house.begin()


def test_what_is_attested_is_not_taken_away_by_a_stale_page_but_can_be_decided_again(house: House) -> None:
    house.begin()
    house.attest(house.member, by=house.owner)
    with pytest.raises(UnableToDecide, match="attested this access already"):
        decisions.revoke(line=house.line(house.member), by=make.actor(house.admin), at=AT)
    decisions.reopen(line=house.line(house.member), by=make.actor(house.admin), at=AT)
    assert decisions.revoke(line=house.line(house.member), by=make.actor(house.admin), at=AT).verdict == "revoked"
    with pytest.raises(UnableToDecide, match="not attested"):
        decisions.reopen(line=house.line(house.member), by=make.actor(house.admin), at=AT)


def test_what_became_otherwise_since_a_review_began_is_told(house: House) -> None:
    review = house.begin()
    house.attest(house.member, by=house.owner)
    members.change_role(member=house.member, role="admin", by=make.actor(house.owner), at=AT)
    make.member(house.tenant, TenantRole.MEMBER)
    assert queries.since(review) == queries.Since(changed=1, joined=1)
    assert house.line(house.member).has_changed


def test_a_machine_reviews_nothing_whoever_issued_its_token(house: House) -> None:
    """An attestation says that somebody looked."""
    review, line = house.begin(), house.line(house.member)
    by = Actor.token(
        token_id=uuid4(), tenant_id=house.id, grants={Permission.MANAGE_MEMBERS}, role=house.owner.role
    )  # fmt: skip
    for refused in (
        lambda: decisions.attest(review=review, line_ids=[line.pk], by=by, at=AT),
        lambda: decisions.revoke(line=line, by=by, at=AT),
        lambda: reviews.finish(review=review, by=by, at=AT),
    ):
        with pytest.raises(UnableToReview, match="by people of the account"):
            refused()
    assert house.line(house.member).verdict == Verdict.OPEN
