"""What changed, on its pages: one's own first, searchable without a script, and old bookmarks lead on."""

import html
import logging
import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from core.permissions import TenantRole
from parity_reports.apps import catalogue_is_readable
from tests import make
from tests.changes import GUIDE, WORKFLOWS

pytestmark = pytest.mark.django_db
PAGE = "/t/zebra/what-changed/"


def text(response) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


@pytest.fixture
def tenant():
    return make.tenant("Zebra Air", slug="zebra", segment="national")


@pytest.fixture
def member(tenant, client: Client) -> Client:
    client.force_login(make.member(tenant, TenantRole.MEMBER).user)
    return client


@pytest.fixture
def declared(settings: Settings, tmp_path: Path) -> Path:
    """A catalogue of the test's own: one workflow that changed, one that is planned, one guide."""
    (tmp_path / "flights.yaml").write_text(WORKFLOWS)
    (tmp_path / "delays.md").write_text(GUIDE)
    settings.WORKFLOWS_FOLDER = settings.GUIDES_FOLDER = str(tmp_path)
    return tmp_path


def test_a_member_sees_what_members_do_and_may_see_all(member: Client) -> None:
    shown = text(member.get(PAGE))
    assert "Log a delay and its cause" in shown
    assert "Delays, cancellations and diversions" in shown
    assert "Load a season's schedule" not in shown
    assert "People, roles and tokens" not in shown
    assert re.search(r"You see what concerns members\. Show \d+ more", shown)
    every = text(member.get(f"{PAGE}?all=1"))
    assert "Load a season's schedule" in every
    assert "People, roles and tokens" in every


def test_what_other_segments_do_is_shown_to_nobody_here(member: Client) -> None:
    shown = text(member.get(f"{PAGE}?all=1"))
    assert "Request or move an airport slot" not in shown
    assert "Flying for a mainline partner" not in shown
    assert member.get(f"{PAGE}workflows/request_slot/").status_code == 404


def test_each_state_is_said_in_words_with_what_it_means(member: Client) -> None:
    shown = text(member.get(PAGE))
    assert "does not come" in shown
    assert "arrives 15 Feb 2027" in shown
    planned = text(member.get(f"{PAGE}workflows/swap_crew/"))
    assert "Not there yet; it has a date. It arrives on 15 February 2027." in planned
    retired = text(member.get(f"{PAGE}workflows/send_day_plan/"))
    assert "It has no new place. What to do instead stands below." in retired


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("fax", "A station's day"),
        ("dlylog", "Log a delay and its cause"),
        ("opsdesk/irops.do", "Run a day of irregular operations"),
        ("Control › Disruption", "A day of irregular operations"),
        ("2400", "New in 10 minutes"),
    ],
)
def test_the_search_finds_by_old_place_new_place_title_and_body(member: Client, question: str, found: str) -> None:
    shown = text(member.get(PAGE, {"q": question}))
    assert found in shown
    assert "Check crew duty limits" not in shown


def test_a_search_that_finds_nothing_says_so_and_keeps_the_question(member: Client) -> None:
    response = member.get(PAGE, {"q": '"><script>zeppelin'})
    assert "Nothing found" in text(response)
    assert "<script>zeppelin" not in response.content.decode()
    assert 'value="&quot;&gt;&lt;script&gt;zeppelin"' in response.content.decode()


def test_a_guide_has_an_address_a_table_of_contents_and_its_workflows(member: Client) -> None:
    response = member.get(f"{PAGE}guides/delays-cancellations-diversions/")
    shown = text(response)
    assert response.content.decode().count("<h1") == 1
    assert re.search(r"<title>\s*Delays, cancellations and diversions · Zebra Air", response.content.decode())
    assert "7 minutes · for members, admins · updated 18 Nov 2026 · version 2" in shown
    assert 'href="#s-handle-a-diversion"' in response.content.decode()
    assert "Ops desk › Delay log is now Flights › a flight › Delay" in shown
    assert member.get(f"{PAGE}guides/no-such-guide/").status_code == 404


