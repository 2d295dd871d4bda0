"""Members whom the directory knows are people of the new platform to be: SAML, SCIM and the map share one key."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import Settings

from accounts.domain.directory import Key
from accounts.domain.identity_map.decisions import Kind
from accounts.models import Member, NewPerson
from accounts.models.identities import Source
from accounts.queries.access import standing
from accounts.services import identity_links, members
from accounts.services.identity_map import decisions
from core import tenancy
from core.permissions import TenantRole
from tests import make
from tests.fakes.people import FakePeople
from tests.mapped import AT, Airline, make_airline, person, prove

pytestmark = pytest.mark.django_db


@pytest.fixture
def airline(settings: Settings) -> Iterator[Airline]:
    settings.ADAPTERS = {**settings.ADAPTERS, "people": {"BACKEND": "tests.fakes.people.FakePeople"}}
    settings.QUEUE_RINGS = False
    FakePeople.reset()
    made = make_airline()
    with tenancy.scope(tenant_id=made.id):
        prove(made, "zz.example")
        yield made
    FakePeople.reset()


def came(airline: Airline, *, external_id: str = "", user_name: str = "", email: str | None = None) -> Member:
    """Let somebody be provisioned."""
    member = make.member(airline.owner.tenant, TenantRole.MEMBER, person=make.user("Mia", email=email))
    key = Key(external_id, user_name)
    with transaction.atomic():
        identity_links.link(member=member, key=key, source=Source.PROVISIONING, by=make.SYSTEM, at=AT)
    return member


def test_whom_the_directory_made_a_member_is_found_by_id_name_and_address(airline: Airline) -> None:
    by_id = came(airline, external_id="x1")
    by_name = came(airline, user_name="ben", external_id="x2")
    by_address = came(airline, user_name="else", email="cleo@zz.example")
    came(airline, user_name="dora", email="dora@other.example")
    legacy = [
        person("1", "whoever", external_id="x1"),
        person("2", "BEN"),
        person("3", "cleo", email="Cleo@zz.example"),
        person("4", "d", email="dora@other.example"),
        person("5", "ben2", external_id="X1"),
    ]
    airline.tell(legacy, [])
    run = airline.map()
    assert airline.judged() == {
        "1": ("mapped", "external_id", f"member:{by_id.pk}"),
        "2": ("mapped", "user_name", f"member:{by_name.pk}"),
        "3": ("proposed", "address", f"member:{by_address.pk}"),
        "4": ("placeholder", "domain_not_proven", None),
        "5": ("placeholder", "nobody", None),
    }
    assert (run.state, run.members_read, run.new_read, sum(run.outcomes.values())) == ("done", 4, 0, 5)
    before = airline.states()
    accepted = airline.decide("3", Kind.ACCEPT)
    decisions.agree(decision=accepted, by=airline.by_owner, at=AT)  # nobody knows their role on the new platform
    assert airline.judged()["3"] == ("mapped", "decided", f"member:{by_address.pk}")
    decisions.undo(decision=accepted, by=airline.by_owner, at=AT)
    assert airline.states() == before
    airline.map()
    assert airline.states() == before


def test_whom_the_new_platform_tells_of_too_does_not_come_twice(airline: Airline) -> None:
    mia = came(airline, external_id="x1", user_name="mia")
    noa = came(airline, user_name="noa", external_id="x2", email="noa@zz.example")
    told = [person("1", "mia"), person("2", "noah", email="noa@zz.example")]
    airline.tell(told, [])
    airline.map()
    assert airline.judged()["1"] == ("mapped", "user_name", f"member:{mia.pk}")
    airline.tell(told, [person("n1", "m", external_id="x1"), person("n2", "n", email="noa@zz.example")])
    airline.map()
    assert airline.judged() == {"1": ("placeholder", "nobody", None), "2": ("proposed", "address", "n2")}
    there = NewPerson.objects.filter(tenant_id=airline.id, gone_at=None).values_list("key", flat=True)
    assert set(there) == {"n1", "n2", f"member:{noa.pk}"}


def test_a_member_put_out_is_nobody_to_map_to(airline: Airline) -> None:
    member = came(airline, user_name="mia")
    with transaction.atomic():
        members.deactivate(member=member, by=airline.by_owner, at=AT, durable=False)
    airline.tell([person("1", "mia")], [])
    airline.map()
    assert airline.judged()["1"] == ("placeholder", "nobody", None)


def test_whom_the_platform_calls_by_a_members_key_fails_the_run_in_plain_words(airline: Airline) -> None:
    mia = came(airline, external_id="x1")
    airline.tell([person("1", "ada")], [person(f"member:{mia.pk}", "ada")])
    run = airline.map()
    assert (run.state, "by a member's key" in run.problem) == ("failed", True)
    assert str(mia.pk) not in run.problem
    with make.arranging():
        stranger = make.member(make.tenant())
    for key in ("n1", f"member:{stranger.pk}", "member:7"):  # of nobody here, these are keys like any other
        airline.tell([person("1", "ada")], [person(key, "ada")])
        assert (airline.map().state, airline.judged()["1"]) == ("done", ("mapped", "user_name", key))


def test_a_review_of_access_shows_whom_the_map_found_as_the_member(airline: Airline) -> None:
    member = came(airline, external_id="x1", email="mia@zz.example")
    airline.tell([person("1", "other", external_id="x1")], [])
    airline.map()
    (mia,) = [one for one in standing.everybody(tenant_id=airline.id) if one.legacy_id]
    assert (mia.member_id, mia.new_id, mia.standing.platform_role) == (member.pk, None, "")
