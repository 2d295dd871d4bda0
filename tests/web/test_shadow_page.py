"""The page of shadow reads: nothing good is said of what was not read, and no value is shown that is not public."""

import html
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.permissions import StaffRole, TenantRole
from cutover.domain.phases import Phase
from parity_reports.models import ShadowMismatch, ShadowRound
from parity_reports.queries.screens import shadow as shadow_screens
from tests import make
from tests.parity import person
from tests.shadowing import shadowed

pytestmark = pytest.mark.django_db
PAGE = "/t/zebra/parity/shadow/"
CANARY = "canary-5d1f"


def text(response):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


@pytest.fixture
def shadowing(settings, tmp_path):
    return shadowed(settings, tmp_path, tenant=make.tenant("Zebra Air", slug="zebra"), on=False)


@pytest.fixture
def owner(shadowing, client):
    client.force_login(person(shadowing.drifting.crossing))
    return client


@pytest.mark.slow
def test_before_the_canary_it_says_when_it_begins_and_lists_what_is_read(shadowing, owner):
    shadowing.stand(Phase.PREPARE)
    shown = text(owner.get(PAGE))
    assert "Shadow reads begin with the canary" in shown
    assert "People: one by its key" in shown
    assert "People of one zone" in shown
    assert "How long reads take" not in shown
    assert "Shadow reads begin" not in text(owner.get("/t/zebra/parity/")), "nothing to see there yet"


def test_a_person_switches_them_on_with_an_end_and_a_reason_and_off_again(shadowing, owner):
    day = (shadowing.at() + timedelta(days=3)).date().isoformat()
    refused = owner.post(f"{PAGE}on/", {"until": day, "reason": ""})
    assert refused.status_code == 422
    assert "Shadow reads are off" in text(refused)
    too_long = owner.post(f"{PAGE}on/", {"until": "9999-12-31", "reason": "The move."})
    assert (too_long.status_code, "Choose an earlier day" in text(too_long)) == (422, True)
    longer = owner.post(f"{PAGE}on/", {"until": "2200-01-01", "reason": "The move."})
    assert "must end within 30 days" in text(longer)
    on = text(owner.post(f"{PAGE}on/", {"until": day, "reason": "The move."}, follow=True))
    assert "They end by themselves." in on
    assert "No read was made yet" in on
    assert "Switch on" not in on
    assert "Shadow reads are off." in text(owner.post(f"{PAGE}off/", follow=True))


def test_it_shows_what_was_read_how_long_it_took_and_what_did_not_agree(shadowing, owner):
    shadowing.switch_on()
    shadowing.drifting.legacy(2, fee="9")
    shadowing.drifting.new(1, name=CANARY)
    ticks = iter(range(10_000))
    shadowing.reader.clock = lambda: next(ticks) / 1000
    shadowing.rounds()
    shown = text(owner.get(PAGE))
    assert "1 read is answered differently, and we do not know why yet" in shown
    assert "Legacy 3 1.0 ms 1.0 ms 1.0 ms" in shown
    assert "2 People: one by its key fee (value) Changed in legacy" in shown
    assert "1 People: one by its key name (value) Not explained yet" in shown
    assert "The next run brings it over." in shown
    assert "1 read is answered differently" in text(owner.get("/t/zebra/parity/"))
    assert CANARY not in shown


@pytest.mark.slow
def test_times_are_drawn_once_there_are_several_and_told_after_the_move(shadowing, owner):
    shadowing.switch_on()
    for _ in range(8):
        shadowing.round()
    page = owner.get(PAGE)
    assert "Time that 95 % of the reads of the legacy platform kept to" in text(page)
    shadowing.stand(Phase.STABILISE)
    with make.arranging():
        ShadowRound.objects.update(began_at=shadowing.at() - timedelta(days=9))
    shown = text(owner.get(PAGE))
    assert "Your move is over" in shown
    assert "Switch" not in shown


@pytest.mark.slow
def test_an_outage_is_told_in_words_with_what_is_done_about_it(shadowing, owner):
    shadowing.switch_on()
    shadowing.reader.failing.add("legacy")
    shadowing.round()
    shown = text(owner.get(PAGE))
    assert "No read could be made for an hour" in shown
    assert "The legacy platform's database does not answer." in shown
    assert "Reads are made more rarely for now." in shown


