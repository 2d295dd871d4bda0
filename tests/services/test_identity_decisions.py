"""Decisions about people: agreed to by a second person where it matters, undone exactly, restored from checkpoints."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.domain.identity_map.decisions import Kind
from accounts.models import CheckpointPerson, PersonDecision
from accounts.queries import identity_map as queries
from accounts.services.identity_map import checkpoints, decisions
from accounts.services.identity_map.decisions import UnableToDecide, UnableToUndo
from core import tenancy, tokens
from core.actor import Actor
from core.permissions import TenantRole
from tests import make
from tests.fakes.people import FakePeople
from tests.mapped import AT, SIX, THERE, Airline, make_airline, person, prove

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def people(settings: Settings) -> Iterator[type[FakePeople]]:
    settings.ADAPTERS = {**settings.ADAPTERS, "people": {"BACKEND": "tests.fakes.people.FakePeople"}}
    settings.QUEUE_RINGS = False
    FakePeople.reset()
    yield FakePeople
    FakePeople.reset()


@pytest.fixture
def airline() -> Iterator[Airline]:
    made = make_airline()
    with tenancy.scope(tenant_id=made.id):
        prove(made, "zz.example")
        yield made


def test_a_merge_stands_for_both_and_outlives_a_mapping(airline: Airline) -> None:
    airline.tell(SIX, [*THERE, person("n5", "dora")])
    airline.map()
    before = airline.states()
    made = airline.decide("5", Kind.MERGE, into="4")
    assert airline.judged()["5"] == ("merged", "decided", None)
    assert airline.judged()["4"] == ("mapped", "decided", "n5")
    assert airline.legacy("5").person_id == airline.legacy("4").pk
    airline.map()
    assert airline.judged()["5"] == ("merged", "decided", None)
    with pytest.raises(UnableToDecide, match="merged into this one"):
        airline.decide("4", Kind.DROP)
    decisions.undo(decision=made, by=airline.by, at=AT)
    assert airline.states() == before


def test_nobody_is_merged_with_somebody_left_behind(airline: Airline) -> None:
    airline.tell(SIX, THERE)
    airline.map()
    airline.decide("3", Kind.DROP)
    with pytest.raises(UnableToDecide, match="The other person is left behind"):
        airline.decide("4", Kind.MERGE, into="3")


def test_a_split_gives_each_an_id_of_their_own(airline: Airline) -> None:
    airline.tell(SIX, THERE)
    airline.map()
    airline.decide("3", Kind.SPLIT, "n3", "n4")
    row = airline.legacy("3")
    parts = list(queries.parts(row))
    assert {part.new.key for part in parts} == {"n3", "n4"}
    assert len({row.pk, *(part.guid for part in parts)}) == 3
    with pytest.raises(UnableToDecide, match="Somebody else of legacy is mapped"):
        airline.decide("4", Kind.MAP, "n4")


def test_a_later_decision_is_undone_first(airline: Airline) -> None:
    airline.tell(SIX, THERE)
    airline.map()
    first = airline.decide("3", Kind.MAP, "n3")
    second = airline.decide("3", Kind.APART)
    with pytest.raises(UnableToUndo, match="A later decision"):
        decisions.undo(decision=first, by=airline.by, at=AT)
    decisions.undo(decision=second, by=airline.by, at=AT)
    decisions.undo(decision=first, by=airline.by, at=AT)
    assert airline.judged()["3"] == ("placeholder", "nobody", None)


def test_what_was_undone_cannot_be_had_once_another_has_it(airline: Airline) -> None:
    airline.tell(SIX, THERE)
    airline.map()
    airline.decide("1", Kind.APART)
    apart = PersonDecision.objects.get(tenant_id=airline.id)
    airline.decide("3", Kind.MAP, "n1")
    with pytest.raises(UnableToUndo, match="Somebody else"):
        decisions.undo(decision=apart, by=airline.by, at=AT)


@pytest.mark.parametrize(
    ("told", "other", "why"),
    [
        ({"is_owner": True, "role": "account-owner"}, {"is_owner": True, "role": "account-owner"}, "owner"),
        ({"role": "viewer"}, {"role": "administrator"}, "different roles"),
    ],
)
def test_a_second_person_agrees_where_an_owner_or_a_role_is_at_stake(
    airline: Airline, told: dict[str, Any], other: dict[str, Any], why: str
) -> None:
    airline.tell([person("1", "ada", **told)], [person("n1", "grace", **other)])
    airline.map()
    asked = airline.decide("1", Kind.MAP, "n1")
    assert (asked.state, airline.judged()["1"][0]) == ("waiting", "placeholder")
    assert why in asked.second_person
    with pytest.raises(UnableToDecide, match="Somebody else has to agree"):
        decisions.agree(decision=asked, by=airline.by, at=AT)
    colleague = make.actor(make.member(airline.owner.tenant, TenantRole.ADMIN))
    if why == "owner":
        with pytest.raises(UnableToDecide, match="an owner has to do this"):
            decisions.agree(decision=asked, by=colleague, at=AT)
    with pytest.raises(UnableToDecide, match="not a token"):
        token = Actor.token(token_id=UUID(int=1), tenant_id=airline.id, grants=set(colleague.grants))
        decisions.agree(decision=asked, by=token, at=AT)
    decisions.agree(decision=asked, by=airline.by_owner, at=AT)
    assert airline.judged()["1"] == ("mapped", "decided", "n1")


def test_a_checkpoint_is_restored_and_the_restoring_undone(airline: Airline) -> None:
    airline.tell(SIX, THERE)
    airline.map()
    airline.decide("3", Kind.SPLIT, "n3", "n4")
    at_checkpoint = airline.judged()
    taken = checkpoints.take(tenant_id=airline.id, reason="Before the merges", by=airline.by, at=AT)
    split = PersonDecision.objects.get(tenant_id=airline.id)
    decisions.undo(decision=split, by=airline.by, at=AT)
    airline.decide("5", Kind.MERGE, into="4")
    airline.decide("2", Kind.ACCEPT)
    later = airline.states()
    asked = checkpoints.restore(checkpoint=taken, reason="Wrong list", by=airline.by, at=AT)
    assert airline.states() == later
    decisions.agree(decision=asked, by=airline.by_owner, at=AT)
    assert airline.judged() == at_checkpoint
    assert {part.new.key for part in queries.parts(airline.legacy("3"))} == {"n3", "n4"}
    differing = checkpoints.differing(tenant_id=airline.id, checkpoints=[taken])
    assert differing == {taken.pk: 1}, "the split is the same, but another decision's"
    decisions.undo(decision=asked, by=airline.by_owner, at=AT)
    assert airline.states() == later


def test_the_newest_checkpoints_are_kept(airline: Airline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "MOST", 2)
    airline.tell(SIX, THERE)
    airline.map()
    for reason in ("one", "two", "three"):
        checkpoints.take(tenant_id=airline.id, reason=reason, by=airline.by, at=AT)
    assert [row.number for row in queries.checkpoints(tenant_id=airline.id)] == [3, 2]
    assert CheckpointPerson.objects.filter(tenant_id=airline.id).count() == 2 * len(SIX)


def test_a_token_of_ones_own_is_no_second_person(airline: Airline) -> None:
    owner = {"is_owner": True, "role": "account-owner"}
    airline.tell([person("1", "ada", **owner)], [person("n1", "grace", **owner)])
    airline.map()
    token, _ = tokens.issue(
        tenant_id=airline.id, name="Tool", scopes=["people:write"], expires_at=AT + timedelta(days=1),
        by=airline.by_owner, at=AT,
    )  # fmt: skip
    bearer = Actor.token(token_id=token.pk, tenant_id=airline.id, grants=set(airline.by_owner.grants), role="owner")
    asked = airline.decide("1", Kind.MAP, "n1", by=bearer)
    with pytest.raises(UnableToDecide, match="Somebody else has to agree"):
        decisions.agree(decision=asked, by=airline.by_owner, at=AT)
    other = make.actor(make.member(airline.owner.tenant, TenantRole.OWNER))
    assert decisions.agree(decision=asked, by=other, at=AT).state == "standing"


def test_nobody_stays_merged_into_one_who_stands_for_nobody(airline: Airline) -> None:
    airline.tell(SIX, THERE)
    airline.map()
    mapped = airline.decide("6", Kind.MAP, "n4")
    merge = airline.decide("3", Kind.MERGE, into="6")
    with pytest.raises(UnableToUndo, match="merged into"):
        decisions.undo(decision=mapped, by=airline.by, at=AT)
    decisions.undo(decision=merge, by=airline.by, at=AT)
    decisions.undo(decision=mapped, by=airline.by, at=AT)
    assert airline.judged()["6"] == ("dropped", "inactive", None)


def test_a_checkpoint_is_not_restored_over_who_came_since_and_was_merged(airline: Airline) -> None:
    airline.tell(SIX, THERE)
    airline.map()
    merge = airline.decide("3", Kind.MERGE, into="4")
    taken = checkpoints.take(tenant_id=airline.id, reason="Merged", by=airline.by, at=AT)
    decisions.undo(decision=merge, by=airline.by, at=AT)
    airline.tell([*SIX, person("7", "late")], THERE)
    airline.map()
    late = airline.decide("7", Kind.MERGE, into="3")
    asked = checkpoints.restore(checkpoint=taken, reason="Back", by=airline.by, at=AT)
    with pytest.raises(UnableToDecide, match="merged into"):
        decisions.agree(decision=asked, by=airline.by_owner, at=AT)
    decisions.undo(decision=late, by=airline.by, at=AT)
    decisions.agree(decision=asked, by=airline.by_owner, at=AT)
    assert airline.judged()["3"] == ("merged", "decided", None)
