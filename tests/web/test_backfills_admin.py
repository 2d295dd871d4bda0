"""Runs, rejected rows, retries and versions in the staff's admin: what is read, who may try again, what never shows."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Tenant
from backfills.domain.runs import RunState
from backfills.domain.spec import load
from backfills.models import DeadLetter, OutcomeTotal, Pace, Retry, Run, SpecVersion
from backfills.queries import mapping, waivers
from backfills.services import retries, standing, versions
from core.permissions import StaffRole
from core.readiness import EXCEPTIONS, Cover
from core.tenancy import scope
from tests import make

pytestmark = pytest.mark.django_db

LETTERS = reverse("admin:backfills_deadletter_changelist")
RUNS = reverse("admin:backfills_run_changelist")
SECRET = b"seats 12A and 12B"


def rejected(tenant, *, entity="flights", rows=2, first=1):
    """A run of a tenant that rejected some rows."""
    at = timezone.now()
    with scope(tenant_id=tenant.pk):
        run = Run.objects.create(
            tenant_id=tenant.pk, entity=entity, state=RunState.STOPPED, spec=mapping.specs()[entity].label,
            source_total=rows, requested_at=at, finished_at=at, problem="Too many.",
        )  # fmt: skip
        OutcomeTotal.objects.create(tenant_id=tenant.pk, run=run, fate="quarantined", rule="missing_value", count=rows)
        DeadLetter.objects.bulk_create(
            DeadLetter(
                tenant_id=tenant.pk, run=run, entity=entity, source_key=f"4711{number}", rule="missing_value",
                sqlstate="23502", column="dep_dly", spec=run.spec, first_at=at, last_at=at, payload=SECRET,
            )
            for number in range(first, first + rows)
        )  # fmt: skip
    return run


@pytest.fixture
def run():
    return rejected(make.tenant("Zebra Air"))


@pytest.fixture
def as_(client):
    def signed_in(*roles):
        client.force_login(make.staff(*roles))
        return client

    return signed_in


def page(client, url, **query):
    answer = client.get(url, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_rejected_rows_are_listed_by_tenant_entity_rule_and_state(as_, run):
    rejected(make.tenant("Yak Air"), rows=1, first=9)
    client = as_(StaffRole.AUDITOR)
    every = page(client, LETTERS)
    assert ("47111" in every, "47112" in every, "47119" in every) == (True, True, True)
    for query in ({"standing": "open"}, {"entity": "flights"}, {"rule": "missing_value"}):
        assert "47119" in page(client, LETTERS, **query)
    for query in ({"standing": "resolved"}, {"tenant__id__exact": str(run.tenant_id)}):
        assert "47119" not in page(client, LETTERS, **query)
    assert "47119" not in client.post(LETTERS, {"q": "zebra"}, follow=True).content.decode()
    assert "47111" in page(client, LETTERS, run__id__exact=str(run.pk))


def test_neither_a_payload_nor_a_key_that_is_not_public_is_shown_or_guessed(as_, run, settings, tmp_path):
    for name, spec in mapping.specs().items():
        text = spec.source_text.replace("flt_seq: {class: public}", "flt_seq: {class: internal}")
        (tmp_path / f"{name}.yaml").write_text(text)
    settings.MAPPING_FOLDER = tmp_path
    with make.arranging():
        letter = DeadLetter.objects.first()
    client = as_(*StaffRole)
    for shown in (page(client, LETTERS), page(client, reverse("admin:backfills_deadletter_change", args=[letter.pk]))):
        assert "4711" not in shown
        assert SECRET.decode() not in shown
        assert f"letter {letter.pk}" in shown
    for lookup in ("payload", "payload__startswith", "source_key", "source_key__startswith"):
        assert client.get(LETTERS, {lookup: "4"}).status_code in (302, 400)


def test_a_letter_says_why_and_what_to_do_as_the_customer_reads_it(as_, run):
    with make.arranging():
        letter = DeadLetter.objects.first()
    shown = page(as_(StaffRole.SUPPORT), reverse("admin:backfills_deadletter_change", args=[letter.pk]))
    assert "“dep_dly” is empty, but the new platform needs it." in shown
    assert "Fill in “dep_dly” in legacy, then try again." in shown


def test_rows_that_an_exception_names_are_waived_until_it_expires_and_no_others(as_, run, monkeypatch):
    ends = timezone.now() + timedelta(days=3)

    def covers(*, tenant_ids, at):
        items = {"flights:missing_value:dep_dly": waivers.reach(run.requested_at)}
        cover = Cover(waivers.CHECK, "ex-1", ends, title="Two flights of 2013 stay behind.", items=items)
        return {run.tenant_id: [cover]} if run.tenant_id in tenant_ids and at < ends else {}

    with scope(tenant_id=run.tenant_id):
        later = run.requested_at + timedelta(microseconds=1)
        for key, column, at in (("471177", "dep_dly", later), ("471188", "arr_dly", run.requested_at)):
            DeadLetter.objects.create(
                tenant_id=run.tenant_id, run=run, entity="flights", source_key=key, rule="missing_value",
                column=column, spec=run.spec, first_at=at, last_at=at,
            )  # fmt: skip
    monkeypatch.setattr(EXCEPTIONS, "_items", {"tests": covers})
    rejected(make.tenant("Yak Air"), rows=1, first=9)
    with make.arranging():
        tenant = Tenant.objects.get(pk=run.tenant_id)
    owner = make.member(tenant).user
    client = as_(StaffRole.AUDITOR)
    waived = page(client, LETTERS, standing="waived")
    assert [key in waived for key in ("47111", "47119", "471177", "471188")] == [True, False, False, False]
    still_open = page(client, LETTERS, standing="open")
    assert [key in still_open for key in ("47111", "47119", "471177", "471188")] == [False, True, True, True]
    client.force_login(owner)
    theirs = page(client, f"/t/{tenant.slug}/runs/entities/flights/")
    assert "Two flights of 2013 stay behind." in theirs
    assert theirs.count("Waived</") == 2
    with make.arranging():
        assert waivers.standing(tenant_ids=[run.tenant_id], at=ends + timedelta(seconds=1)) == {}


def test_rejected_rows_of_chosen_runs_are_tried_again_and_those_of_others_say_why_not(as_, run):
    other = rejected(make.tenant("Yak Air"), rows=1)
    with scope(tenant_id=other.tenant_id):
        DeadLetter.objects.filter(run=other).update(state="resolved")
    chosen = {"action": "try_again_chosen", "_selected_action": [str(run.pk), str(other.pk)], "index": "0"}
    as_(StaffRole.AUDITOR).post(RUNS, chosen)
    with make.arranging():
        assert not Retry.objects.exists()
    said = as_(StaffRole.DATA_LEAD).post(RUNS, chosen, follow=True).content.decode()
    assert "Rejected rows of 1 run are being tried again." in said
    assert "Yak Air, flights (stopped): No row of this run is rejected any more." in said
    with make.arranging():
        assert Retry.objects.get().run_id == run.pk
        run.refresh_from_db()
        assert run.state == RunState.RETRYING
    assert "run" in page(as_(StaffRole.AUDITOR), reverse("admin:backfills_retry_changelist"))


@pytest.mark.parametrize(
    ("role", "may"),
    [
        pytest.param(
            role,
            role in {StaffRole.RUNBOOK_OWNER, StaffRole.TECHNICAL_LEAD, StaffRole.DATA_LEAD},
            marks=[] if role in {StaffRole.DATA_LEAD, StaffRole.SUPPORT} else [pytest.mark.slow],
        )
        for role in StaffRole
    ],
)
def test_who_may_try_a_run_again_has_the_button(as_, run, role, may):
    client = as_(role)
    again = reverse("admin:backfills_run_try_again", args=[run.pk])
    assert (again in page(client, reverse("admin:backfills_run_change", args=[run.pk]))) is may
    assert ("try_again_chosen" in page(client, RUNS)) is may
    assert client.post(again).status_code == (302 if may else 403)
    with make.arranging():
        assert Retry.objects.exists() is may


def test_a_version_is_shown_word_for_word_with_what_changed_in_it(as_, run):
    spec, at = mapping.specs()["flights"], timezone.now()
    later = load(spec.source_text.replace("above_percent: 0.1", "above_percent: 2"))
    with scope(tenant_id=run.tenant_id):
        versions.keep([spec], by=make.SYSTEM, at=at)
        versions.keep([later], by=make.SYSTEM, at=at + timedelta(days=1))
    with make.arranging():
        first, second = SpecVersion.objects.order_by("first_used_at")
    client = as_(StaffRole.AUDITOR)
    assert later.label in page(client, reverse("admin:backfills_specversion_changelist"))
    shown = page(client, reverse("admin:backfills_specversion_change", args=[second.pk]))
    assert "above 0.1 % rejected rows → above 2 % rejected rows" in shown
    assert "stop_above_percent: 2" in shown
    assert "It is the first one." in page(client, reverse("admin:backfills_specversion_change", args=[first.pk]))


def keep_up(tenant_id, *, every=5, rows_per_second=None):
    at = timezone.now()
    standing.switch_on(tenant_id=tenant_id, every=every, until=at + timedelta(days=7), by=make.SYSTEM, at=at)
    standing.limit(tenant_id=tenant_id, rows_per_second=rows_per_second, by=make.SYSTEM, at=at)


def test_paces_are_listed_by_tenant_with_whether_they_are_on_and_limited(as_):
    zebra, yak = make.tenant("Zebra Air"), make.tenant("Yak Air")
    for tenant, asked in ((zebra, {"rows_per_second": 1200}), (yak, {"every": 1})):
        with scope(tenant_id=tenant.pk):
            keep_up(tenant.pk, **asked)
    with scope(tenant_id=yak.pk):
        standing.switch_off(tenant_id=yak.pk, by=make.SYSTEM, at=timezone.now())
    client = as_(StaffRole.AUDITOR)
    paces = reverse("admin:backfills_pace_changelist")
    every = page(client, paces)
    assert all(told in every for told in ("Zebra Air", "Yak Air", "every 5 minutes", "every minute", "1,200"))
    for query in ({"on": "yes"}, {"limited": "yes"}, {"every": "5"}):
        listed = page(client, paces, **query)
        assert ("every 5 minutes" in listed, "every minute" in listed) == (True, False), query
    for query in ({"on": "no"}, {"limited": "no"}):
        listed = page(client, paces, **query)
        assert ("every 5 minutes" in listed, "every minute" in listed) == (False, True), query
    found = client.post(paces, {"q": "zebra"}, follow=True).content.decode()
    assert ("every 5 minutes" in found, "every minute" in found) == (True, False)
    with make.arranging():
        pace = Pace.objects.get(tenant_id=zebra.pk)
    shown = page(client, reverse("admin:backfills_pace_change", args=[pace.pk]))
    assert reverse("admin:accounts_tenant_change", args=[zebra.pk]) in shown


def test_what_is_not_caught_up_by_itself_is_due_at_no_time(as_):
    tenant, at = make.tenant("Zebra Air"), timezone.now()
    client, paces = as_(StaffRole.AUDITOR), reverse("admin:backfills_pace_changelist")
    with scope(tenant_id=tenant.pk):
        keep_up(tenant.pk)
        Pace.objects.update(due_at=at)
    due = f"{at:%-d %b %Y, %H:%M} UTC"
    assert due in page(client, paces)
    with scope(tenant_id=tenant.pk):
        standing.switch_off(tenant_id=tenant.pk, by=make.SYSTEM, at=at)
        Pace.objects.update(due_at=at)
    assert due not in page(client, paces)


def test_only_who_tries_for_too_long_is_listed_as_trying_in_vain(as_):
    tenant, at = make.tenant("Zebra Air"), timezone.now()
    client, paces = as_(StaffRole.AUDITOR), reverse("admin:backfills_pace_changelist")
    for minutes, in_vain in ((5, False), (31, True)):
        with scope(tenant_id=tenant.pk):
            if minutes == 5:
                keep_up(tenant.pk)
            Pace.objects.update(trying_since=at - timedelta(minutes=minutes))
        assert (f"since {at - timedelta(minutes=minutes):%-d %b %Y, %H:%M} UTC" in page(client, paces)) is in_vain
        assert ("Zebra Air" in page(client, paces, vain="yes")) is in_vain


@pytest.mark.parametrize(
    "name",
    ["run", "deadletter", "pace", *(pytest.param(name, marks=pytest.mark.slow) for name in ("retry", "specversion"))],
)
def test_a_list_costs_the_same_however_long_it_is(as_, run, name):
    client = as_(StaffRole.DATA_LEAD)
    url = reverse(f"admin:backfills_{name}_changelist")
    with scope(tenant_id=run.tenant_id):
        keep_up(run.tenant_id)
    costs = []
    for number in range(2):
        page(client, url)
        with CaptureQueriesContext(connection) as captured:
            page(client, url)
        costs.append(len(captured))
        for other in range(3 * (1 - number)):
            made = rejected(make.tenant(f"Airline {other}"), rows=5)
            with scope(tenant_id=made.tenant_id):
                retries.request(run=made, by=make.SYSTEM, at=timezone.now())
                keep_up(made.tenant_id)
    assert costs[1] <= costs[0]