def test_a_guide_that_is_not_published_is_not_there(member: Client, declared: Path) -> None:
    (declared / "delays.md").write_text(GUIDE.replace("version: 2", "version: 2\npublished: false"))
    assert member.get(f"{PAGE}guides/delays/").status_code == 404


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("opsdesk/dlylog.do", "guides/delays-cancellations-diversions/"),
        ("OPSDESK/DLYLOG.DO/B6/1141?day=2013-01-01", "guides/delays-cancellations-diversions/"),
        ("setup/stnmast.do", "workflows/keep_stations/"),
    ],
)
def test_an_old_bookmark_leads_to_the_guide_of_the_new_place(member: Client, old: str, new: str) -> None:
    answer = member.get(f"/t/zebra/was/{old}")
    assert (answer.status_code, answer.url) == (302, PAGE + new)


def test_an_unknown_bookmark_leads_to_a_search_by_its_words(member: Client) -> None:
    answer = member.get("/t/zebra/was/opsdesk/cancellations.do", follow=True)
    assert answer.redirect_chain == [(f"{PAGE}?q=cancellations&all=1", 302)]
    assert "The old page “opsdesk/cancellations.do” is not in the list of what moved." in text(answer)
    assert "Delays, cancellations and diversions" in text(answer)
    assert member.get("/t/zebra/was/7/%22%3E1").url == f"{PAGE}?all=1"


def test_a_bookmark_waits_for_the_sign_in(client: Client, tenant) -> None:
    answer = client.get("/t/zebra/was/opsdesk/dlylog.do")
    assert answer.url == "/accounts/login/?next=/t/zebra/was/opsdesk/dlylog.do"


def test_a_tenant_whose_segment_has_nothing_is_told_what_will_stand_here(client: Client) -> None:
    client.force_login(make.member(make.tenant(slug="new", segment="")).user)
    assert "Nothing is described yet" in text(client.get("/t/new/what-changed/"))


def test_hostile_markdown_in_a_guide_reaches_the_page_as_text(member: Client, declared: Path) -> None:
    (declared / "delays.md").write_text(
        GUIDE.replace("[major]", "[national]")
        + "\n<script>alert(1)</script> [x](javascript:alert(2)) <b style='c'>d</b>\n"
    )
    body = member.get(f"{PAGE}guides/delays/").content.decode()
    assert "&lt;script&gt;alert(1)" in body
    assert "<script>alert" not in body
    assert 'href="javascript' not in body
    assert "&lt;b style='c'&gt;d&lt;/b&gt;" in body


