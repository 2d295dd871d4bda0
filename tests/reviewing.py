"""A tenant whose people's access is reviewed."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from accounts.models import AccessLine, AccessReview, LegacyPerson, Member, NewPerson
from accounts.services.access import decisions, reviews, signing
from core.domain.approvals import Method, ReAuthentication
from core.models import ApprovalRequest
from core.permissions import TenantRole
from tests import make

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
DUE_AT = AT + timedelta(days=14)
DUE = DUE_AT.date()


class House:
    """A tenant with two owners, an admin and a member, whose people are on both platforms."""

    def __init__(self) -> None:
        tenant = make.tenant()
        self.id = tenant.pk
        self.owner, self.second = make.member(tenant), make.member(tenant)
        self.admin, self.member = make.member(tenant, TenantRole.ADMIN), make.member(tenant, TenantRole.MEMBER)
        self.tenant = tenant

    def knows(self, email: str, *, old: str = "", new: str = "", owner: bool = False) -> None:
        told = {"tenant_id": self.id, "email": email}
        there = NewPerson.objects.create(key=f"n-{email}", role=new, is_owner=owner, **told) if new else None
        if old:
            pk = uuid4()
            outcome = {"outcome": "mapped", "new": there} if there else {"outcome": "placeholder"}
            LegacyPerson.objects.create(
                pk=pk, person_id=pk, key=f"l-{email}", role=old, is_owner=owner, **outcome, **told
            )

    def begin(self, *, at: datetime = AT) -> AccessReview:
        return reviews.begin(tenant_id=self.id, due_on=DUE, by=make.actor(self.owner), at=at)

    def line(self, member: Member) -> AccessLine:
        rows = AccessLine.objects.select_related("review", "member__user")
        return rows.filter(member=member).latest("review__begun_at")

    def attest(self, *who: Member, by: Member) -> decisions.Attested:
        review = AccessReview.objects.latest("begun_at")
        return decisions.attest(review=review, line_ids=[self.line(one).pk for one in who], by=make.actor(by), at=AT)

    def finish(self, *, at: datetime = AT) -> AccessReview:
        """Have everybody attested, the first owner by the second."""
        review = self.begin(at=at)
        self.attest(self.second, self.admin, self.member, by=self.owner)
        self.attest(self.owner, by=self.second)
        return reviews.finish(review=review, by=make.actor(self.owner), at=at)


def sign(review: AccessReview, *, by: Member) -> AccessReview:
    """Sign a finished review's summary."""
    proof = ReAuthentication(Method.PASSWORD, AT)
    shown = ApprovalRequest.objects.get(pk=review.approval_id).pack.evidence_sha256
    return signing.sign(review=review, shown_evidence=shown, proof=proof, by=make.actor(by), at=AT)
