"""Who hears of an access review: whoever is to decide, the second owner, and who lost their access."""

from collections.abc import Iterator

import pytest
from django.utils import timezone

from accounts.models import AccessLine, Member
from accounts.services.access import decisions, reviews
from core import tenancy
from tests import make
from tests.comms import work
from tests.fakes.mail import FakeMail
from tests.reviewing import House

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(fake_mail: type[FakeMail]) -> Iterator[House]:
    made = House()
    with tenancy.scope(tenant_id=made.id):
        yield made


def told(member: Member) -> list[str]:
    """Return what somebody was told since they were asked last."""
    mine = [letter.subject.split(": ")[-1] for letter in FakeMail.sent if letter.to == member.user.email]
    FakeMail.sent[:] = [letter for letter in FakeMail.sent if letter.to != member.user.email]
    return mine


def test_who_decides_hears_of_a_review_and_who_loses_access_is_told(house: House) -> None:
    at = timezone.now()
    by, name = make.actor(house.owner), house.tenant.name
    review = reviews.begin(tenant_id=house.id, due_on=at.date(), by=by, at=at)
    work()
    for member in (house.owner, house.second, house.admin):
        assert told(member) == ["everybody's access is reviewed"]

    def line(member: Member) -> AccessLine:
        return AccessLine.objects.get(member=member)

    decisions.revoke(line=line(house.second), by=by, at=at)
    work()
    assert told(house.second) == ["taking an owner's access away waits for you"]
    assert told(house.owner) == told(house.admin) == []
    decisions.decline(line=line(house.second), by=by, at=at)
    decisions.revoke(line=line(house.member), by=by, at=at)
    work()
    assert told(house.member) == [f"You have no access to {name} in Crossing any more"]
    decisions.attest(review=review, line_ids=[line(each).pk for each in (house.second, house.admin)], by=by, at=at)
    decisions.attest(review=review, line_ids=[line(house.owner).pk], by=make.actor(house.second), at=at)
    reviews.finish(review=review, by=by, at=at)
    again = reviews.begin(tenant_id=house.id, due_on=at.date(), by=by, at=at)
    reviews.abandon(review=again, reason="Too early", by=by, at=at)
    work()
    assert set(told(house.admin)) == {
        "the review of access is finished and waits for a signature",
        "everybody's access is reviewed",
        "the review of access was abandoned",
    }
    assert told(house.member) == []
