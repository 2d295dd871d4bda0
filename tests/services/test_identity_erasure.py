"""Names in the identity map go once the move needs them no more: ordered or due, never under a hold, attested."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from accounts.domain.identity_map.decisions import Kind
from accounts.models import LegacyPerson, NewPerson, PersonDecision
from accounts.queries import identity_map as queries
from accounts.services.identity_map import checkpoints, decisions, runs
from compliance import tasks, verifier
from compliance.domain.datasets import KEPT, Dataset
from compliance.models import Deletion
from compliance.queries import files
from compliance.queries import obligations as standing
from compliance.services import deletions
from compliance.services.deletions import UnableToDelete
from core import holds, queue, tenancy
from core.approvals import seals
from core.permissions import StaffRole
from cutover.models import Cutover
from tests import holding, make
from tests.fakes.people import FakePeople
from tests.mapped import AT, SIX, THERE, Airline, make_airline, prove
from tests.queueing import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def airline(settings: Settings) -> Iterator[Airline]:
    settings.ADAPTERS = {**settings.ADAPTERS, "people": {"BACKEND": "tests.fakes.people.FakePeople"}}
    settings.QUEUE_RINGS = False
    FakePeople.reset()
    made = make_airline()
    with make.arranging():
        Cutover.objects.create(tenant=made.owner.tenant, phase="done", phase_since=AT)
    with tenancy.scope(tenant_id=made.id):
        prove(made, "zz.example")
        made.tell(SIX, THERE)
        made.map()
        yield made
    FakePeople.reset()


def order(airline: Airline) -> Deletion:
    lead = make.staff_actor(make.staff(StaffRole.LEGAL_PRIVACY_LEAD))
    return deletions.order(tenant_id=airline.id, dataset=Dataset.PEOPLE, by=lead, at=now())


def test_names_are_erased_and_who_is_who_stays(airline: Airline) -> None:
    merged = airline.decide("5", Kind.MERGE, into="4")
    checkpoints.take(tenant_id=airline.id, reason="Ben asked", by=airline.by, at=AT)
    judged, former = airline.judged(), {row for row in airline.states() if row[0] != airline.legacy("4").pk}
    order(airline)
    with tenancy.empty_scope():
        queue.run_pending()
    (row,) = standing.attestations(tenant_id=airline.id)
    report = verifier.verify(files.attestation(row), server_key=seals.public_key())
    assert report.problems == []
    assert report.said["deleted"] == {
        "people of legacy": 6, "people of the new platform": 4, "reasons of decisions": 1, "reasons of checkpoints": 1,
    }  # fmt: skip
    assert not any(queries.named(tenant_id=airline.id).values())
    for model in (LegacyPerson, NewPerson):
        said = model.objects.filter(tenant_id=airline.id).values_list("name", "user_name", "email", "external_id")
        assert {text for texts in said for text in texts} == {""}
    assert PersonDecision.objects.get(tenant_id=airline.id).reason.startswith("Erased")
    assert airline.judged() == judged
    assert former <= airline.states()
    decisions.undo(decision=merged, by=airline.by, at=AT)
    assert airline.judged()["5"] == ("conflict", "user_name_twice", None)
    with pytest.raises(runs.UnableToMap, match="were erased"):
        airline.map()
    with pytest.raises(UnableToDelete, match="Nobody is named"):
        order(airline)


def test_names_stay_while_there_is_a_way_back_or_a_hold(airline: Airline) -> None:
    with make.arranging():
        Cutover.objects.filter(tenant_id=airline.id).update(phase="stabilise")
    with pytest.raises(UnableToDelete, match="a way back to legacy"):
        order(airline)
    with make.arranging():
        Cutover.objects.filter(tenant_id=airline.id).update(phase="done")
    holding.place(airline.id, days=9)
    with pytest.raises(holds.LegallyHeld):
        order(airline)
    with tenancy.empty_scope(), make.arranging():
        assert deletions.due_erasures(at=now() + timedelta(days=200)) == [airline.id]
        assert deletions.due_erasures(at=now()) == []
    assert any(queries.named(tenant_id=airline.id).values())


def test_a_quarter_after_the_move_names_are_erased_by_themselves(airline: Airline) -> None:
    later = AT + KEPT
    with tenancy.empty_scope(), make.arranging():
        assert deletions.due_erasures(at=later - timedelta(seconds=1)) == []
        assert deletions.due_erasures(at=later) == [airline.id]
    tasks.erase(tenant_id=airline.id, dataset="people", at=later)
    with tenancy.empty_scope():
        queue.run_pending()
    assert not any(queries.named(tenant_id=airline.id).values())
    with tenancy.empty_scope(), make.arranging():
        assert deletions.due_erasures(at=later) == []


def test_nothing_is_asked_for_an_account_without_a_map() -> None:
    tenant = make.tenant()
    with make.arranging():
        Cutover.objects.create(tenant=tenant, phase="done", phase_since=AT)
        assert deletions.due_erasures(at=AT + KEPT) == []
