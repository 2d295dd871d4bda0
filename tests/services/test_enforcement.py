"""Enforcement, break-glass codes and cutbacks on PostgreSQL: allowed, refused, over by the clock, told to everybody."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.domain.enforcement import State
from accounts.models import BreakGlassOwner, Cutback, Enforcement, RecoveryCode
from accounts.queries import cutbacks as asked
from accounts.queries import enforcement as known
from accounts.queries import recovery
from accounts.services import break_glass, cutbacks, enforcement, sso
from comms.models import Delivery, Mailing
from core import banners, ledger, queue, readiness, tenancy, toggles
from core.errors import PermissionRefused
from core.models import LedgerEntry
from core.permissions import StaffRole, TenantRole
from tests import enforcing, make
from tests.enforcing import DAY, Company

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def company() -> Iterator[Company]:
    found = enforcing.company(password="long and secret")
    with tenancy.scope(tenant_id=found.tenant_id):
        yield enforcing.prepare(found)


def state(company: Company, at: datetime | None = None) -> State:
    now = at or timezone.now()
    return known.standing(tenant_id=company.tenant_id, at=now).state(at=now)


def gate(company: Company) -> str:
    place = tenancy.find_membership(user_id=company.owners[0].user_id, slug=company.tenant.slug)
    assert place
    return place.sso_only


def told(company: Company) -> list[str]:
    return [entry.event for entry in reversed(ledger.recent(tenant_id=company.tenant_id, limit=100))]


def test_it_is_announced_begins_by_itself_and_expires_by_itself(company: Company) -> None:
    at = timezone.now()
    announced = enforcing.enforce(
        company,
        takes_effect_at=at + 7 * DAY,
        expires_at=at + 30 * DAY,
        at=at,
        accepted_list=enforcing.accepted(company),
    )
    assert state(company, at) is State.ANNOUNCED
    assert state(company, at + 7 * DAY) is State.ENFORCED
    assert state(company, at + 30 * DAY) is State.OPEN
    assert announced.toggle.reason == "As agreed."
    assert gate(company) == ""
    assert {"core.toggle.switched_on", "accounts.enforcement.announced"} <= set(told(company))
    (banner,) = [each for each in banners.standing(tenant_id=company.tenant_id, at=at) if "accounts" in each.id]
    assert banner.starts_at == announced.takes_effect_at


def test_the_database_refuses_passwords_just_when_the_page_says_so(company: Company) -> None:
    assert (state(company), gate(company)) == (State.OPEN, "")
    row = enforcing.enforce(company)
    assert (state(company), gate(company)[:4]) == (State.ENFORCED, "org_")
    for changed in ({"takes_effect_at": timezone.now() + HOUR}, {"takes_effect_at": timezone.now() - HOUR}):
        Enforcement.objects.filter(pk=row.pk).update(**changed)
        assert bool(gate(company)) is (state(company) is State.ENFORCED)
    assert enforcement.end(tenant_id=company.tenant_id, by=company.by, at=timezone.now())
    assert not enforcement.end(tenant_id=company.tenant_id, by=company.by, at=timezone.now())
    assert (state(company), gate(company)) == (State.OPEN, "")
    assert told(company).count("accounts.enforcement.ended") == 1


def test_what_is_missing_refuses_and_leaves_nothing(company: Company) -> None:
    RecoveryCode.objects.filter(owner=company.seats()[0]).update(lapses_at=timezone.now() + HOUR)
    with pytest.raises(enforcement.UnableToEnforce, match="recovery codes"):
        enforcing.enforce(company)
    assert not Enforcement.objects.exists()
    assert not toggles.on(tenant_id=company.tenant_id, at=timezone.now())


def test_a_grave_forecast_asks_for_the_very_list(company: Company) -> None:
    seen = enforcing.accepted(company)
    with pytest.raises(enforcement.UnableToEnforce, match="among them 2 owners"):
        enforcing.enforce(company, accepted_list="")
    make.member(company.tenant, TenantRole.OWNER, person=make.user(email="elsewhere@gmail.example"))
    with pytest.raises(enforcement.UnableToEnforce, match="among them 3 owners"):
        enforcing.enforce(company, accepted_list=seen)
    assert enforcing.enforce(company).accepted_list == enforcing.accepted(company)


def test_only_an_owner_accepts_that_an_owner_would_be_stuck(company: Company) -> None:
    admin = make.actor(make.member(company.tenant, TenantRole.ADMIN))
    with pytest.raises(enforcement.UnableToEnforce, match="only an owner"):
        enforcing.enforce(company, by=admin)


def test_it_cannot_be_announced_twice_nor_by_everybody(company: Company) -> None:
    enforcing.enforce(company)
    with pytest.raises(toggles.UnableToSwitch, match="on already"):
        enforcing.enforce(company)
    auditor = make.actor(make.member(company.tenant, TenantRole.AUDITOR))
    with pytest.raises(PermissionRefused):
        enforcing.enforce(company, by=auditor)


def test_the_provider_stays_connected_while_it_alone_lets_people_in(company: Company) -> None:
    enforcing.enforce(company)
    with pytest.raises(sso.UnableToDisconnect, match="alone"):
        sso.disconnect(tenant_id=company.tenant_id, by=company.by, at=timezone.now())
    enforcement.end(tenant_id=company.tenant_id, by=company.by, at=timezone.now())
    sso.disconnect(tenant_id=company.tenant_id, by=company.by, at=timezone.now())


def test_only_digests_of_codes_are_kept(company: Company) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(r)::text FROM accounts_recoverycode r")
        kept = " ".join(row[0] for row in cursor.fetchall())
    entries = " ".join(str(entry.data) for entry in LedgerEntry.objects.all())
    for code in (*company.codes[0], *company.codes[1]):
        assert code not in kept + entries
        assert code.replace("-", "") not in kept + entries
    assert len({code for codes in company.codes for code in codes}) == 10


def use(company: Company, code: str, email: str = "", at: datetime | None = None) -> Any:
    found = recovery.find(code=code)
    if found is None:
        raise break_glass.UnableToRecover
    assert found.tenant_id == company.tenant_id
    return break_glass.use(
        tenant_id=found.tenant_id, code_id=found.code_id, email=email or company.owners[0].user.email,
        at=at or timezone.now(),
    )  # fmt: skip


def test_a_code_works_once_and_asks_for_a_new_set(company: Company) -> None:
    code, other, *_ = company.codes[0]
    at = timezone.now()
    assert use(company, code.lower()) == company.owners[0].user
    with pytest.raises(break_glass.UnableToRecover):
        use(company, code)
    assert len(known.holders(tenant_id=company.tenant_id)) == 1
    assert use(company, other, at=at + 23 * HOUR) == company.owners[0].user
    with pytest.raises(break_glass.UnableToRecover):
        use(company, company.codes[0][2], at=at + 25 * HOUR)
    assert told(company).count("accounts.break_glass.used") == 2
    new = break_glass.issue(owner=company.seats()[0], by=company.by, at=at)
    assert len(known.holders(tenant_id=company.tenant_id)) == 2
    with pytest.raises(break_glass.UnableToRecover):
        use(company, company.codes[0][3])
    assert use(company, new[0]) == company.owners[0].user


def test_a_code_is_worth_nothing_for_somebody_else(company: Company) -> None:
    with pytest.raises(break_glass.UnableToRecover):
        use(company, company.codes[0][0], email=company.owners[1].user.email)
    with pytest.raises(break_glass.UnableToRecover):
        use(company, "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA")
    assert not RecoveryCode.objects.filter(used_at__isnull=False).exists()


def test_who_is_no_owner_any_more_has_no_codes(company: Company) -> None:
    owner = company.owners[1]
    type(owner).objects.filter(pk=owner.pk).update(role=TenantRole.ADMIN)
    with pytest.raises(break_glass.UnableToRecover):
        use(company, company.codes[1][0], email=owner.user.email)
    assert len(known.holders(tenant_id=company.tenant_id)) == 1


def test_nobody_makes_codes_for_somebody_else(company: Company) -> None:
    with pytest.raises(break_glass.UnableToIssue, match="their own"):
        break_glass.issue(owner=company.seats()[1], by=company.by, at=timezone.now())


def test_a_seat_has_one_owner_and_an_owner_one_seat(company: Company) -> None:
    at, third = timezone.now(), make.member(company.tenant, TenantRole.OWNER)
    with pytest.raises(break_glass.UnableToName, match="other seat"):
        break_glass.name(tenant_id=company.tenant_id, member=company.owners[0], seat=2, by=company.by, at=at)
    break_glass.name(tenant_id=company.tenant_id, member=third, seat=2, by=company.by, at=at)
    assert [seat.member_id for seat in company.seats()] == [company.owners[0].pk, third.pk]
    with pytest.raises(break_glass.UnableToRecover):
        use(company, company.codes[1][0], email=company.owners[1].user.email)
    admin = make.member(company.tenant, TenantRole.ADMIN)
    with pytest.raises(break_glass.UnableToName, match="active owner"):
        break_glass.name(tenant_id=company.tenant_id, member=admin, seat=2, by=company.by, at=at)
    with pytest.raises(PermissionRefused):
        break_glass.name(tenant_id=company.tenant_id, member=third, seat=1, by=make.actor(admin), at=at)
    assert BreakGlassOwner.objects.filter(ended_at__isnull=False).count() == 1


@pytest.fixture
def enforced(company: Company) -> Company:
    enforcing.enforce(company)
    return company


def ask(company: Company, **more: Any) -> Cutback:
    return cutbacks.ask(
        tenant_id=company.tenant_id,
        **{"reason": "Our provider is down.", "hours": 4, "by": company.by, "at": timezone.now(), **more},
    )


def lead() -> Any:
    return make.staff_actor(make.staff(StaffRole.SRE_LEAD))


def test_both_sides_begin_a_cutback_that_ends_by_the_clock(enforced: Company) -> None:
    at, vendor = timezone.now(), lead()
    cutback = ask(enforced, at=at)
    cutbacks.approve(cutback=cutback, by=enforced.by, at=at)
    cutbacks.approve(cutback=cutback, by=enforced.by, at=at)
    assert (state(enforced), bool(gate(enforced))) == (State.ENFORCED, True)
    running = cutbacks.approve(cutback=cutback, by=vendor, at=at)
    assert running.ends_at == at + 4 * HOUR
    assert running.preflight == {"members": 2, "intact": 2, "owners_intact": 2}
    assert (state(enforced), gate(enforced)) == (State.CUT_BACK, "")
    (banner,) = [each for each in banners.standing(tenant_id=enforced.tenant_id, at=at) if "cutback" in each.id]
    assert not banner.dismissible
    assert state(enforced, at + 4 * HOUR) is State.ENFORCED


def test_the_end_is_written_down_once_however_late_and_often(enforced: Company) -> None:
    at = timezone.now() - 6 * HOUR
    cutback = ask(enforced, at=at)
    for by in (enforced.by, lead()):
        cutbacks.approve(cutback=cutback, by=by, at=at)
    assert (state(enforced), bool(gate(enforced))) == (State.ENFORCED, True)
    assert [cutbacks.end_due(at=timezone.now()) for _ in range(2)] == [1, 0]
    cutback.refresh_from_db()
    assert cutback.ended_at == at + 4 * HOUR
    assert told(enforced)[-1] == "accounts.cutback.ended"
    assert told(enforced).count("accounts.cutback.ended") == 1
    assert ask(enforced).pk != cutback.pk


def test_one_side_alone_begins_nothing(enforced: Company) -> None:
    cutback = ask(enforced)
    other = make.actor(enforced.owners[1])
    cutbacks.approve(cutback=cutback, by=enforced.by, at=timezone.now())
    with pytest.raises(cutbacks.UnableToApprove, match="Somebody else"):
        cutbacks.approve(cutback=cutback, by=other, at=timezone.now())
    with pytest.raises(PermissionRefused):
        cutbacks.approve(cutback=cutback, by=make.staff_actor(make.staff(StaffRole.SUPPORT)), at=timezone.now())
    with pytest.raises(cutbacks.UnableToApprove, match="not waiting"):
        cutbacks.approve(cutback=cutback, by=lead(), at=timezone.now() + 25 * HOUR)
    cutback.refresh_from_db()
    assert cutback.starts_at is None


def test_a_request_that_nobody_approves_lapses(enforced: Company) -> None:
    cutback = ask(enforced)
    assert cutbacks.end_due(at=timezone.now() + 25 * HOUR) == 1
    assert told(enforced)[-1] == "accounts.cutback.lapsed"
    assert asked.open_one(tenant_id=enforced.tenant_id, at=timezone.now()) is None
    assert cutback.starts_at is None


def test_it_can_be_taken_back_and_ended_early(enforced: Company) -> None:
    cutbacks.end(cutback=ask(enforced), by=enforced.by, at=timezone.now())
    assert told(enforced)[-1] == "accounts.cutback.withdrawn"
    cutback = ask(enforced)
    for by in (enforced.by, lead()):
        cutbacks.approve(cutback=cutback, by=by, at=timezone.now())
    for _ in range(2):
        cutbacks.end(cutback=cutback, by=enforced.by, at=timezone.now())
    assert (state(enforced), told(enforced).count("accounts.cutback.ended")) == (State.ENFORCED, 1)


@pytest.mark.parametrize(
    ("wrong", "said"), [({"reason": "  "}, "Say why"), ({"hours": 25}, "1 to 24"), ({"hours": 0}, "1 to 24")]
)
def test_a_cutback_needs_a_reason_and_an_end(enforced: Company, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(cutbacks.UnableToAsk, match=said):
        ask(enforced, **wrong)


def test_there_is_one_cutback_at_a_time_and_none_without_need(company: Company) -> None:
    with pytest.raises(cutbacks.UnableToAsk, match="nothing to cut back"):
        ask(company)
    enforcing.enforce(company)
    ask(company)
    with pytest.raises(cutbacks.UnableToAsk, match="open already"):
        ask(company)


def test_passwords_are_proven_to_work_before_and_at_the_start(enforced: Company) -> None:
    cutback = ask(enforced)
    cutbacks.approve(cutback=cutback, by=enforced.by, at=timezone.now())
    for owner in enforced.owners:
        owner.user.set_unusable_password()
        owner.user.save()
    with pytest.raises(cutbacks.UnableToApprove, match="let nobody in"):
        cutbacks.approve(cutback=cutback, by=lead(), at=timezone.now())
    cutbacks.end(cutback=cutback, by=enforced.by, at=timezone.now())
    with pytest.raises(cutbacks.UnableToAsk, match="let nobody in"):
        ask(enforced)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ends_at": timezone.now() + 25 * HOUR},
        {"vendor_approved_by": "customer_approved_by"},
        {"customer_approved_at": None, "customer_approved_by": None},
    ],
)
def test_the_database_holds_the_bounds_itself(enforced: Company, wrong: dict[str, Any]) -> None:
    from django.db.models import F

    cutback = ask(enforced)
    for by in (enforced.by, lead()):
        cutbacks.approve(cutback=cutback, by=by, at=timezone.now())
    changed = {name: F(value) if isinstance(value, str) else value for name, value in wrong.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Cutback.objects.filter(pk=cutback.pk).update(**changed)
    with pytest.raises(IntegrityError), transaction.atomic():
        Cutback.objects.filter(pk=cutback.pk).update(customer_approved_at=None)


def outcome(company: Company, check_id: str) -> str:
    readiness.evaluate(tenant_id=company.tenant_id, by=make.SYSTEM, at=timezone.now(), checks=[check_id])
    return str(readiness.latest(tenant_id=company.tenant_id)[check_id].outcome)


def test_the_checks_follow_what_stands(company: Company) -> None:
    checks = ("accounts.no_cutback", "accounts.break_glass", "accounts.sso_enforcement")
    assert [outcome(company, each) for each in checks] == ["pass", "pass", "pass"]
    enforcing.enforce(company)
    assert [outcome(company, each) for each in checks] == ["pass", "pass", "block"]
    use(company, company.codes[0][0])
    assert outcome(company, "accounts.break_glass") == "block"
    cutback = ask(company)
    assert outcome(company, "accounts.no_cutback") == "warn"
    for by in (company.by, lead()):
        cutbacks.approve(cutback=cutback, by=by, at=timezone.now())
    assert outcome(company, "accounts.no_cutback") == "block"


@pytest.mark.slow
def test_everybody_whom_it_concerns_is_told_by_mail(company: Company) -> None:
    make.member(company.tenant, TenantRole.MEMBER, person=make.user(email="m@airline.example"))
    enforcing.enforce(company)
    use(company, company.codes[0][0])
    cutback = ask(company)
    for by in (company.by, lead()):
        cutbacks.approve(cutback=cutback, by=by, at=timezone.now())
    cutbacks.end(cutback=cutback, by=company.by, at=timezone.now())
    queue.run_pending()  # once passwords count for good, that a cutback is over is no news
    enforcement.end(tenant_id=company.tenant_id, by=company.by, at=timezone.now())
    queue.run_pending()
    told = {
        template.removeprefix("sign_in."): Delivery.objects.filter(mailing_id=pk).count()
        for template, pk in Mailing.objects.filter(kind="sign_in").values_list("template", "pk")
    }
    assert told == {
        "codes_made": 2, "announced": 2, "announced_users": 1, "recovery_used": 2, "cutback_asked": 2,
        "cutback_waits": 1, "cutback_begun": 2, "cutback_begun_users": 1, "cutback_ended": 2,
        "cutback_ended_users": 1, "ended": 2, "ended_users": 1,
    }  # fmt: skip
