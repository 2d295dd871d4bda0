"""The identity map: everybody is judged alike on any machine, nobody is merged undecided, and undoing is exact."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.domain.identity_map.decisions import Kind
from accounts.models import Domain, LegacyPerson, MapRun, PersonDecision
from accounts.readiness.people import people_mapped
from accounts.services.identity_map import decisions, runs
from accounts.services.identity_map.decisions import UnableToDecide
from core import ports, tenancy
from core.errors import PermissionRefused
from core.findings import Outcome
from core.models import Job
from core.people import Person
from core.permissions import TenantRole
from tests import make
from tests.fakes.people import FakePeople
from tests.identity_map import judge
from tests.mapped import AT, SIX, THERE, Airline, make_airline, person, prove

pytestmark = pytest.mark.django_db
MANY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


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


def test_each_person_ends_in_one_place(airline: Airline) -> None:
    airline.tell(SIX, THERE)
    run = airline.map()
    assert airline.judged() == {
        "1": ("mapped", "user_name", "n1"),
        "2": ("proposed", "address", "n2"),
        "3": ("placeholder", "nobody", None),
        "4": ("conflict", "user_name_twice", None),
        "5": ("conflict", "user_name_twice", None),
        "6": ("dropped", "inactive", None),
    }
    assert (run.state, run.legacy_read, sum(run.outcomes.values())) == ("done", 6, 6)


SHORT = st.sampled_from(["", "a", "b", "A", "c"])
ADDRESS = st.sampled_from(["", "a@zz.example", "b@zz.example", "A@zz.example", "a@other.example"])
SIDE = st.lists(
    st.builds(
        Person, key=st.just(""), external_id=st.sampled_from(["", "", "x", "y", "X"]), user_name=SHORT, email=ADDRESS,
        name=st.just("Somebody"), role=st.sampled_from(["viewer", "viewer", "account-owner"]),
        is_active=st.sampled_from([True, True, True, False]),
    ),
    max_size=6,
).map(lambda people: [Person(f"k{number}", *each[1:]) for number, each in enumerate(map(_fields, people))])  # fmt: skip


def _fields(one: Person) -> tuple[Any, ...]:
    return tuple(getattr(one, name) for name in Person.__slots__)


def test_of_two_with_one_address_neither_is_taken_for_the_one_that_is_meant(airline: Airline) -> None:
    """Whichever comes first by its id, which is as good as random."""
    there = [person(key, key, email="x@zz.example") for key in ("n1", "n2")]
    for held in ("n1", "n2"):
        airline.tell([person("1", held), person("2", email="x@zz.example")], there)
        airline.map()
        assert airline.judged() == {"1": ("mapped", "user_name", held), "2": ("conflict", "address_twice", None)}


@pytest.mark.slow
@MANY
@given(legacy=SIDE, new=SIDE)
def test_the_map_is_what_the_rules_say_each_time_and_loses_nobody(legacy: list[Person], new: list[Person]) -> None:
    made = make_airline()
    with make.arranging():
        Domain.objects.filter(name="zz.example").delete()
    with tenancy.scope(tenant_id=made.id):
        prove(made, "zz.example")
        made.tell(legacy, new)
        run = made.map()
        assert run.state == "done", run.problem
        first = made.judged()
        assert first == judge(legacy, new, proven={"zz.example"})
        assert not {"merged", "split"} & {outcome for outcome, _, _ in first.values()}
        states = made.states()
        made.tell(list(reversed(legacy)), list(reversed(new)))
        made.map()
        assert made.states() == states
        connection.check_constraints()


KINDS = st.sampled_from([Kind.ACCEPT, Kind.MAP, Kind.APART, Kind.MERGE, Kind.SPLIT, Kind.DROP])
STEPS = st.lists(st.tuples(KINDS, st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)), max_size=6)


@pytest.mark.slow
@MANY
@given(legacy=SIDE, new=SIDE, steps=STEPS)
def test_undoing_decisions_restores_exactly_what_was_before_each(
    legacy: list[Person], new: list[Person], steps: list[tuple[Kind, int, int, int]]
) -> None:
    made = make_airline()
    with make.arranging():
        Domain.objects.filter(name="zz.example").delete()
    with tenancy.scope(tenant_id=made.id):
        prove(made, "zz.example")
        made.tell(legacy, new)
        made.map()
        keys, others = [each.key for each in legacy], [each.key for each in new]
        done: list[tuple[PersonDecision, set[tuple[Any, ...]]]] = []
        for kind, who, one, two in steps:
            before = made.states()
            chosen = [
                others[each] for each in {Kind.MAP: (one,), Kind.SPLIT: (one, two)}.get(kind, ()) if each < len(others)
            ]
            if who >= len(keys) or (kind is Kind.MERGE and one >= len(keys)):
                continue
            try:
                made_one = made.decide(keys[who], kind, *chosen, into=keys[one] if kind is Kind.MERGE else "")
                if made_one.state == PersonDecision.State.WAITING:
                    assert made.states() == before
                    decisions.agree(decision=made_one, by=made.by_owner, at=AT)
            except UnableToDecide:
                assert made.states() == before
            else:
                done.append((made_one, before))
        merged = LegacyPerson.objects.filter(tenant_id=made.id, outcome__in=["merged", "split"])
        assert not merged.filter(decision=None).exists()
        connection.check_constraints()
        for made_one, before in reversed(done):
            decisions.undo(decision=made_one, by=made.by_owner, at=AT)
            assert made.states() == before
            connection.check_constraints()


def test_the_database_merges_nobody_without_a_decision(airline: Airline) -> None:
    airline.tell(SIX, THERE)
    airline.map()
    rows = LegacyPerson.objects.filter(pk=airline.legacy("4").pk)
    for change in ({"outcome": "merged", "person_id": airline.legacy("5").pk}, {"outcome": "split"}):
        with pytest.raises(IntegrityError, match="accounts_legacyperson_decided"), transaction.atomic():
            rows.update(**change)
    with pytest.raises(IntegrityError, match="accounts_legacyperson_one_new"), transaction.atomic():
        rows.update(outcome="mapped", new_id=airline.new("n1").pk)
        connection.check_constraints()


def test_the_database_closes_no_run_over_somebody_without_an_outcome(airline: Airline) -> None:
    airline.tell(SIX, THERE)
    run = airline.map()
    LegacyPerson.objects.filter(pk=airline.legacy("1").pk).update(outcome="pending")
    with pytest.raises(IntegrityError, match="not conserved"), transaction.atomic():
        MapRun.objects.filter(pk=run.pk).update(problem="x")
        connection.check_constraints()


def test_who_may_not_map_people_is_refused(airline: Airline) -> None:
    auditor = make.actor(make.member(airline.owner.tenant, TenantRole.AUDITOR))
    with pytest.raises(PermissionRefused):
        runs.request(tenant_id=airline.id, by=auditor, at=AT)


def test_a_run_goes_on_where_a_platform_stopped_answering(
    airline: Airline, people: type[FakePeople], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "BATCH", 2)
    airline.tell(SIX, THERE)
    people.answers = 4
    with pytest.raises(ports.Unavailable):
        airline.map()
    run = MapRun.objects.get(tenant_id=airline.id)
    assert (run.state, run.is_new_read, run.legacy_read) == ("running", True, 2)
    people.answers, people.asked = None, 0
    assert airline.map().pk == run.pk
    run.refresh_from_db()
    assert (run.state, run.legacy_read, people.asked) == ("done", 6, 3)


@pytest.mark.parametrize("wrong", [[person("1"), person("1")], [person("")], [person("k" * 256)], [person("a\0b")]])
def test_people_who_cannot_be_told_apart_fail_the_run_and_say_so(airline: Airline, wrong: list[Person]) -> None:
    airline.tell(wrong, [])
    run = airline.map()
    assert run.state == "failed"
    assert run.problem
    assert people_mapped(tenant_id=airline.id, at=AT).summary == run.problem


def test_hostile_texts_are_kept_within_bounds(airline: Airline) -> None:
    odd = person("1", "x" * 5000, email="a b@zz.example", name="n\0" * 300, role="r" * 500, external_id="\u202e")
    airline.tell([odd, person("=2+3", "'; DROP TABLE", email="a@b@zz.example")], [])
    assert airline.map().state == "done"
    row = airline.legacy("1")
    assert (row.user_name, row.email, row.external_id, len(row.name), len(row.role)) == ("", "", "", 200, 100)


def test_who_left_legacy_is_left_behind_by_name(airline: Airline) -> None:
    airline.tell(SIX, THERE)
    airline.map()
    airline.tell(SIX[1:], THERE)
    airline.map()
    assert airline.judged()["1"] == ("dropped", "gone", None)
    airline.tell(SIX, THERE)
    airline.map()
    assert airline.judged()["1"] == ("mapped", "user_name", "n1")


def test_the_check_blocks_on_conflicts_and_warns_of_proposals(airline: Airline) -> None:
    def answer() -> Outcome:
        return people_mapped(tenant_id=airline.id, at=timezone.now()).outcome

    assert answer() is Outcome.BLOCK
    airline.tell(SIX, THERE)
    airline.map()
    assert answer() is Outcome.BLOCK
    airline.decide("5", Kind.MERGE, into="4")
    assert answer() is Outcome.WARN
    airline.decide("2", Kind.ACCEPT)
    assert answer() is Outcome.PASS
    airline.tell(SIX, [each for each in THERE if each.key != "n2"])
    airline.map()
    assert answer() is Outcome.BLOCK, "who was confirmed is gone on the new platform"


def test_a_run_without_a_job_is_taken_up_and_one_given_up_ends(airline: Airline, people: type[FakePeople]) -> None:
    airline.tell(SIX, THERE)
    run = runs.request(tenant_id=airline.id, by=airline.by, at=AT)
    Job.objects.filter(tenant_id=airline.id).delete()
    with tenancy.empty_scope(), make.arranging():
        runs.take_up(by=make.SYSTEM, at=AT)
    job = Job.objects.get(tenant_id=airline.id, task=runs.TASK)
    Job.objects.filter(pk=job.pk).update(state="dead", finished_at=AT, problem="The platform does not answer.")
    with tenancy.empty_scope(), make.arranging():
        runs.take_up(by=make.SYSTEM, at=AT)
    run.refresh_from_db()
    assert (run.state, run.problem) == ("failed", "The platform does not answer.")
