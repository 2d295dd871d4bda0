"""An access review in a real browser: begun, decided with a thousand people in it, signed by passkey, and abandoned."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import AccessLine, AccessReview, LegacyPerson, Member, NewPerson
from accounts.services.access import decisions, reviews
from core import queue, tenancy
from core.actor import Actor
from core.models import Job
from core.permissions import TenantRole
from tests import make
from tests.browser.test_go_no_go import passkey_of
from tests.browsing import Visits, check_page

pytestmark = pytest.mark.slow
AT = "/t/zebra/access/"


@pytest.fixture
def owner(committed_db: None) -> Member:
    tenant = make.tenant("Zebra Air", slug="zebra", time_zone="Pacific/Honolulu")
    made = make.member(tenant, person=make.user("Ana Ruiz", password=make.PASSWORD))
    make.member(tenant, person=make.user("Ben Berg"))
    make.member(tenant, TenantRole.ADMIN, person=make.user("Cora Carlsen-Montgomery of the Night Shift"))
    make.member(tenant, TenantRole.MEMBER, person=make.user("علي رضا"))
    return made


def begin(owner: Member) -> AccessReview:
    at = timezone.now()
    with tenancy.scope(tenant_id=owner.tenant_id):
        due_on = at.date() + timedelta(days=14)
        return reviews.begin(tenant_id=owner.tenant_id, due_on=due_on, by=make.actor(owner), at=at)


def fill(owner: Member, people: int) -> None:
    """Let a thousand people of both platforms have access there."""
    told = {"tenant_id": owner.tenant_id}
    with make.arranging():
        new = [NewPerson(key=f"n{n}", name=f"Person {n}", role="viewer", **told) for n in range(people)]
        NewPerson.objects.bulk_create(new)
        old = [
            LegacyPerson(id=(pk := uuid4()), person_id=pk, key=f"l{n}", name=f"Person {n}", outcome="mapped", new=one,
                         role="viewer" if n % 3 else "clerk", **told)
            for n, one in enumerate(new)
        ]  # fmt: skip
        LegacyPerson.objects.bulk_create(old)


def test_a_review_is_decided_and_signed_by_passkey(visit: Visits, owner: Member) -> None:
    page = visit(AT, by=owner.user)
    check_page(page)
    with passkey_of(page):
        page.goto(AT)
        page.get_by_role("button", name="Begin the review").click()
        expect(page.get_by_text("0 of 4 decided.")).to_be_visible()
        check_page(page)
        page.get_by_label("Cora Carlsen").check()
        page.get_by_role("button", name="Attest the chosen").click()
        expect(page.get_by_text("1 of 4 decided.")).to_be_visible()
        page.get_by_role("button", name="Take away the access of علي").click()
        page.get_by_role("dialog").get_by_role("button", name="Take away").click()
        page.get_by_role("button", name="Take away the access of Ben").click()
        page.get_by_role("dialog").get_by_role("button", name="Take away").click()
        expect(page.get_by_text("Waits for a second owner")).to_be_visible()
        check_page(page)
        page.get_by_role("button", name="Take back").click()
        page.get_by_role("button", name="Attest the access of Ben").click()
        with make.arranging():
            mine = AccessLine.objects.select_related("review").get(member=owner)
            second = Member.objects.get(user__name="Ben Berg")
        with tenancy.scope(tenant_id=owner.tenant_id):
            decisions.attest(review=mine.review, line_ids=[mine.pk], by=make.actor(second), at=timezone.now())
        page.reload()
        page.get_by_role("button", name="Finish the review").click()
        expect(page.get_by_text("Finished, not signed yet")).to_be_visible()
        check_page(page)
        page.get_by_role("button", name="Sign with your passkey").click()
        expect(page.get_by_text("Finished and signed")).to_be_visible()
    check_page(page)
    page.goto(AT)
    check_page(page)


def test_a_thousand_people_are_reviewed_and_each_role_sees_its_page(visit: Visits, owner: Member) -> None:
    fill(owner, 1000)
    at = f"{AT}reviews/{begin(owner).pk}/"
    with make.arranging():
        people = {member.role: member.user for member in Member.objects.filter(tenant_id=owner.tenant_id)}
    for role in ("owner", "admin"):
        page = visit(at, by=people[role])
        expect(page.get_by_text("0 of 1,004 decided.")).to_be_visible()
        check_page(page)
    check_page(visit(AT, by=owner.user))
    assert visit(at, by=people["member"]).get_by_text("Your role in this account").count()
    bare = visit(at, by=owner.user, java_script_enabled=False)
    bare.get_by_text("Abandon this review").click()
    bare.get_by_label("Why it is abandoned").fill("The list of the legacy platform was from spring")
    bare.get_by_role("button", name="Abandon the review").click()
    bare.get_by_role("button", name="Abandon").click()
    expect(bare.get_by_text("from spring")).to_be_visible()


def test_a_large_account_watches_its_review_begin(
    visit: Visits, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviews, "AT_ONCE", 3)
    page = visit(AT, by=owner.user)
    page.get_by_role("button", name="Begin the review").click()
    expect(page.get_by_text("It begins when one of our servers is free.")).to_be_visible()
    check_page(page)
    queue.run_pending(at=timezone.now() + timedelta(seconds=1))
    expect(page.get_by_text("0 of 4 decided.")).to_be_visible()  # by itself


def test_a_review_that_cannot_begin_says_why(visit: Visits, owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "AT_ONCE", 3)
    at = f"{AT}reviews/{begin(owner).pk}/"
    with make.arranging():
        writing = Job.objects.filter(task="accounts.tasks.write_down_access")
        writing.update(state="dead", finished_at=timezone.now(), problem="It took longer than it may and was stopped.")
    page = visit(at, by=owner.user)
    expect(page.get_by_text("then you can begin a new one.")).to_be_visible()
    check_page(page)
    with make.arranging():
        reviews.give_up(by=Actor.system("access_review"), at=timezone.now())
    expect(page.get_by_text("This review did not begin")).to_be_visible()  # by itself
    check_page(page)
    page.goto(AT)
    expect(page.get_by_text("Did not begin")).to_be_visible()
    check_page(page)