def test_a_wrong_file_is_told_to_whoever_installs_it_and_not_to_the_reader(
    member: Client, declared: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (declared / "delays.md").write_text(GUIDE.replace("minutes: 4", "minutes: many"))
    assert [str(one.msg) for one in catalogue_is_readable()] == [
        "What changed cannot be shown: delays.md:10: minutes: 'many' is not of type 'integer'"
    ]
    with caplog.at_level(logging.CRITICAL):
        answer = member.get(PAGE)
    assert answer.status_code == 503
    assert "What changed cannot be shown at the moment." in text(answer)
    assert "delays.md" not in text(answer)


def test_the_demos_catalogue_is_readable_and_maps_to_what_moves() -> None:
    assert catalogue_is_readable() == []


@pytest.mark.slow
def test_the_page_costs_the_same_for_two_workflows_and_a_thousand(
    member: Client, declared: Path, settings: Settings
) -> None:
    def queries() -> int:
        member.get(PAGE)
        with CaptureQueriesContext(connection) as counted:
            assert member.get(f"{PAGE}?all=1").status_code == 200
        return len(counted)

    few = queries()
    one = WORKFLOWS[WORKFLOWS.index("  - id: log_delay") : WORKFLOWS.index("  - id: swap_crew")]
    many = "".join(
        one.replace("log_delay", f"w{n}").replace("ops/delays.do", f"ops/{n}").replace("compat.codes", f"compat.w{n}")
        for n in range(1000)
    ).replace("[major, regional]", "[national]")
    big = declared / "big"
    big.mkdir()
    (big / "flights.yaml").write_text(WORKFLOWS + many)
    (big / "delays.md").write_text(GUIDE)
    settings.WORKFLOWS_FOLDER = settings.GUIDES_FOLDER = str(big)
    assert queries() == few
    shown = member.get(f"{PAGE}?all=1&page=2")
    assert "51–100 of 1,000 workflows" in text(shown)


def test_the_panel_on_the_overview_shows_news_until_they_are_dismissed_or_read(member: Client) -> None:
    shown = text(member.get("/t/zebra/"))
    assert "What changed for you" in shown
    assert "New in 10 minutes" in shown
    assert "What you sign, as an owner" not in shown
    mark = f"{PAGE}guides/new-in-10-minutes/mark/"
    answer = member.post(mark, {"mark": "dismissed", "from": "overview"})
    assert (answer.status_code, answer.url) == (302, "/t/zebra/")
    assert "New in 10 minutes" not in text(member.get("/t/zebra/"))
    part = member.post(
        f"{PAGE}guides/faq/mark/", {"mark": "dismissed", "from": "overview"}, headers={"HX-Request": "true"}
    )
    assert "<html" not in part.content.decode()
    assert "Questions people ask" not in text(part)
    for link in re.findall(r"guides/([a-z0-9-]+)/", text_of_links(member.get(PAGE))):
        assert member.post(f"{PAGE}guides/{link}/mark/", {"mark": "read"}).url == PAGE
    assert "What changed for you" not in text(member.get("/t/zebra/"))
    assert "Read 10 minutes" in text(member.get(PAGE))


def text_of_links(response) -> str:
    return " ".join(re.findall(r'href="([^"]+)"', response.content.decode()))


def test_the_overview_stands_without_the_guides_while_a_file_is_wrong(member: Client, declared: Path) -> None:
    (declared / "delays.md").write_text("no front matter")
    answer = member.get("/t/zebra/")
    assert answer.status_code == 200
    assert "What changed for you" not in text(answer)


def test_an_admin_marks_a_workflow_keeps_the_old_way_and_accepts_a_difference(tenant, client: Client) -> None:
    client.force_login(make.member(tenant, TenantRole.ADMIN).user)
    page = f"{PAGE}workflows/swap_crew/"
    assert "We rely on it" in text(client.get(page))
    assert "To be tried" not in text(client.get(page))
    shown = text(client.post(f"{page}rely/", follow=True))
    assert "You rely on it, and it is not on the new platform." in shown
    refused = client.post(f"{page}accept/", {"reason": ""})
    assert refused.status_code == 422
    assert "This field is required." in text(refused)
    refused = client.post(f"{page}keep/", {"until": "2099-01-01", "reason": "Our winter"})
    assert refused.status_code == 422
    assert "“The old swap screen” must end within 90 days" in text(refused)
    assert "Our winter" in refused.content.decode()
    assert client.post(f"{page}keep/", {"until": "9999-12-31", "reason": "x"}).status_code == 422
    shown = text(client.post(f"{page}accept/", {"reason": "Two reassignments will do."}, follow=True))
    assert "“Two reassignments will do.”" in shown
    assert "Accepted" in text(client.get(f"{PAGE}?all=1"))
    shown = text(client.post(f"{page}confirm/", follow=True))
    assert "“Swap crew between two flights” is not there yet, so nobody can have tried it." in shown
    client.post(f"{page}release/")
    assert "We rely on it" in text(client.get(page))


def test_a_member_sees_how_it_stands_and_no_button(member: Client) -> None:
    page = member.get(f"{PAGE}workflows/swap_crew/")
    shown = text(page)
    assert "Nobody of your account has said so." in shown
    assert "We rely on it" not in shown
    assert "Keep the old way for a time" in shown
    assert (
        '<button class="btn" type="submit">Keep the old way'
        not in member.get(f"{PAGE}workflows/swap_crew/").content.decode()
    )


def test_staff_sees_a_segments_matrix_and_where_a_guide_is_missing(client: Client, declared: Path) -> None:
    client.force_login(make.staff("cs"))
    shown = text(client.get("/staff/workflows/?segment=major"))
    assert "Swap crew" in shown
    assert "Missing for member, admin" in shown
    assert "Old codes, at most 60 days" in shown
    assert "Swap crew" not in text(client.get("/staff/workflows/?segment=regional"))
    (declared / "flights.yaml").write_text("format: nothing")
    tenant = make.tenant()
    assert client.get("/admin/accounts/tenant/").status_code == 200
    assert client.get(f"/admin/accounts/tenant/{tenant.pk}/change/").status_code == 200
