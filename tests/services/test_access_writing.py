"""Reviews of large accounts: begun at once, written down by the queue, once and completely or not at all."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from unittest import mock
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AccessLine, AccessReview
from accounts.readiness.people import access_reviewed
from accounts.services.access import UnableToDecide, UnableToReview, decisions, reviews
from core import queue, tenancy
from core.actor import Actor
from core.models import Event, Job, LedgerEntry
from core.queue import JobState
from tests import access_review_to_kill, make
from tests.reviewing import AT, House

pytestmark = pytest.mark.django_db
HOUSE = Actor.system("access_review")


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Return a house whose four people are too many to write down at once."""
    monkeypatch.setattr(reviews, "AT_ONCE", 3)
    made = House()
    with tenancy.scope(tenant_id=made.id):
        yield made


def job() -> Job:
    return Job.objects.get(task="accounts.tasks.write_down_access")


def events(house: House) -> list[str]:
    prefix = "accounts.access_review."
    entries = LedgerEntry.objects.filter(chain=house.id, event__startswith=prefix).order_by("seq")
    return [entry.event.removeprefix(prefix) for entry in entries]


def run() -> None:
    queue.run(job_id=job().pk, tenant_id=job().tenant_id, heartbeat=False)


def test_the_request_answers_at_once_and_the_queue_writes_everybody_down(house: House) -> None:
    review = house.begin()
    assert review.is_being_written
    assert not AccessLine.objects.exists()
    assert not Event.objects.filter(name="accounts.access_review.begun").exists()  # nobody is told too early
    assert access_reviewed(tenant_id=house.id, at=AT).summary.endswith("is being written down")
    run()
    review.refresh_from_db()
    assert review.people == review.lines.count() == 4
    assert review.begun_at > AT  # when it was written down, not when it was asked for
    assert review.begun_by == house.owner.user_id
    assert job().state == JobState.DONE
    assert events(house) == ["requested", "begun"]
    assert Event.objects.filter(name="accounts.access_review.begun").count() == 1


def test_two_requests_do_not_begin_two_reviews(house: House) -> None:
    house.begin()
    with pytest.raises(UnableToReview, match="under way already"):
        house.begin()
    assert AccessReview.objects.count() == Job.objects.filter(task=job().task).count() == 1


def test_writing_down_twice_doubles_nothing(house: House) -> None:
    review = house.begin()
    for _ in range(2):
        reviews.write_down(review_id=review.pk, by=HOUSE, now=lambda: AT)
    assert AccessLine.objects.count() == 4
    assert events(house) == ["requested", "begun"]


def test_a_worker_that_dies_leaves_nobody_half_written_and_the_next_attempt_has_everybody(house: House) -> None:
    house.begin()
    with mock.patch.object(reviews, "record", side_effect=MemoryError):  # after the lines, before the commit
        run()
    assert job().state == JobState.QUEUED
    assert not AccessLine.objects.exists()
    Job.objects.update(not_before=AT)
    run()
    assert AccessLine.objects.count() == 4


@pytest.mark.slow
def test_a_worker_killed_with_everybody_written_and_nothing_committed_doubles_and_loses_nobody(
    child_environment: dict[str, str], house: House, settings: Settings
) -> None:
    settings.QUEUE_RINGS = False
    review = house.begin()
    command = [sys.executable, "-m", access_review_to_kill.__name__, str(job().pk), str(house.id)]
    with subprocess.Popen(command, env=child_environment, stdin=-1, stdout=-1) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == b"here\n"
        assert not AccessLine.objects.exists()
        worker.kill()
    assert job().state == JobState.RUNNING  # until the lease ends
    queue.sweep(at=timezone.now() + timedelta(minutes=2))
    assert job().state == JobState.QUEUED
    Job.objects.update(not_before=AT)
    run()
    review.refresh_from_db()
    assert review.people == AccessLine.objects.count() == 4
    assert events(house) == ["requested", "begun"]


def test_a_worker_that_lost_its_lease_writes_nothing(house: House) -> None:
    review = house.begin()

    def lose(*args: object, **kwargs: object) -> None:
        Job.objects.filter(pk=job().pk).update(claim=uuid4())

    with mock.patch.object(reviews, "record", side_effect=lose):
        run()
    review.refresh_from_db()
    assert review.is_being_written


def test_nothing_is_decided_or_finished_before_the_list_is_there(house: House) -> None:
    review, by = house.begin(), make.actor(house.owner)
    with pytest.raises(UnableToDecide, match="still being written down"):
        decisions.attest(review=review, line_ids=None, by=by, at=AT)
    with pytest.raises(UnableToReview, match="still being written down"):
        reviews.finish(review=review, by=by, at=AT)
    with pytest.raises(IntegrityError, match="accessreview_written"), transaction.atomic():
        AccessReview.objects.update(finished_at=AT, finished_by=uuid4(), sha256="0" * 64)


def test_a_review_that_is_abandoned_meanwhile_is_not_written_down(house: House) -> None:
    review = house.begin()

    def abandon(*args: object, **kwargs: object) -> object:
        reviews.abandon(review=review, reason="Too early", by=make.actor(house.owner), at=AT)
        return facts(*args, **kwargs)

    facts = reviews.standing.facts
    with mock.patch.object(reviews.standing, "facts", side_effect=abandon):
        run()
    assert job().state == JobState.CANCELLED
    assert not AccessLine.objects.exists()
    assert house.begin().is_being_written


def test_what_the_queue_gives_up_ends_with_the_reason_and_another_can_begin(house: House) -> None:
    review = house.begin()
    with make.arranging():
        reviews.give_up(by=HOUSE, at=AT)
    review.refresh_from_db()
    assert review.is_open  # its job still waits
    Job.objects.update(attempts=4, not_before=AT - timedelta(hours=1))
    with mock.patch.object(reviews.standing, "facts", side_effect=OSError):
        run()
    assert job().state == JobState.DEAD
    for _ in range(2):
        with make.arranging():
            reviews.give_up(by=HOUSE, at=AT)
    review.refresh_from_db()
    assert review.reason.startswith("Everybody's access could not be written down. Something went wrong on our side.")
    assert events(house) == ["requested", "given_up"]
    assert house.begin().is_being_written


def test_a_small_account_waits_for_nobody(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "AT_ONCE", 4)
    house.knows(house.member.user.email, old="member", new="member")
    assert house.begin().people == 4
    assert not Job.objects.filter(task="accounts.tasks.write_down_access").exists()
    assert events(house) == ["begun"]
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_nestloop")
        assert cursor.fetchone() == ("on",)
