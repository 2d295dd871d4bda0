"""The pages of the identity map: counts first, how each account came to be, and decisions by form and by file."""

from collections.abc import Callable, Iterator
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import LinkCheckpoint
from core import tenancy
from tests.fakes.people import FakePeople
from tests.mapped import SIX, THERE, Airline, make_airline, prove

pytestmark = pytest.mark.django_db


@pytest.fixture
def airline(settings: Settings) -> Iterator[Airline]:
    settings.ADAPTERS = {**settings.ADAPTERS, "people": {"BACKEND": "tests.fakes.people.FakePeople"}}
    settings.QUEUE_RINGS = False
    FakePeople.reset()
    made = make_airline()
    with tenancy.scope(tenant_id=made.id):
        prove(made, "zz.example")
        made.tell(SIX, THERE)
        made.map()
    yield made
    FakePeople.reset()


@pytest.fixture
def page(airline: Airline, client: Client) -> Callable[..., str]:
    client.force_login(airline.admin.user)

    def ask(name: str, *ids: object, status: int = 200, post: dict[str, object] | None = None, query: str = "") -> str:
        address = reverse(f"accounts:{name}", args=[airline.owner.tenant.slug, *ids]) + query
        response: HttpResponse = client.get(address) if post is None else client.post(address, post, follow=True)
        assert response.status_code == status, response.content[:2000]
        return " ".join(unescape(response.content.decode()).split())

    return ask


def key(airline: Airline, name: str) -> object:
    with tenancy.scope(tenant_id=airline.id):
        return airline.legacy(name).pk


def test_counts_come_first_and_conflicts_are_listed_before_all(page: Callable[..., str]) -> None:
    text = page("people")
    assert "Conflicts (2)" in text
    assert "Several people of legacy have one user name" in text
    assert ">ada<" not in text
    assert ">ada<" in page("people", query="?outcome=mapped")


def test_the_page_follows_a_mapping_until_it_has_ended(
    page: Callable[..., str], airline: Airline, client: Client
) -> None:
    asking = 'hx-trigger="every 2s"'
    assert asking not in page("people")
    assert asking in page("map_people", post={})
    with tenancy.scope(tenant_id=airline.id):
        airline.map()
    address = reverse("accounts:people", args=[airline.owner.tenant.slug])
    part = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert (asking in part, "people of legacy are mapped" in part, "<html" in part) == (False, True, False)


def test_search_is_posted_so_that_no_address_names_a_person(page: Callable[..., str]) -> None:
    assert ">cleo<" in page("people", post={"words": "CLEO@zz"})
    assert "Nobody has such a name" in page("people", post={"words": "%_\0"})
    assert "Nobody has such a name" not in page("people", query="?words=nobody")


def test_a_persons_page_says_how_the_account_came_to_be_and_takes_a_decision(
    page: Callable[..., str], airline: Airline
) -> None:
    ben = key(airline, "2")
    assert "Confirm that they are one person" in page("person", ben)
    assert "Say why" in page("decide_person", ben, post={"kind": "accept"}, status=422)
    text = page("decide_person", ben, post={"kind": "accept", "reason": "Asked <b>him</b>"})
    assert "“Asked <b>him</b>”" in text
    assert "To confirm → Mapped (benny)" in text
    assert f"{airline.admin.user}, " in text
    text = page("people_decisions")
    assert f"{airline.admin.user}, " in text
    assert "Confirm the proposal" in text


def test_who_was_chosen_and_is_gone_since_is_listed_first(page: Callable[..., str], airline: Airline) -> None:
    ben = key(airline, "2")
    page("decide_person", ben, post={"kind": "accept", "reason": "Asked him"})
    assert "Decide again" not in page("people")
    with tenancy.scope(tenant_id=airline.id):
        airline.tell(SIX, [each for each in THERE if each.key != "n2"])
        airline.map()
    assert "Gone there" in page("people")
    assert "Decide again" in page("person", ben)


@pytest.mark.parametrize("sent", [{"kind": "bury"}, {"kind": "map", "new": "x"}, {"kind": "merge"}, {}])
def test_a_broken_form_is_refused_with_what_to_do(
    page: Callable[..., str], airline: Airline, sent: dict[str, str]
) -> None:
    page("decide_person", key(airline, "3"), post={**sent, "reason": "r"}, status=422)


def test_somebody_not_shown_is_found_and_chosen(page: Callable[..., str], airline: Airline) -> None:
    cleo = key(airline, "3")
    assert "fritz" not in page("person", cleo)
    text = page("decide_person", cleo, post={"find": "1", "words": "Fritz"})
    assert "fritz" in text


def test_a_wrong_file_is_told_line_by_line(page: Callable[..., str]) -> None:
    content = b"guid,state,decision,target\nx,y,bury,\n"
    text = page("upload_people", post={"file": SimpleUploadedFile("p.csv", content), "reason": "r"}, status=422)
    assert "“bury” is no decision." in text
    assert "Choose a CSV file" in page("upload_people", post={"reason": "r"}, status=422)


def test_a_checkpoint_is_taken_and_restoring_waits_for_a_colleague(page: Callable[..., str], airline: Airline) -> None:
    page("take_checkpoint", post={"reason": "Before the merges"})
    page("decide_person", key(airline, "3"), post={"kind": "drop", "reason": "Left"})
    text = page("tenant_link")
    assert "1 stands otherwise now" in text
    with tenancy.scope(tenant_id=airline.id):
        taken = LinkCheckpoint.objects.get(tenant_id=airline.id).pk
    text = page("restore_checkpoint", taken, post={"reason": "Too early"})
    assert "Waits for a second person" in text
    assert "Left behind → Placeholder" in text
    assert "Take back" in text
