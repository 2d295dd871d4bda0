"""Access reviews: who has what where, and that nothing is attested or taken away by whoever may not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.domain.access import Difference, Standing, Verdict, Way
from accounts.evidence import access_review
from accounts.models import AccessLine, AccessReview, LegacyPerson, LinkedIdentity, Member, NewPerson
from accounts.queries import access as queries
from accounts.readiness import access_reviewed
from accounts.services import access, members
from core import tenancy
from core.actor import Actor
from core.errors import PermissionRefused, UseCaseError
from core.models import LedgerEntry
from core.permissions import TenantRole
from tests import make

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
DUE = AT.date() + timedelta(days=14)


class House:
    """A tenant with two owners, an admin and a member, whose people are on both platforms."""

    def __init__(self) -> None:
        tenant = make.tenant()
        self.id = tenant.pk
        self.owner, self.second = make.member(tenant), make.member(tenant)
        self.admin, self.member = make.member(tenant, TenantRole.ADMIN), make.member(tenant, TenantRole.MEMBER)
        self.tenant = tenant

    def knows(self, email: str, *, old: str = "", new: str = "", owner: bool = False) -> None:
        told = {"tenant_id": self.id, "seen_in": uuid4(), "email": email}
        there = NewPerson.objects.create(key=f"n-{email}", role=new, is_owner=owner, **told) if new else None
        if old:
            pk = uuid4()
            outcome = {"outcome": "mapped", "new": there} if there else {"outcome": "placeholder"}
            LegacyPerson.objects.create(
                pk=pk, person_id=pk, key=f"l-{email}", role=old, is_owner=owner, **outcome, **told
            )

    def begin(self) -> AccessReview:
        return access.begin(tenant_id=self.id, due_on=DUE, by=make.actor(self.owner), at=AT)

    def line(self, member: Member) -> AccessLine:
        return AccessLine.objects.select_related("review", "member__user").get(member=member)

    def attest(self, *who: Member, by: Member) -> access.Attested:
        review = AccessReview.objects.latest("begun_at")
        return access.attest(review=review, line_ids=[self.line(one).pk for one in who], by=make.actor(by), at=AT)


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    with tenancy.scope(tenant_id=made.id):
        yield made


@pytest.mark.parametrize(
    ("standing", "difference"),
    [
        (Standing(old_role="viewer", platform_role="viewer", role="member"), Difference.SAME),
        (Standing(old_role="member", role="admin"), Difference.MORE),
        (Standing(old_role="admin", role="auditor"), Difference.LESS),
        (
            Standing(old_role="viewer", platform_role="dispatcher"),
            Difference.MORE,
        ),  # not comparable: somebody looks
        (Standing(old_role="viewer", platform_role="viewer", role="owner"), Difference.MORE),
        (Standing(old_role="boss", platform_role="viewer", is_old_owner=True), Difference.LESS),
        (Standing(old_role="boss", role="owner", is_old_owner=True), Difference.SAME),
        (Standing(old_role="viewer"), Difference.ONLY_OLD),
        (Standing(platform_role="viewer"), Difference.ONLY_NEW),
        (Standing(role="member"), Difference.ONLY_NEW),
    ],
)
def test_what_somebody_may_do_now_is_compared_with_before(standing: Standing, difference: Difference) -> None:
    assert standing.difference is difference


def test_old_and_new_stand_side_by_side_once_for_each_person(house: House) -> None:
    house.knows(house.member.user.email, old="member", new="member")
    house.knows("gone@old.example", old="admin")
    house.knows("new@there.example", new="viewer")
    people = {one.email: one for one in queries.everybody(tenant_id=house.id)}
    assert len(people) == 6
    mine = people[house.member.user.email]
    assert (mine.standing.old_role, mine.standing.platform_role, mine.standing.role) == ("member", "member", "member")
    assert mine.standing.difference is Difference.SAME
    assert people["gone@old.example"].standing.difference is Difference.ONLY_OLD
    assert people["new@there.example"].standing.difference is Difference.ONLY_NEW
    assert people[house.admin.user.email].standing.difference is Difference.ONLY_NEW


def test_whoever_is_merged_counts_with_whom_they_are_and_switched_off_ones_do_not(house: House) -> None:
    house.knows(house.member.user.email, old="member")
    kept = LegacyPerson.objects.get()
    told = {"tenant_id": house.id, "seen_in": uuid4(), "outcome": "dropped"}
    off = uuid4()
    LegacyPerson.objects.create(pk=off, person_id=off, key="off", role="admin", is_active=False, **told)
    assert [one.legacy_id for one in queries.everybody(tenant_id=house.id) if one.legacy_id] == [kept.pk]


def test_how_somebody_signs_in_is_what_is_open_to_them_now(house: House) -> None:
    user = house.member.user
    user.set_password(make.PASSWORD)
    user.save()
    LinkedIdentity.objects.create(
        tenant_id=house.id, member=house.admin, user_name="adam", source="provisioning", linked_at=AT, linked_by=uuid4()
    )
    ways = {one.member_id: one.ways for one in queries.everybody(tenant_id=house.id)}
    assert ways[house.member.pk] == (Way.PASSWORD,)
    assert ways[house.admin.pk] == ()  # their company's sign-in is not connected


def test_a_thousand_people_cost_no_more_queries_than_four(house: House) -> None:
    with CaptureQueriesContext(
        connection,
    ) as few:
        queries.everybody(tenant_id=house.id)
    told = {"tenant_id": house.id, "seen_in": uuid4(), "role": "viewer"}
    NewPerson.objects.bulk_create(NewPerson(key=str(n), **told) for n in range(1000))
    with CaptureQueriesContext(connection) as many:
        assert len(queries.everybody(tenant_id=house.id)) == 1004
    assert len(many) == len(few)


def test_a_review_keeps_what_was_and_only_one_is_open(house: House) -> None:
    review = house.begin()
    assert review.people == review.lines.count() == 4
    with pytest.raises(access.UnableToReview, match="under way already"):
        house.begin()


@pytest.mark.parametrize("days", [-1, 61])
def test_a_review_is_due_within_two_months(house: House, days: int) -> None:
    with pytest.raises(access.UnableToReview, match="not past"):
        access.begin(tenant_id=house.id, due_on=AT.date() + timedelta(days=days), by=make.actor(house.owner), at=AT)


def test_members_and_machines_review_nothing(house: House) -> None:
    with pytest.raises(PermissionRefused):
        access.begin(tenant_id=house.id, due_on=DUE, by=make.actor(house.member), at=AT)
    with pytest.raises(UseCaseError, match="by people of the account"):
        access.begin(tenant_id=house.id, due_on=DUE, by=Actor.system("beat"), at=AT)


def test_many_are_attested_at_once_with_one_entry_in_the_ledger(house: House) -> None:
    house.begin()
    assert house.attest(house.second, house.admin, house.member, by=house.owner).count == 3
    assert house.attest(house.member, by=house.owner).count == 0  # it is already
    assert house.line(house.member).decided_by == house.owner.user_id
    entries = LedgerEntry.objects.filter(chain=house.id)
    assert sum(entry.event == "accounts.access_review.attested" for entry in entries) == 1


def test_nobody_attests_themselves_nor_an_admin_an_owner(house: House) -> None:
    house.begin()
    with pytest.raises(access.UnableToDecide, match="their own access"):
        house.attest(house.member, house.owner, by=house.owner)
    with pytest.raises(access.UnableToDecide, match="by an owner"):
        house.attest(house.owner, by=house.admin)
    assert house.line(house.member).verdict == Verdict.OPEN  # all of those chosen or none


def test_whoever_is_alone_attests_themselves() -> None:
    alone = make.member(make.tenant())
    with tenancy.scope(tenant_id=alone.tenant_id):
        by = make.actor(alone)
        review = access.begin(tenant_id=alone.tenant_id, due_on=DUE, by=by, at=AT)
        ids = list(review.lines.values_list("pk", flat=True))
        assert access.attest(review=review, line_ids=ids, by=by, at=AT).count == 1


def test_all_that_are_the_same_leaves_out_ones_own_and_what_differs(house: House) -> None:
    for one in (house.member, house.admin):
        house.knows(one.user.email, old=one.role)
    review = house.begin()
    done = access.attest(review=review, line_ids=None, by=make.actor(house.admin), at=AT)
    assert done.count == 1
    assert house.line(house.member).verdict == Verdict.ATTESTED
    assert house.line(house.admin).verdict == house.line(house.second).verdict == Verdict.OPEN


def test_a_role_that_changed_since_is_shown_and_not_attested(house: House) -> None:
    house.knows(house.member.user.email, old="member")
    house.begin()
    members.change_role(member=house.member, role="admin", by=make.actor(house.owner), at=AT)
    done = house.attest(house.member, by=house.owner)
    assert (done.count, done.changed) == (0, 1)
    line = house.line(house.member)
    assert (line.role, line.difference, line.verdict) == ("admin", Difference.MORE, Verdict.OPEN)
    assert house.attest(house.member, by=house.owner).count == 1


def test_taking_access_away_ends_the_membership(house: House) -> None:
    house.begin()
    access.revoke(line=house.line(house.member), by=make.actor(house.admin), at=AT)
    house.member.refresh_from_db()
    assert house.member.deactivated_at == AT
    assert house.line(house.member).verdict == Verdict.REVOKED
    again = access.revoke(line=house.line(house.member), by=make.actor(house.admin), at=AT)
    assert again.verdict == Verdict.REVOKED


def test_nobody_takes_their_own_access_away_nor_an_admin_an_owners(house: House) -> None:
    house.begin()
    with pytest.raises(access.UnableToDecide, match="their own"):
        access.revoke(line=house.line(house.admin), by=make.actor(house.admin), at=AT)
    with pytest.raises(access.UnableToDecide, match="by owners"):
        access.revoke(line=house.line(house.owner), by=make.actor(house.admin), at=AT)


def test_an_owner_goes_only_with_a_second_owner(house: House) -> None:
    house.begin()
    asked = access.revoke(line=house.line(house.second), by=make.actor(house.owner), at=AT)
    assert asked.verdict == Verdict.ASKED
    house.second.refresh_from_db()
    assert house.second.deactivated_at is None
    for by in (house.owner, house.admin):
        with pytest.raises(access.UnableToDecide):
            access.agree(line=house.line(house.second), by=make.actor(by), at=AT)
    access.decline(line=house.line(house.second), by=make.actor(house.owner), at=AT)
    assert house.line(house.second).verdict == Verdict.OPEN
    access.revoke(line=house.line(house.second), by=make.actor(house.owner), at=AT)
    access.agree(line=house.line(house.second), by=make.actor(house.second), at=AT)
    house.second.refresh_from_db()
    assert house.second.deactivated_at == AT


def test_the_last_owner_stays_whatever_was_asked(house: House) -> None:
    house.begin()
    access.revoke(line=house.line(house.second), by=make.actor(house.owner), at=AT)
    members.deactivate(member=house.owner, by=make.actor(house.second), at=AT)
    with pytest.raises(members.UnableToDeactivate, match="must keep an owner"):
        access.agree(line=house.line(house.second), by=make.actor(house.second), at=AT)
    assert house.line(house.second).verdict == Verdict.ASKED


def test_the_database_lets_no_owner_go_by_one_alone(house: House) -> None:
    house.begin()
    line = AccessLine.objects.filter(member=house.second)
    with pytest.raises(IntegrityError, match="owner_agreed"), transaction.atomic():
        line.update(verdict="revoked", decided_at=AT, decided_by=uuid4())
    same = uuid4()
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        line.update(verdict="revoked", decided_at=AT, decided_by=same, agreed_at=AT, agreed_by=same)


def test_who_has_access_elsewhere_only_is_attested_not_taken_away(house: House) -> None:
    house.knows("gone@old.example", old="admin")
    house.knows("new@there.example", new="viewer")
    house.begin()
    old, new = (AccessLine.objects.get(difference=each, member=None) for each in ("only_old", "only_new"))
    with pytest.raises(access.UnableToDecide, match="nothing to take away"):
        access.revoke(line=old, by=make.actor(house.owner), at=AT)
    with pytest.raises(access.UnableToDecide, match="not ours"):
        access.revoke(line=new, by=make.actor(house.owner), at=AT)


def test_a_review_is_finished_once_everybody_is_decided_and_then_stands(house: House) -> None:
    review = house.begin()
    with pytest.raises(access.UnableToReview, match="4 people are not decided"):
        access.finish(review=review, by=make.actor(house.owner), at=AT)
    house.attest(house.second, house.admin, house.member, by=house.owner)
    house.attest(house.owner, by=house.second)
    done = access.finish(review=review, by=make.actor(house.owner), at=AT)
    assert done.summary == {"people": 4, "by_difference": {"only_new": {"attested": 4}}}
    entry = LedgerEntry.objects.filter(chain=house.id).latest("seq")
    assert entry.event == "accounts.access_review.finished"
    assert done.sha256 in entry.body
    assert access.finish(review=review, by=make.actor(house.owner), at=AT).sha256 == done.sha256
    with pytest.raises(access.UnableToDecide, match="finished"):
        access.revoke(line=house.line(house.member), by=make.actor(house.owner), at=AT)
    house.begin()


def test_the_check_advises_until_a_review_is_finished_and_again_after_ninety_days(house: House) -> None:
    def told(at: datetime = AT) -> tuple[str, str]:
        finding = access_reviewed(tenant_id=house.id, at=at)
        return finding.outcome, finding.summary

    assert told() == ("warn", "No access review was made yet")
    assert access_review(tenant_id=house.id, at=AT) == {"review": None}
    review = house.begin()
    assert told() == ("warn", "A review is under way: 4 people are not decided about yet")
    assert told(AT + timedelta(days=15))[1].startswith("A review is overdue")
    house.attest(house.second, house.admin, house.member, by=house.owner)
    house.attest(house.owner, by=house.second)
    done = access.finish(review=review, by=make.actor(house.owner), at=AT)
    assert told() == ("pass", "Everybody was decided about on 26 November 2026")
    assert told(AT + timedelta(days=91)) == ("warn", "The last access review is over 90 days old")
    assert access_review(tenant_id=house.id, at=AT)["sha256"] == done.sha256
