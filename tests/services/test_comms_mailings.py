"""Messages on real state changes: once each, to whom they are for, as they stood when they left."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Member, User
from accounts.services import members
from comms import subscribers
from comms.models import Delivery, Mailing
from comms.queries import mailings as told
from comms.services import deliveries, mailings, preferences
from core import tenancy
from core.actor import Actor
from core.errors import PermissionRefused
from core.findings import Outcome
from core.models import LedgerEntry
from core.permissions import StaffRole, TenantRole
from cutover.domain.phases import Phase
from cutover.services import cutovers, go_no_go, phases
from tests import make
from tests.comms import work
from tests.cutovers import Case, ready_case
from tests.fakes.mail import FakeMail

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch, fake_mail: type[FakeMail]) -> Iterator[Case]:
    """A tenant nine days before its window, with an admin, an auditor and a member."""
    with ready_case(monkeypatch, at=timezone.now(), time_zone="America/New_York") as case:
        for role in (TenantRole.ADMIN, TenantRole.AUDITOR, TenantRole.MEMBER):
            person = make.user(f"Some {role.value}", email=f"{role.value}@zebra.example")
            make.member(case.owner.tenant, role, person=person)
        yield case


def sent() -> list[tuple[str, str]]:
    """Who got which message, as (role or address, subject)."""
    return sorted((letter.to, letter.subject) for letter in FakeMail.sent)


def to(address: str) -> list[str]:
    return [letter.subject for letter in FakeMail.sent if letter.to == address]


def test_a_window_is_announced_down_the_ladder_with_its_time_in_the_tenants_zone(people: Case) -> None:
    work()
    owner = people.owner.user.email
    name = people.owner.tenant.name
    assert any(subject.startswith(f"{name} moves on ") for subject in to(owner))
    assert any("what to prepare" in subject for subject in to("admin@zebra.example"))
    assert to("member@zebra.example") == []  # tomorrow morning
    letter = next(one for one in FakeMail.sent if one.to == owner and "moves on" in one.subject)
    assert " EST" in letter.text or " EDT" in letter.text
    assert letter.text.startswith("Hello Person")
    assert "http" in letter.html
    assert "<img" not in letter.html
    now = timezone.localtime(timezone=ZoneInfo("America/New_York"))
    work(later=(now + DAY).replace(hour=12) - now)  # the day after, the next rung is due
    assert len(to("member@zebra.example")) == len(to("auditor@zebra.example")) == 1


def test_an_event_that_comes_twice_says_nothing_twice(people: Case) -> None:
    request = people.ask(at=timezone.now())
    work()
    before = sent()
    at = timezone.now()
    subscribers.ask_signers(tenant_id=people.tenant_id, request_id=str(request.pk), at=at)
    subscribers.follow_window(tenant_id=people.tenant_id, at=at)
    work()
    assert sent() == before
    assert any("Your signature is awaited" in subject for subject in to(people.owner.user.email))
    assert any("Your signature is awaited" in subject for subject in to(people.runbook_owner.email))


def test_the_other_side_hears_of_a_signature_and_both_of_the_last(people: Case) -> None:
    at = timezone.now()
    request = people.ask(at=at)
    people.sign(request, at=at)
    work()
    assert any(subject.startswith("One signature is there") for subject in to(people.runbook_owner.email))
    assert not any(subject.startswith("One signature is there") for subject in to(people.owner.user.email))
    people.sign(request, by=people.vendor, at=timezone.now())
    work()
    assert any(subject.startswith("Signed: ") for subject in to("admin@zebra.example"))
    assert any("is in phase Canary now" in subject for subject in to("admin@zebra.example"))
    assert any("has begun" in subject for subject in to("member@zebra.example"))


def test_a_veto_and_a_void_are_told(people: Case) -> None:
    at = timezone.now()
    request = people.ask(at=at)
    go_no_go.veto(request_id=request.pk, reason="Peak season", by=people.customer, at=at)
    people.ask(at=timezone.now())
    people.answer(Outcome.BLOCK, lost=3)
    people.run_checks(at=timezone.now())
    go_no_go.recheck(tenant_id=people.tenant_id, at=timezone.now())
    work()
    subjects = to("admin@zebra.example")
    assert sum("was vetoed" in subject for subject in subjects) == 1
    assert sum("is void" in subject for subject in subjects) == 1
    assert not any("Peak season" in letter.text for letter in FakeMail.sent)


def test_a_check_that_blocks_late_is_reminded_of_once_a_day(people: Case) -> None:
    work()
    for outcome in (Outcome.BLOCK, Outcome.PASS, Outcome.BLOCK):
        people.answer(outcome, lost=1)
        people.run_checks(at=timezone.now())
    work()
    assert sum("Something stands in the way" in subject for subject in to("admin@zebra.example")) == 1


def test_a_halt_and_a_rollback_reach_who_must_know(people: Case) -> None:
    request = people.ask(at=timezone.now())
    for by in (people.customer, people.vendor):
        people.sign(request, by=by, at=timezone.now())
    for target in (Phase.HALTED, Phase.ROLLED_BACK):
        phases.advance(
            tenant_id=people.tenant_id, target=target, by=people.vendor, at=timezone.now(), reason="Errors rose"
        )
        work()
    subjects = to("admin@zebra.example")
    assert any(subject.startswith("The line is stopped") for subject in subjects)
    assert any("back on the legacy platform" in subject for subject in subjects)
    assert any("works on the legacy platform" in subject for subject in to("member@zebra.example"))
    assert not any("stopped" in subject for subject in to("member@zebra.example"))


def test_another_window_withdraws_what_spoke_of_the_first_and_is_announced_anew(people: Case) -> None:
    work()
    first = set(Mailing.objects.filter(state="planned").values_list("pk", flat=True))
    assert first
    starts_at = timezone.now() + 20 * DAY
    cutovers.set_window(
        tenant_id=people.tenant_id, starts_at=starts_at, ends_at=starts_at + DAY, by=people.customer, at=timezone.now()
    )
    work()
    assert not Mailing.objects.filter(pk__in=first, state="planned").exists()
    assert sum("what to prepare" in subject for subject in to("admin@zebra.example")) == 2


def test_a_reminder_is_withdrawn_once_the_move_has_begun(people: Case) -> None:
    work()
    request = people.ask(at=timezone.now())
    for by in (people.customer, people.vendor):
        people.sign(request, by=by, at=timezone.now())
    work(later=8 * DAY)
    assert not any("still open" in subject for subject in to("admin@zebra.example"))
    assert Mailing.objects.filter(template="reminder.admins", state="withdrawn").exists()


def test_who_wants_only_what_is_essential_gets_no_reminder(people: Case) -> None:
    admin = User.objects.get(email="admin@zebra.example")
    by = Actor.member(user_id=admin.pk, tenant_id=people.tenant_id, role="admin")
    for _ in range(2):
        preferences.choose(tenant_id=people.tenant_id, essential_only=True, by=by, at=timezone.now())
    work(later=8 * DAY)
    subjects = to("admin@zebra.example")
    assert any("what to prepare" in subject for subject in subjects)  # essential
    assert not any("still open" in subject for subject in subjects)
    preferences.choose(tenant_id=people.tenant_id, essential_only=False, by=by, at=timezone.now())
    assert LedgerEntry.objects.filter(event="comms.preference.chosen").count() == 2


def of_users(people: Case) -> Mailing:
    return Mailing.objects.get(template="announce.users", tenant_id=people.tenant_id)


def test_the_customers_admin_moves_an_announcement_and_adds_a_word(people: Case) -> None:
    work()
    due_at = timezone.now() + timedelta(hours=1)
    mailings.reschedule(
        mailing=of_users(people), due_at=due_at, note="Cake at\n<b>noon</b>\r\nBcc: x@y.example", by=people.customer,
        at=timezone.now(),
    )  # fmt: skip
    work(later=timedelta(hours=2))
    letter = next(letter for letter in FakeMail.sent if letter.to == "member@zebra.example")
    assert "A word from" in letter.text
    assert "Cake at\n<b>noon</b>" in letter.text
    assert "&lt;b&gt;noon&lt;/b&gt;" in letter.html
    assert "Bcc" not in letter.headers
    assert len(letter.subject.splitlines()) == 1


def test_a_skipped_message_does_not_leave_and_a_sent_one_cannot_be_skipped(people: Case) -> None:
    work()
    for _ in range(2):
        mailings.skip(mailing=of_users(people), by=people.customer, at=timezone.now())
    work(later=2 * DAY)
    assert not any("moves to a new platform" in subject for subject in to("member@zebra.example"))
    essential = Mailing.objects.filter(template="announce.admins").first()
    with pytest.raises(mailings.UnableToChange, match="not essential"):
        mailings.skip(mailing=essential, by=people.customer, at=timezone.now())
    with pytest.raises(mailings.UnableToChange, match="sent or changed a moment ago"):
        mailings.reschedule(
            mailing=of_users(people), due_at=timezone.now() + DAY, note="", by=people.customer, at=timezone.now()
        )


def test_only_who_manages_messages_changes_them(people: Case) -> None:
    work()
    member = make.actor(make.member(people.owner.tenant, TenantRole.MEMBER))
    with pytest.raises(PermissionRefused):
        mailings.skip(mailing=of_users(people), by=member, at=timezone.now())


def test_what_fails_for_now_is_tried_again_and_what_is_refused_is_not(people: Case) -> None:
    FakeMail.away.add("admin@zebra.example")
    FakeMail.refused.add(people.owner.user.email)
    work()
    copies = {copy.person.email: copy for copy in Delivery.objects.filter(mailing__kind="announce")}
    assert copies["admin@zebra.example"].state == "waiting"
    assert copies["admin@zebra.example"].problem == "The mail server did not take it for now (SMTP 450)."
    assert copies[people.owner.user.email].state == "refused"
    assert "@" not in copies[people.owner.user.email].problem
    FakeMail.away.clear()
    FakeMail.refused.clear()
    work(later=timedelta(hours=1))
    assert any("what to prepare" in subject for subject in to("admin@zebra.example"))
    refused = Delivery.objects.get(pk=copies[people.owner.user.email].pk)
    assert refused.state == "refused"
    by = make.staff_actor(make.staff(StaffRole.CS))
    deliveries.send_again(delivery=refused, by=by, at=timezone.now())
    work()
    refused.refresh_from_db()
    assert refused.state == "sent"
    with pytest.raises(deliveries.UnableToSend):
        deliveries.send_again(delivery=refused, by=by, at=timezone.now())


def test_who_left_the_account_since_gets_nothing_more(people: Case) -> None:
    FakeMail.away.add("admin@zebra.example")
    work()
    copy = Delivery.objects.get(person__email="admin@zebra.example", mailing__kind="announce")
    gone = Member.objects.get(tenant_id=people.tenant_id, user=copy.person)
    members.deactivate(member=gone, by=people.customer, at=timezone.now())
    FakeMail.away.clear()
    work(later=timedelta(hours=1))
    mailings.say(
        "support.answered", tenant_id=people.tenant_id, occasion=str(uuid4()), people=[copy.person_id],
        by=make.SYSTEM, at=timezone.now(),
    )  # fmt: skip
    work(later=timedelta(hours=2))
    copy.refresh_from_db()
    assert (copy.state, copy.problem) == ("given_up", "They left the account.")
    assert to("admin@zebra.example") == []


def test_a_copy_is_given_up_after_its_attempts(people: Case) -> None:
    FakeMail.away.add("admin@zebra.example")
    ahead = timedelta(0)
    for _ in range(10):
        work(later=ahead)
        ahead += timedelta(hours=5)
    copy = Delivery.objects.get(person__email="admin@zebra.example", mailing__template="announce.admins")
    assert (copy.state, copy.attempts) == ("given_up", 8)


def test_a_copy_whose_sender_vanished_is_not_sent_again_by_itself(people: Case) -> None:
    work()
    copy = Delivery.objects.filter(state="sent").first()
    Delivery.objects.filter(pk=copy.pk).update(state="sending", sent_at=None, claimed_until=timezone.now())
    before = sent()
    work(later=timedelta(hours=1))
    copy.refresh_from_db()
    assert copy.state == "unsure"
    assert sent() == before


def test_a_mailing_to_many_leaves_room_for_the_names_of_the_next(people: Case, monkeypatch) -> None:
    monkeypatch.setattr(told, "NAMED", 2)
    tenant, at = people.owner.tenant, timezone.now()
    crowd = [make.member(tenant, person=make.user(f"Pat {n:02}")).user_id for n in range(25)]
    both = [
        mailings.say("signature.approved", tenant_id=tenant.pk, occasion=one, people=crowd, by=make.SYSTEM, at=at)
        for one in ("first", "second")
    ]
    found = told.rows([one for one in both if one], tenant_id=tenant.pk, with_names=True, may_manage=False)
    assert [(row.names, row.more) for row in found] == [(["Pat 00", "Pat 01"], 23)] * 2


def test_no_address_and_no_name_enters_the_ledger(people: Case) -> None:
    work()
    mailings.reschedule(
        mailing=of_users(people), due_at=of_users(people).due_at, note="Ask Ottilie", by=people.customer,
        at=timezone.now(),
    )  # fmt: skip
    bodies = " ".join(str(entry.body) for entry in LedgerEntry.objects.filter(event__startswith="comms."))
    assert "comms.mailing.issued" in bodies
    for word in ("zebra.example", "Ottilie", people.owner.user.email, str(people.owner.user)):
        assert word not in bodies


def test_two_workers_send_each_copy_once(committed_db: None, fake_mail: type[FakeMail]) -> None:
    tenant = make.tenant("Zebra Air")
    with make.arranging():
        for _ in range(12):
            make.member(tenant)
        if True:
            mailing = mailings.say(
                "signature.approved", tenant_id=tenant.pk, occasion=str(uuid4()), by=make.SYSTEM, at=timezone.now()
            )
    assert mailing

    def run() -> None:
        try:
            with tenancy.scope(tenant_id=tenant.pk):
                deliveries.send(tenant_id=tenant.pk, mailing_id=mailing.pk, by=make.SYSTEM, at=timezone.now())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(FakeMail.sent) == len({letter.to for letter in FakeMail.sent}) == 12
    assert len({letter.id for letter in FakeMail.sent}) == 12


def test_two_plans_at_once_are_one(committed_db: None, fake_mail: type[FakeMail]) -> None:
    owner = make.member(make.tenant("Zebra Air"))
    tenant_id, starts_at = owner.tenant_id, timezone.now() + 9 * DAY
    with make.arranging():
        cutovers.set_window(
            tenant_id=tenant_id, starts_at=starts_at, ends_at=starts_at + DAY, by=make.actor(owner), at=timezone.now()
        )
    barrier = threading.Barrier(3)

    def run(number: int) -> None:
        try:
            with tenancy.scope(tenant_id=tenant_id):
                barrier.wait(timeout=30)
                at = timezone.now() + timedelta(milliseconds=number)
                mailings.follow_window(tenant_id=tenant_id, by=make.SYSTEM, at=at)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with make.arranging():
        planned = Mailing.objects.filter(tenant_id=tenant_id)
        assert planned.filter(kind="announce").count() == 3
        assert not planned.filter(state="withdrawn").exists()
