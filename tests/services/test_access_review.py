"""Access reviews: who has what where, and that nothing is attested or taken away by whoever may not."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.domain.access import Difference, Standing, Verdict, Way
from accounts.evidence import access_review
from accounts.models import (
    AccessLine,
    LegacyPerson,
    LinkedIdentity,
    NewPerson,
    PersonDecision,
    PersonPart,
    Tenant,
)
from accounts.queries.access import standing
from accounts.readiness.people import access_reviewed
from accounts.services import members
from accounts.services.access import UnableToDecide, UnableToReview, decisions, reviews
from core import tenancy
from core.actor import Actor
from core.errors import PermissionRefused, UseCaseError
from core.models import LedgerEntry
from tests import make
from tests.reviewing import AT, DUE, House, sign

pytestmark = pytest.mark.django_db


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
    people = {one.email: one for one in standing.everybody(tenant_id=house.id)}
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
    told = {"tenant_id": house.id, "outcome": "dropped"}
    off = uuid4()
    LegacyPerson.objects.create(pk=off, person_id=off, key="off", role="admin", is_active=False, **told)
    assert [one.legacy_id for one in standing.everybody(tenant_id=house.id) if one.legacy_id] == [kept.pk]


def test_how_somebody_signs_in_is_what_is_open_to_them_now(house: House) -> None:
    user = house.member.user
    user.set_password(make.PASSWORD)
    user.save()
    LinkedIdentity.objects.create(
        tenant_id=house.id, member=house.admin, user_name="adam", source="provisioning", linked_at=AT, linked_by=uuid4()
    )
    ways = {one.member_id: one.ways for one in standing.everybody(tenant_id=house.id)}
    assert ways[house.member.pk] == (Way.PASSWORD,)
    assert ways[house.admin.pk] == ()  # their company's sign-in is not connected


def test_a_thousand_people_cost_no_more_queries_than_four(house: House) -> None:
    with CaptureQueriesContext(
        connection,
    ) as few:
        list(standing.everybody(tenant_id=house.id))
    told = {"tenant_id": house.id, "role": "viewer"}
    NewPerson.objects.bulk_create(NewPerson(key=str(n), **told) for n in range(1000))
    with CaptureQueriesContext(connection) as many:
        assert len(list(standing.everybody(tenant_id=house.id))) == 1004
    assert len(many) == len(few)


def test_a_review_keeps_what_was_and_only_one_is_open(house: House) -> None:
    review = house.begin()
    assert review.people == review.lines.count() == 4
    with pytest.raises(UnableToReview, match="under way already"):
        house.begin()


@pytest.mark.parametrize(("zone", "today"), [("America/Los_Angeles", 25), ("UTC", 26), ("Pacific/Auckland", 26)])
def test_a_review_is_due_within_two_months_of_today_where_the_tenant_is(house: House, zone: str, today: int) -> None:
    with make.arranging():
        Tenant.objects.filter(pk=house.id).update(time_zone=zone)
    first, at = date(2026, 11, today), AT.replace(hour=4)
    for due_on in (first - timedelta(days=1), first + timedelta(days=61)):
        with pytest.raises(UnableToReview, match="not past"):
            reviews.begin(tenant_id=house.id, due_on=due_on, by=make.actor(house.owner), at=at)
    assert reviews.begin(tenant_id=house.id, due_on=first, by=make.actor(house.owner), at=at).due_on == first


def test_members_and_machines_review_nothing(house: House) -> None:
    with pytest.raises(PermissionRefused):
        reviews.begin(tenant_id=house.id, due_on=DUE, by=make.actor(house.member), at=AT)
    with pytest.raises(UseCaseError, match="by people of the account"):
        reviews.begin(tenant_id=house.id, due_on=DUE, by=Actor.system("beat"), at=AT)


def test_many_are_attested_at_once_with_one_entry_in_the_ledger(house: House) -> None:
    house.begin()
    assert house.attest(house.second, house.admin, house.member, by=house.owner).count == 3
    assert house.attest(house.member, by=house.owner).count == 0  # it is already
    assert house.line(house.member).decided_by == house.owner.user_id
    entries = LedgerEntry.objects.filter(chain=house.id)
    assert sum(entry.event == "accounts.access_review.attested" for entry in entries) == 1


def test_nobody_attests_themselves_nor_an_admin_an_owner(house: House) -> None:
    house.begin()
    with pytest.raises(UnableToDecide, match="their own access"):
        house.attest(house.member, house.owner, by=house.owner)
    with pytest.raises(UnableToDecide, match="by an owner"):
        house.attest(house.owner, by=house.admin)
    assert house.line(house.member).verdict == Verdict.OPEN  # all of those chosen or none


def test_whoever_is_alone_attests_themselves() -> None:
    alone = make.member(make.tenant())
    with tenancy.scope(tenant_id=alone.tenant_id):
        by = make.actor(alone)
        review = reviews.begin(tenant_id=alone.tenant_id, due_on=DUE, by=by, at=AT)
        ids = list(review.lines.values_list("pk", flat=True))
        assert decisions.attest(review=review, line_ids=ids, by=by, at=AT).count == 1


def test_all_that_are_the_same_leaves_out_ones_own_and_what_differs(house: House) -> None:
    for one in (house.member, house.admin):
        house.knows(one.user.email, old=one.role)
    review = house.begin()
    done = decisions.attest(review=review, line_ids=None, by=make.actor(house.admin), at=AT)
    assert done.count == 1
    assert house.line(house.member).verdict == Verdict.ATTESTED
    assert house.line(house.admin).verdict == house.line(house.second).verdict == Verdict.OPEN


def test_all_that_are_the_same_leaves_owners_to_owners_and_changed_roles_to_a_second_look(house: House) -> None:
    for one in (house.owner, house.second):
        house.knows(one.user.email, old="boss", owner=True)
    for one in (house.member, house.admin):
        house.knows(one.user.email, old=one.role)
    house.knows("nora@there.example", old="viewer", new="viewer")
    review = house.begin()
    members.change_role(member=house.member, role="admin", by=make.actor(house.owner), at=AT)
    done = decisions.attest(review=review, line_ids=None, by=make.actor(house.admin), at=AT)
    assert (done.count, done.changed) == (1, 1)
    assert AccessLine.objects.get(member=None).verdict == Verdict.ATTESTED
    assert (house.line(house.member).role, house.line(house.member).verdict) == ("admin", Verdict.OPEN)
    members.deactivate(member=house.admin, by=make.actor(house.owner), at=AT)
    done = decisions.attest(review=review, line_ids=None, by=make.actor(house.second), at=AT)
    assert (done.count, done.changed) == (1, 1)
    assert house.line(house.owner).verdict == Verdict.ATTESTED
    assert house.line(house.second).verdict == house.line(house.admin).verdict == Verdict.OPEN


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
    decisions.revoke(line=house.line(house.member), by=make.actor(house.admin), at=AT)
    house.member.refresh_from_db()
    assert house.member.deactivated_at == AT
    assert house.line(house.member).verdict == Verdict.REVOKED
    again = decisions.revoke(line=house.line(house.member), by=make.actor(house.admin), at=AT)
    assert again.verdict == Verdict.REVOKED


def test_nobody_takes_their_own_access_away_nor_an_admin_an_owners(house: House) -> None:
    house.begin()
    with pytest.raises(UnableToDecide, match="their own"):
        decisions.revoke(line=house.line(house.admin), by=make.actor(house.admin), at=AT)
    with pytest.raises(UnableToDecide, match="by owners"):
        decisions.revoke(line=house.line(house.owner), by=make.actor(house.admin), at=AT)


def test_an_owner_goes_only_with_a_second_owner(house: House) -> None:
    house.begin()
    asked = decisions.revoke(line=house.line(house.second), by=make.actor(house.owner), at=AT)
    assert asked.verdict == Verdict.ASKED
    house.second.refresh_from_db()
    assert house.second.deactivated_at is None
    for by in (house.owner, house.admin):
        with pytest.raises(UnableToDecide):
            decisions.agree(line=house.line(house.second), by=make.actor(by), at=AT)
    decisions.decline(line=house.line(house.second), by=make.actor(house.owner), at=AT)
    assert house.line(house.second).verdict == Verdict.OPEN
    decisions.revoke(line=house.line(house.second), by=make.actor(house.owner), at=AT)
    decisions.agree(line=house.line(house.second), by=make.actor(house.second), at=AT)
    house.second.refresh_from_db()
    assert house.second.deactivated_at == AT


def test_the_last_owner_stays_whatever_was_asked(house: House) -> None:
    house.begin()
    decisions.revoke(line=house.line(house.second), by=make.actor(house.owner), at=AT)
    members.deactivate(member=house.owner, by=make.actor(house.second), at=AT)
    with pytest.raises(members.UnableToDeactivate, match="must keep an owner"):
        decisions.agree(line=house.line(house.second), by=make.actor(house.second), at=AT)
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
    with pytest.raises(UnableToDecide, match="nothing to take away"):
        decisions.revoke(line=old, by=make.actor(house.owner), at=AT)
    with pytest.raises(UnableToDecide, match="not ours"):
        decisions.revoke(line=new, by=make.actor(house.owner), at=AT)


def test_a_review_is_finished_once_everybody_is_decided_and_then_stands(house: House) -> None:
    review = house.begin()
    with pytest.raises(UnableToReview, match="4 people are not decided"):
        reviews.finish(review=review, by=make.actor(house.owner), at=AT)
    house.attest(house.second, house.admin, house.member, by=house.owner)
    house.attest(house.owner, by=house.second)
    done = reviews.finish(review=review, by=make.actor(house.owner), at=AT)
    assert done.summary == {
        "people": 4, "by_difference": {"only_new": {"attested": 4}}, "changed_since": 0, "joined_since": 0,
    }  # fmt: skip
    entry = LedgerEntry.objects.filter(chain=house.id).latest("seq")
    assert entry.event == "accounts.access_review.finished"
    assert done.sha256 in entry.body
    assert reviews.finish(review=review, by=make.actor(house.owner), at=AT).sha256 == done.sha256
    with pytest.raises(UnableToDecide, match="has ended"):
        decisions.revoke(line=house.line(house.member), by=make.actor(house.owner), at=AT)
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
    done = reviews.finish(review=review, by=make.actor(house.owner), at=AT)
    assert told() == ("warn", "Everybody was decided about on 26 November 2026; nobody has signed it yet")
    assert access_review(tenant_id=house.id, at=AT)["signature"] is None
    sign(done, by=house.owner)
    assert told() == ("pass", "Everybody was decided about on 26 November 2026, and it is signed")
    assert told(AT + timedelta(days=91)) == ("warn", "The last access review is over 90 days old")
    assert access_review(tenant_id=house.id, at=AT)["lines_sha256"] == done.sha256


@pytest.mark.parametrize(("zone", "late"), [("America/Los_Angeles", False), ("UTC", True)])
def test_the_check_calls_a_review_overdue_by_the_days_of_the_tenant(house: House, zone: str, late: bool) -> None:
    with make.arranging():
        Tenant.objects.filter(pk=house.id).update(time_zone=zone)
    house.begin()
    finding = access_reviewed(tenant_id=house.id, at=datetime(2026, 12, 11, 4, tzinfo=UTC))
    assert ("overdue" in finding.summary) is late


def test_a_merged_owner_counts_with_whom_they_are_and_a_shared_account_for_each(house: House) -> None:
    told = {"tenant_id": house.id}
    kept, merged, shared = uuid4(), uuid4(), uuid4()
    decided = PersonDecision.objects.create(
        tenant_id=house.id, kind="split", state="standing", people=1, reason="Shared", decided_at=AT,
        decided_by=uuid4(),
    )  # fmt: skip
    LegacyPerson.objects.create(pk=kept, person_id=kept, key="1", role="viewer", outcome="placeholder", **told)
    LegacyPerson.objects.create(
        pk=merged, person_id=kept, key="2", role="boss", is_owner=True, outcome="merged", decision=decided, **told
    )
    LegacyPerson.objects.create(
        pk=shared, person_id=shared, key="3", role="clerk", outcome="split", decision=decided, **told
    )
    for key in "ab":
        new = NewPerson.objects.create(key=key, role="clerk", **told)
        PersonPart.objects.create(tenant_id=house.id, decision=decided, legacy_id=shared, new=new, guid=uuid4())
    NewPerson.objects.create(key="c", email=house.admin.user.email, role="viewer", **told)
    NewPerson.objects.create(key="d", email=house.admin.user.email, role="viewer", **told)
    people = list(standing.everybody(tenant_id=house.id))
    (whole,) = (one for one in people if one.legacy_id == kept)
    assert (whole.standing.old_role, whole.standing.is_old_owner) == ("boss", True)
    parts = [one for one in people if one.legacy_id == shared]
    assert [(one.standing.difference, one.new_id is not None) for one in parts] == [(Difference.SAME, True)] * 2
    assert sorted((one.new_id is not None, one.member_id is not None) for one in people) == [
        (False, False), *[(False, True)] * 3, *[(True, False)] * 3, (True, True),
    ]  # fmt: skip
    assert standing.counts(tenant_id=house.id).people == len(people)
