"""Rotation of an endpoint's signing secret: no message is missed, and the old secret ends when it should."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from core import queue
from core.errors import PermissionRefused
from core.findings import Outcome
from core.models import LedgerEntry
from core.outbound import Reply
from core.permissions import TenantRole
from integrations import readiness, tasks
from integrations.models import Endpoint
from integrations.queries import endpoints as listed
from integrations.queries import health
from integrations.services import endpoints, messages, rotations
from tests import make
from tests.fakes.outbound import FakeOutbound
from tests.receiving import Case, connected

pytestmark = pytest.mark.django_db
DAY, HOUR, NONE = timedelta(days=1), timedelta(hours=1), timedelta(0)


@pytest.fixture
def case(settings: Settings) -> Iterator[Case]:
    with connected(settings) as made:
        yield made


@pytest.fixture
def endpoint(case: Case) -> Endpoint:
    return case.register()


def known(endpoint: Endpoint, *, late: timedelta = NONE) -> list[str]:
    endpoint.refresh_from_db()
    return endpoints.secrets_of(endpoint, at=timezone.now() + late)


def begin(case: Case, endpoint: Endpoint, overlap: timedelta = DAY) -> str:
    return rotations.begin(endpoint=endpoint, overlap=overlap, by=case.by, at=timezone.now())


def answered(case: Case, endpoint: Endpoint, secret: str) -> int:
    """What a receiver that knows this secret alone answers to a message that is sent now."""
    case.book.hooks["/a/b"].secret = secret
    message = messages.send_test(endpoint=endpoint, by=case.by, at=timezone.now())
    queue.run_pending()
    return message.attempts.get().status


def events() -> list[str]:
    rows = LedgerEntry.objects.filter(event__startswith="integrations.endpoint.").order_by("seq")
    return [event.removeprefix("integrations.endpoint.") for event in rows.values_list("event", flat=True)]


def finding(case: Case, *, late: timedelta = NONE):
    return readiness.harness_passed(tenant_id=case.tenant_id, at=timezone.now() + late)


def test_a_receiver_takes_what_is_sent_by_either_secret_until_the_old_one_ends(case, endpoint):
    (old,) = known(endpoint)
    new = begin(case, endpoint)
    assert known(endpoint) == [old, new]
    assert [answered(case, endpoint, secret) for secret in (old, new)] == [204, 204]
    assert rotations.end_old(endpoint=endpoint, by=case.by, at=timezone.now())
    assert not rotations.end_old(endpoint=endpoint, by=case.by, at=timezone.now())
    assert [answered(case, endpoint, secret) for secret in (old, new)] == [401, 204]
    assert events() == ["registered", "rotation_begun", "old_secret_ended"]


def test_what_was_refused_before_is_sent_again_by_the_secrets_of_that_moment(case, endpoint):
    case.answers(Reply(500))
    message = messages.send_test(endpoint=endpoint, by=case.by, at=timezone.now())
    queue.run_pending()
    new = begin(case, endpoint)
    case.answers(Reply(204))
    queue.run_pending(at=timezone.now() + HOUR)
    message.refresh_from_db()
    assert (message.state, len(FakeOutbound.sent[-1].headers["webhook-signature"].split(" "))) == ("delivered", 2)
    assert known(endpoint)[-1] == new


def test_the_old_secret_ends_by_itself_and_is_forgotten(case, endpoint):
    (old,) = known(endpoint)
    new = begin(case, endpoint)
    assert [known(endpoint, late=late) for late in (DAY - HOUR, DAY)] == [[old, new], [new]]
    for late, kept in ((DAY - HOUR, True), (DAY, False), (DAY, False)):
        with make.arranging():
            tasks.forget_old_secrets(at=timezone.now() + late)
        endpoint.refresh_from_db()
        assert bool(endpoint.old_secret) is kept
    assert events() == ["registered", "rotation_begun", "old_secret_ended"]


def test_a_secret_that_leaked_ends_at_once(case, endpoint):
    (old,) = known(endpoint)
    new = begin(case, endpoint, NONE)
    assert known(endpoint) == [new]
    assert [answered(case, endpoint, secret) for secret in (old, new)] == [401, 204]


def test_a_new_secret_that_was_lost_is_taken_back(case, endpoint):
    (old,) = known(endpoint)
    begin(case, endpoint)
    rotations.take_back(endpoint=endpoint, by=case.by, at=timezone.now())
    assert known(endpoint) == [old]
    with pytest.raises(rotations.UnableToTakeBack, match="old secret has ended"):
        rotations.take_back(endpoint=endpoint, by=case.by, at=timezone.now())
    second = begin(case, endpoint)
    assert known(endpoint) == [old, second]
    with pytest.raises(rotations.UnableToTakeBack, match="old secret has ended"):
        rotations.take_back(endpoint=endpoint, by=case.by, at=timezone.now() + DAY)
    assert events()[1:] == ["rotation_begun", "rotation_taken_back", "rotation_begun"]


def test_one_rotation_at_a_time_and_none_of_an_endpoint_that_is_off(case, endpoint):
    for wrong in (-HOUR, timedelta(days=8)):
        with pytest.raises(rotations.UnableToRotate, match="7 days at most"):
            begin(case, endpoint, wrong)
    second = begin(case, endpoint, HOUR)
    with pytest.raises(rotations.UnableToRotate, match="replaced already"):
        begin(case, endpoint)
    third = rotations.begin(endpoint=endpoint, overlap=DAY, by=case.by, at=timezone.now() + HOUR)  # not forgotten yet
    assert known(endpoint, late=HOUR) == [second, third]
    endpoints.switch_off(endpoint=endpoint, by=case.by, at=timezone.now())
    endpoint.refresh_from_db()
    assert (endpoint.old_secret, endpoint.old_ends_at) == ("", None)
    with pytest.raises(rotations.UnableToRotate, match="switched off"):
        begin(case, endpoint)


def test_an_auditor_replaces_nothing(case, endpoint):
    by, at = make.actor(make.member(case.member.tenant, TenantRole.AUDITOR)), timezone.now()
    begin(case, endpoint)
    for attempt in (
        lambda: rotations.begin(endpoint=endpoint, overlap=DAY, by=by, at=at),
        lambda: rotations.end_old(endpoint=endpoint, by=by, at=at),
        lambda: rotations.take_back(endpoint=endpoint, by=by, at=at),
    ):
        with pytest.raises(PermissionRefused):
            attempt()


def test_secrets_stand_in_no_ledger_and_sealed_in_their_row(case, endpoint):
    both = [*known(endpoint), begin(case, endpoint)]
    rows = str([*LedgerEntry.objects.values_list("body", "data"), *Endpoint.objects.values()])
    assert not [secret for secret in both if secret in rows or secret.removeprefix("whsec_") in rows]


def test_the_database_refuses_half_a_rotation(case, endpoint):
    for half in ({"old_secret": "x"}, {"old_ends_at": timezone.now()}, {"secret_changed_at": timezone.now()}):
        with pytest.raises(IntegrityError, match="_pair"), transaction.atomic():
            Endpoint.objects.filter(pk=endpoint.pk).update(**half)


def test_the_harness_says_whether_the_receiver_takes_the_new_secret(case, endpoint):
    new = begin(case, endpoint)
    run = case.try_out(endpoint)
    assert [result.got for result in listed.results_of(run)] == ["204", "401", "409", "401", "401", "401", "401"]
    (standing,) = listed.standing(tenant_id=case.tenant_id)
    assert (run.has_passed, standing.is_rotating, standing.takes_new) == (False, True, False)
    found = finding(case)
    assert (found.outcome, found.fix[:33]) == (Outcome.BLOCK, "Give your receiver the new secret")
    case.book.hooks["/a/b"].secret = new
    assert case.try_out(endpoint).has_passed
    (standing,) = listed.standing(tenant_id=case.tenant_id)
    assert (standing.takes_new, finding(case).outcome) == (True, Outcome.PASS)
    forged = next(
        sent for sent, result in zip(FakeOutbound.sent[-7:], run.results, strict=True) if result["probe"] == "forged"
    )
    assert len(forged.headers["webhook-signature"].split(" ")) == 2


def test_what_was_shown_with_the_old_secret_counts_for_as_long_as_it_signs(case, endpoint):
    case.try_out(endpoint)
    begin(case, endpoint)
    assert finding(case).outcome is Outcome.PASS
    found = finding(case, late=DAY)
    assert (found.outcome, found.summary) == (
        Outcome.BLOCK,
        "hooks.airline.example was not tried with its present signing secret",
    )
    words = [health.of(tenant_id=case.tenant_id, at=timezone.now() + late).words for late in (NONE, DAY)]
    assert words == ["1 of 1 verified", "0 of 1 verified"]
    rotations.end_old(endpoint=endpoint, by=case.by, at=timezone.now())
    (standing,) = listed.standing(tenant_id=case.tenant_id)
    assert (standing.state, standing.words) == ("none", "Not tried with this secret")


def test_what_was_shown_with_a_secret_that_was_taken_back_counts_no_more(case, endpoint):
    case.book.hooks["/a/b"].secret = begin(case, endpoint)
    case.try_out(endpoint)
    assert finding(case).outcome is Outcome.PASS
    rotations.take_back(endpoint=endpoint, by=case.by, at=timezone.now())
    assert finding(case).outcome is Outcome.BLOCK
