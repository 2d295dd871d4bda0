"""The exception registry: asked for with its controls, approved by somebody else, ending by itself."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from core import readiness
from core.errors import PermissionRefused
from core.models import RecordedFinding
from core.permissions import StaffRole
from runbooks.models import PolicyException
from runbooks.services import exceptions
from tests import make

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant():
    return make.tenant()


@pytest.fixture
def asker():
    return make.staff_actor(make.staff(StaffRole.CS, StaffRole.STEERING_GROUP))


@pytest.fixture
def approver():
    return make.staff_actor(make.staff(StaffRole.STEERING_GROUP))


def ask(tenant, by, **changes):
    wanted = {
        "check_id": "runbooks.steps_signed",
        "reason": "The GameDay moved to next week.",
        "compensating_controls": "An engineer is on call during the canary.",
        "owner_id": by.id,
        "expires_at": AT + timedelta(days=7),
    }
    return exceptions.request(tenant_id=tenant.pk, by=by, at=AT, **{**wanted, **changes})


def test_somebody_else_approves(tenant, asker, approver):
    with make.arranging():
        row = exceptions.approve(exception=ask(tenant, asker), by=approver, at=AT)
    assert row.approved_by_id == approver.id


def test_nobody_approves_their_own_request(tenant, asker):
    with make.arranging():
        row = ask(tenant, asker)
        with pytest.raises(exceptions.UnableToDecide, match="Nobody approves their own request"):
            exceptions.approve(exception=row, by=asker, at=AT)
        with pytest.raises(IntegrityError), transaction.atomic():  # and the database says so too
            PolicyException.objects.filter(pk=row.pk).update(approved_at=AT, approved_by_id=asker.id)


def test_an_exception_decided_by_another_is_not_decided_again(tenant, asker, approver):
    second = make.staff_actor(make.staff(StaffRole.STEERING_GROUP))
    with make.arranging():
        row = ask(tenant, asker)
        exceptions.refuse(exception=row, by=second, at=AT)
        with pytest.raises(exceptions.UnableToDecide, match="Somebody else has decided"):
            exceptions.approve(exception=row, by=approver, at=AT)


@pytest.fixture
def blocked(tenant):
    """A check that blocks on two things, of which one grows."""
    with make.arranging():
        names = {"check_id": "runbooks.steps_signed", "outcome": "block", "summary": "Two things."}
        RecordedFinding.objects.create(
            tenant=tenant, **names, items={"one": "2026-11-20", "two": "2026-11-21"}, evaluation_id=uuid4(),
            evaluated_at=AT, evaluated_by=uuid4(), expires_at=AT + timedelta(days=30),
        )  # fmt: skip

    def grow():
        with make.arranging():
            RecordedFinding.objects.update(items={"one": "2026-11-20", "two": "2026-11-22"})

    return grow


def standing(tenant):
    with make.arranging():
        found = readiness.overview(tenant_id=tenant.pk, at=AT)
    return next(line.standing for line in found if line.check_id == "runbooks.steps_signed")


@pytest.mark.parametrize(("only", "stands"), [((), "covered"), (("one", "two"), "covered"), (("one",), "blocked")])
def test_it_covers_what_the_check_named_when_it_was_asked_for(tenant, blocked, asker, approver, only, stands):
    with make.arranging():
        exceptions.approve(exception=ask(tenant, asker, only=only), by=approver, at=AT)
    assert standing(tenant) == stands
    blocked()
    assert standing(tenant) == "blocked", "what came later was never agreed to"


def test_it_names_nothing_that_the_check_does_not(tenant, blocked, asker):
    with make.arranging(), pytest.raises(exceptions.UnableToRequest, match="does not block on “three”") as refused:
        ask(tenant, asker, only=["one", "three"])
    assert refused.value.fix == "It blocks on: one, two."


def test_an_expired_request_cannot_be_approved(tenant, asker, approver):
    with make.arranging():
        row = ask(tenant, asker, expires_at=AT + timedelta(hours=1))
        with pytest.raises(exceptions.UnableToDecide, match="expired"):
            exceptions.approve(exception=row, by=approver, at=AT + timedelta(hours=1))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"check_id": "no.such_check"}, "There is no check “no.such_check”"),
        ({"reason": "  "}, "needs its reason and its compensating controls"),
        ({"compensating_controls": ""}, "needs its reason and its compensating controls"),
        ({"expires_at": AT}, "must lie in the future"),
        ({"expires_at": AT + timedelta(days=31)}, "at most 30 days"),
    ],
)
def test_a_request_that_lacks_something_says_what(tenant, asker, changes, said):
    with make.arranging(), pytest.raises(exceptions.UnableToRequest, match=said):
        ask(tenant, asker, **changes)


def test_support_may_neither_ask_nor_approve(tenant, asker):
    support = make.staff_actor(make.staff(StaffRole.SUPPORT))
    with make.arranging():
        with pytest.raises(PermissionRefused):
            ask(tenant, support)
        row = ask(tenant, asker)
        with pytest.raises(PermissionRefused):
            exceptions.approve(exception=row, by=support, at=AT)
