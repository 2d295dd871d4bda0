"""Company sign-in over time: people hear of its end, checks follow what stands, and a cutback leaves nothing behind."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts import tasks
from accounts.domain import enforcement as domain
from accounts.models import Cutback, Enforcement, Tenant
from accounts.services import break_glass, cutbacks, enforcement
from comms import subscribers
from comms.domain.timeline import moment_in_words
from comms.models import Delivery, Mailing
from core import ledger, queue, readiness, tenancy, toggles
from core.permissions import StaffRole, TenantRole
from tests import enforcing, make
from tests.enforcing import DAY, Company

pytestmark = pytest.mark.django_db
BY = make.SYSTEM
ZONE = "America/New_York"


@pytest.fixture
def company() -> Iterator[Company]:
    found = enforcing.company(password="long and secret")
    with tenancy.scope(tenant_id=found.tenant_id):
        yield enforcing.prepare(found)


def in_new_york(company: Company) -> None:
    """Put the company there, and give it somebody who is neither owner nor admin."""
    Tenant.objects.filter(pk=company.tenant_id).update(time_zone=ZONE)
    make.member(company.tenant, TenantRole.MEMBER, person=make.user(email="member@one.example"))


def warn(row: Enforcement, days_before: float) -> int | None:
    at = row.toggle.expires_at - timedelta(days=days_before)
    return enforcement.warn(enforcement_id=row.pk, tenant_id=row.tenant_id, by=BY, at=at)


def told(company: Company) -> list[str]:
    return [entry.event for entry in reversed(ledger.recent(tenant_id=company.tenant_id, limit=100))]


def test_each_step_before_the_end_is_told_once_and_the_end_too(company: Company) -> None:
    row = enforcing.enforce(company)
    steps = [warn(row, days) for days in (20, 14, 13, 7, 6.9, 0.5, 0.4, 0, -1)]
    assert steps == [None, 14, None, 7, None, 1, None, 0, None]
    assert told(company).count("accounts.enforcement.ending") == 3
    assert told(company)[-1] == "accounts.enforcement.expired"


def test_a_worker_that_was_down_tells_the_last_step_only(company: Company) -> None:
    row = enforcing.enforce(company)
    assert [warn(row, 2), warn(row, 2), warn(row, -1)] == [7, None, 0]


def test_the_end_is_told_whether_or_not_the_toggle_was_written_down(company: Company) -> None:
    row = enforcing.enforce(company)
    with make.arranging():
        toggles.end_expired(by=BY, at=row.toggle.expires_at + timedelta(minutes=5))
    assert warn(row, -0.1) == 0


def test_who_ended_it_and_who_announced_it_for_days_is_not_warned(company: Company) -> None:
    now = timezone.now()
    row = enforcing.enforce(company, expires_at=now + 5 * DAY, at=now)
    assert row.warned_days == 14  # as of the day on which it was announced
    assert [warn(row, 5), warn(row, 5)] == [7, None]
    enforcement.end(tenant_id=company.tenant_id, by=company.by, at=now)
    assert warn(row, 1) is None
    assert warn(row, -1) is None


def test_there_is_no_end_where_passwords_were_taken_away(company: Company) -> None:
    row = enforcing.enforce(company)
    enforcing.removed(company)
    assert warn(row, 1) is None


@pytest.mark.parametrize(
    ("left", "told", "due"), [(15, None, None), (14, None, 14), (3, 14, 7), (-1, 1, 0), (1, 0, None)]
)
def test_the_step_follows_from_the_dates_alone(left: int, told: int | None, due: int | None) -> None:
    at = timezone.now()
    assert domain.ending(expires_at=at + left * DAY, told=told, at=at) == due


def outcome(company: Company) -> str:
    queue.run_pending()
    return str(readiness.latest(tenant_id=company.tenant_id)["accounts.no_cutback"].outcome)


@pytest.mark.slow
def test_checks_and_people_hear_of_each_step_of_a_cutback(company: Company) -> None:
    lead = make.staff(StaffRole.SRE_LEAD)
    make.staff(StaffRole.SUPPORT)
    in_new_york(company)
    enforcing.enforce(company)
    assert outcome(company) == "pass"

    def ask() -> Any:
        return cutbacks.ask(tenant_id=company.tenant_id, reason="Down.", hours=1, by=company.by, at=timezone.now())

    cutback = ask()
    assert outcome(company) == "warn"
    cutbacks.end(cutback=cutback, by=company.by, at=timezone.now())
    assert outcome(company) == "pass"
    ask()
    assert outcome(company) == "warn"
    with make.arranging():
        cutbacks.end_due(at=timezone.now() + 25 * timedelta(hours=1))
    assert outcome(company) == "pass"
    cutback = ask()
    for by in (company.by, make.staff_actor(lead)):
        cutbacks.approve(cutback=cutback, by=by, at=timezone.now())
    assert outcome(company) == "block"
    with make.arranging():
        cutbacks.end_due(at=timezone.now() + timedelta(hours=2))
    assert outcome(company) == "pass"
    reached = {
        template.removeprefix("sign_in."): sorted(
            set(Delivery.objects.filter(mailing__template=template).values_list("person__email", flat=True))
        )
        for template in Mailing.objects.filter(kind="sign_in").values_list("template", flat=True).distinct()
    }
    owners = [owner.user.email for owner in company.owners]
    assert reached["cutback_asked"] == reached["cutback_lapsed"] == reached["cutback_ended"] == owners
    assert reached["codes_made"] == owners
    assert reached["cutback_waits"] == [lead.email]
    assert reached["cutback_begun_users"] == reached["cutback_ended_users"] == ["member@one.example"]
    over, row = (
        Mailing.objects.get(template="sign_in.cutback_ended_users"),
        Cutback.objects.get(starts_at__isnull=False),
    )
    assert row.ended_at is not None
    assert f"Since {moment_in_words(row.ended_at, zone=ZONE)} you sign in by {company.tenant.name} alone" in over.text


def templates_said(company: Company) -> set[str]:
    queue.run_pending()
    return set(Mailing.objects.filter(kind="sign_in").values_list("template", flat=True))


ENDED = {"sign_in.ended", "sign_in.ended_users"}
CUTBACK_ENDED = {"sign_in.cutback_ended", "sign_in.cutback_ended_users"}


@pytest.mark.slow
def test_everybody_hears_that_passwords_count_again_and_a_cutback_that_ends_then_is_no_news(company: Company) -> None:
    in_new_york(company)
    enforcing.enforce(company)
    cutback = cutbacks.ask(tenant_id=company.tenant_id, reason="Down.", hours=1, by=company.by, at=timezone.now())
    for by in (company.by, make.staff_actor(make.staff(StaffRole.SRE_LEAD))):
        cutbacks.approve(cutback=cutback, by=by, at=timezone.now())
    enforcement.end(tenant_id=company.tenant_id, by=company.by, at=timezone.now())
    assert templates_said(company) & (ENDED | CUTBACK_ENDED) == ENDED
    cutback.refresh_from_db()
    cutbacks.end(cutback=cutback, by=company.by, at=timezone.now())
    assert templates_said(company) & (ENDED | CUTBACK_ENDED) == ENDED
    assert Delivery.objects.filter(mailing__template="sign_in.ended_users").get().person.email == "member@one.example"


def test_nobody_hears_that_passwords_count_where_they_were_taken_away(company: Company) -> None:
    enforcing.enforce(company)
    enforcing.removed(company)
    enforcement.end(tenant_id=company.tenant_id, by=company.by, at=timezone.now())
    subscribers.tell_ended(tenant_id=company.tenant_id, enforcement_id=str(uuid4()), at=timezone.now())
    assert not Mailing.objects.filter(template__in=ENDED).exists()


def test_everybody_hears_when_the_time_is_over_and_when_that_was(company: Company) -> None:
    in_new_york(company)
    row = enforcing.enforce(company)
    at = row.toggle.expires_at + timedelta(hours=1)
    subscribers.warn_of_end(tenant_id=company.tenant_id, enforcement_id=str(row.pk), days=0, at=at)
    said = {mailing.template: mailing.text for mailing in Mailing.objects.filter(kind="sign_in")}
    assert said.keys() == {"sign_in.expired", "sign_in.expired_users"}
    assert f"Since {moment_in_words(row.toggle.expires_at, zone=ZONE)} your password" in said["sign_in.expired_users"]


@pytest.mark.slow
def test_the_hourly_look_has_the_deciders_told(company: Company) -> None:
    row = enforcing.enforce(company)
    with make.arranging():
        tasks.look_at_enforcements(at=row.toggle.expires_at - 3 * DAY)
        Enforcement.objects.filter(pk=row.pk).update(takes_effect_at=timezone.now() - 40 * DAY)
        type(row.toggle).objects.filter(pk=row.toggle.pk).update(
            switched_on_at=timezone.now() - 50 * DAY, expires_at=timezone.now() + 3 * DAY
        )
    queue.run_pending()
    assert Mailing.objects.filter(template="sign_in.ends_7").count() == 1
    assert Delivery.objects.filter(mailing__template="sign_in.ends_7").count() == 2


def test_codes_are_not_made_in_a_session_that_a_cutback_lent(company: Company) -> None:
    with pytest.raises(break_glass.UnableToIssue, match="cutback let you in"):
        break_glass.issue(owner=company.seats()[0], by=company.by, at=timezone.now(), is_lent=True)
