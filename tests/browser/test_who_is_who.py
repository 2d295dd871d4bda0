"""Who is who in a real browser: a thousand people, and what the keyboard does."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from pytest_django import Settings

from accounts.domain.identity_map.decisions import Kind
from core import tenancy
from tests.browsing import Visits, check_page
from tests.fakes.people import FakePeople
from tests.mapped import SIX, THERE, Airline, make_airline, person, prove


@pytest.fixture
def airline(committed_db: None, settings: Settings) -> Iterator[Airline]:
    settings.ADAPTERS = {**settings.ADAPTERS, "people": {"BACKEND": "tests.fakes.people.FakePeople"}}
    settings.QUEUE_RINGS = False
    FakePeople.reset()
    made = make_airline()
    with tenancy.scope(tenant_id=made.id):
        prove(made, "zz.example")
        made.tell([*SIX, *(person(f"{n}", f"some.body.{n}", name=f"Some Body {n}") for n in range(100, 1094))], THERE)
        made.map()
    yield made
    FakePeople.reset()


@pytest.mark.slow
def test_enter_in_the_reason_decides_and_enter_in_the_search_finds(visit: Visits, airline: Airline) -> None:
    with tenancy.scope(tenant_id=airline.id):
        ben = airline.legacy("2").pk
        for number in range(52):
            airline.decide(str(100 + number), Kind.DROP)
        first = airline.decide("3", Kind.DROP)
        airline.decide("3", Kind.APART)
    at = f"/t/{airline.owner.tenant.slug}/people"
    page = visit(f"{at}/?outcome=placeholder", by=airline.owner.user)
    check_page(page)
    page.goto(page.url.replace("?outcome=placeholder", f"{ben}/"))
    page.get_by_label("Look for somebody else").fill("fritz")
    page.get_by_label("Look for somebody else").press("Enter")
    expect(page.get_by_label(re.compile("^fritz"))).to_be_visible()
    check_page(page)
    page.get_by_label("Why", exact=True).fill("Asked him")
    page.get_by_label("Why", exact=True).press("Enter")
    expect(page.get_by_text("It can be undone.").first).to_be_visible()
    expect(page.get_by_text("“Asked him”")).to_be_visible()
    page.goto(re.sub(r"/people/.*", "/people/decisions/", page.url))
    row = page.locator(f"form[action*='{first.pk}']")
    row.get_by_role("button").first.click()
    page.get_by_role("button", name="Undo", exact=True).last.click()
    expect(page.get_by_text("A later decision changed")).to_be_visible()
    page.get_by_role("link", name="Page 2").click()
    expect(page.get_by_role("heading", name="Decisions about people")).to_be_visible()
    check_page(page, expected_status=422)