@pytest.mark.slow
def test_a_key_that_is_not_public_is_shown_by_its_code(shadowing, owner):
    shadowing.switch_on()
    shadowing.drifting.legacy(2, fee="9")
    shadowing.rounds()
    with make.arranging():
        ShadowMismatch.objects.update(shown="")
    (row,) = shadowing.mismatches()
    assert f"<code>{row.about}</code>" in owner.get(PAGE).content.decode()


@pytest.mark.slow
def test_two_reads_with_one_name_are_told_apart_by_their_codes(shadowing, owner):
    shadowing.switch_on()
    shadowing.drifting.legacy(1, fee="9")
    shadowing.drifting.legacy(2, fee="9")
    shadowing.rounds()
    codes = [row.about for row in shadowing.mismatches()]
    assert len(codes) == 2
    assert not any(code in owner.get(PAGE).content.decode() for code in codes)
    with make.arranging():
        ShadowMismatch.objects.update(shown="twice")
    page = owner.get(PAGE).content.decode()
    assert all(f"<code>{code}</code>" in page for code in codes)


@pytest.mark.slow
def test_what_is_not_listed_is_counted(shadowing, owner):
    shadowing.stand(Phase.RAMP)
    at = shadowing.at()
    with make.arranging():
        ShadowMismatch.objects.bulk_create(
            ShadowMismatch(
                tenant_id=shadowing.tenant_id, entity="people", read="one", title="People: one by its key",
                about=f"{number:016x}", names=[f"{number:016x}"], records=1, kind="different", cause="late_write",
                columns={"fee": "value"}, first_seen_at=at, last_seen_at=at,
            )
            for number in range(53)
        )  # fmt: skip
    assert "3 more are not listed." in text(owner.get(PAGE))


@pytest.mark.slow
def test_how_it_ended_is_told_and_only_what_agrees_is_called_alike(shadowing, owner):
    shadowing.switch_on()
    shadowing.drifting.legacy(2, fee="9")
    shadowing.rounds()
    shadowing.drifting.new(2, fee=900)
    shadowing.rounds()
    assert "2 People: one by its key fee (value) Changed in legacy" in text(owner.get(PAGE))
    assert "Alike again" in text(owner.get(PAGE))
    with make.arranging():
        ShadowMismatch.objects.update(ended="gone")
    shown = text(owner.get(PAGE))
    assert "No longer there to be read" in shown
    assert "Alike again" not in shown


@pytest.mark.slow
def test_an_auditor_reads_and_does_not_switch(shadowing, client):
    client.force_login(person(shadowing.drifting.crossing, TenantRole.AUDITOR))
    assert "Switch shadow reads on" not in text(client.get(PAGE))
    assert client.post(f"{PAGE}on/").status_code == 403


@pytest.mark.slow
def test_the_page_costs_the_same_with_many_rounds(shadowing, django_assert_num_queries):
    def read():
        return shadow_screens.of(tenant_id=shadowing.tenant_id, zone=ZoneInfo("UTC"), at=shadowing.at())

    shadowing.switch_on()
    shadowing.round()
    with make.arranging(), CaptureQueriesContext(connection) as few:
        read()
    for _ in range(4):
        shadowing.round()
    with make.arranging(), django_assert_num_queries(len(few)):
        read()


@pytest.mark.slow
def test_staff_see_rounds_and_mismatches_and_switch_off(shadowing, client):
    shadowing.switch_on()
    shadowing.drifting.legacy(2, fee="9")
    made = shadowing.rounds()
    client.force_login(make.staff(StaffRole.DATA_LEAD))
    for name, row in (("shadowround", made), ("shadowmismatch", shadowing.mismatches()[0])):
        assert client.get(reverse(f"admin:parity_reports_{name}_changelist")).status_code == 200
        page = client.get(reverse(f"admin:parity_reports_{name}_change", args=[row.pk]))
        assert page.status_code == 200
        assert "sealed" not in page.content.decode().lower()
    assert shadowing.round() is not None
