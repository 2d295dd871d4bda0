"""The page of drift: calm where nothing drifts, plain about what does, and silent about what is not public."""

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from core import queue
from core.permissions import StaffRole
from parity_reports.domain.drift import Cause
from parity_reports.models import Drift, Reconciliation, Watch
from tests import make
from tests.drifting import settle
from tests.parity import arrange, person
from tests.people import PEOPLE

pytestmark = pytest.mark.django_db
PAGE = "/t/zebra/parity/drift/"
CANARY = "canary-4c0e"


def text(response):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


@pytest.fixture
def drifting(settings, tmp_path):
    return settle(settings, tmp_path, tenant=make.tenant("Zebra Air", slug="zebra"))


@pytest.fixture
def owner(drifting, client):
    client.force_login(person(drifting.crossing))
    return client


def test_before_the_first_comparison_there_is_nothing_to_look_at(settings, tmp_path, client):
    client.force_login(person(arrange(settings, tmp_path, make.tenant("Zebra Air", slug="zebra"))))
    shown = text(client.get(PAGE))
    assert "Nothing was compared yet" in shown
    assert "Look again now" not in shown


def test_where_nothing_drifts_it_says_so_calmly_here_and_beside_the_comparisons(drifting, owner):
    drifting.look()
    for address in (PAGE, "/t/zebra/parity/"):
        assert "Nothing came to differ since the comparison" in text(owner.get(address))


def test_a_late_write_is_told_with_its_public_key_and_what_happens_next(drifting, owner):
    drifting.legacy(2, fee="9")
    drifting.look()
    shown = text(owner.get(PAGE))
    assert "1 record came to differ since the comparison, for one reason" in shown
    assert "The next run brings it over." in shown
    assert "2 People fee (value) Changed in legacy" in shown
    drifting.legacy(2, fee="1.5")
    drifting.look()
    assert "Equal again" in text(owner.get(PAGE))


def test_what_nobody_explains_is_told_without_any_value(drifting, owner):
    drifting.new(1, name=CANARY)
    drifting.look()
    response = owner.get(PAGE)
    assert "and we do not know why yet" in text(response)
    assert CANARY not in response.content.decode()


def test_the_button_has_it_looked_at_and_the_page_watches(drifting, owner):
    drifting.legacy(2, fee="9")
    drifting.look()
    drifting.legacy(2, fee="1.5")
    answered = owner.post(f"{PAGE}look/", headers={"HX-Request": "true"})
    assert answered.status_code == 200
    assert "Looking again" in text(answered)
    queue.run_pending()
    assert "Nothing came to differ" in text(owner.get(PAGE, headers={"HX-Request": "true"}))


def test_staff_sees_what_drifts_and_explains_it(drifting, client):
    drifting.new(1, name=CANARY)
    drifting.look()
    (row,) = drifting.drifts()
    client.force_login(make.staff(StaffRole.DATA_LEAD))
    assert row.record in client.get(reverse("admin:parity_reports_drift_changelist")).content.decode()
    explained = client.post(
        reverse("admin:parity_reports_drift_explain", args=[row.pk]),
        {"reason": "Corrected by hand.", "until": str(drifting.at().date())},
    )
    assert explained.status_code == 302
    with make.arranging():
        assert Drift.objects.get().explanation == "Corrected by hand."


def test_staff_reconciles_an_entity_and_the_customer_reads_what_was_done(drifting, settings, client):
    settings.ADAPTERS = {
        **settings.ADAPTERS,
        "reconciler": {
            "BACKEND": "tests.fakes.reconciling.FakeReconciler",
            "OPTIONS": {"new": {"clean.person": drifting.crossing.new}},
        },
    }
    drifting.legacy(2, fee="9")
    drifting.look()
    client.force_login(make.staff(StaffRole.DATA_LEAD))
    with make.arranging():
        watch = Watch.objects.get(entity="people")
    form = reverse("admin:parity_reports_watch_reconcile", args=[watch.pk])
    assert f"Reconcile: {watch} ({drifting.crossing.tenant})" in text(client.get(form))
    asked = client.post(
        form,
        {**dict.fromkeys(Cause, "ask"), "late_write": "source", "reason": "As agreed on the phone."},
    )
    assert asked.status_code == 302, text(asked)
    with make.arranging():
        row = Reconciliation.objects.get()
    page = text(client.get(reverse("admin:parity_reports_reconciliation_change", args=[row.pk])))
    assert "different, Changed in legacy → Legacy wins: move the row again" in page
    assert "What is done Changed in legacy → Legacy wins: move the row again" in page
    assert "late_write" not in page
    assert f"Tenant {drifting.crossing.tenant} Entity" in page, "whose data it is"
    assert drifting.drifts()[0].record in page
    client.post(reverse("admin:parity_reports_reconciliation_confirm", args=[row.pk]))
    queue.run_pending()
    client.force_login(person(drifting.crossing))
    shown = text(client.get(PAGE))
    assert "Put right People. 1 record as legacy says. As agreed on the phone." in shown
    assert "Nothing came to differ since the comparison" in shown


def test_staff_sees_column_by_column_what_merging_would_write_but_no_value_that_is_not_public(
    settings, tmp_path, client
):
    text_of_people = PEOPLE.replace("type: text, class: internal}", "type: text, class: internal, on_drift: target}")
    text_of_people = text_of_people.replace("class: public}\n  active", "class: public, on_drift: greater}\n  active")
    drifting = settle(settings, tmp_path, tenant=make.tenant("Zebra Air", slug="zebra"), text=text_of_people)
    settings.ADAPTERS = {
        **settings.ADAPTERS,
        "reconciler": {
            "BACKEND": "tests.fakes.reconciling.FakeReconciler",
            "OPTIONS": {"new": {"clean.person": drifting.crossing.new}},
        },
    }
    drifting.legacy(2, fee="9")
    drifting.new(2, name=CANARY)
    drifting.look()
    client.force_login(make.staff(StaffRole.DATA_LEAD))
    with make.arranging():
        watch = Watch.objects.get(entity="people")
    until = str((drifting.at() + timedelta(days=30)).date())
    answers = {**dict.fromkeys(Cause, "merge"), "reason": "As agreed.", "until": until}
    assert client.post(reverse("admin:parity_reports_watch_reconcile", args=[watch.pk]), answers).status_code == 302
    with make.arranging():
        row = Reconciliation.objects.get()
    page = text(client.get(reverse("admin:parity_reports_reconciliation_change", args=[row.pk])))
    assert "fee (the greater value counts): 1 record, 1 as legacy says and 0 as the new" in page
    assert "fee becomes “900”, not “150.00”" in page
    assert "name (the new platform’s value stays): 1 record" in page
    assert "name (not shown)" in page
    assert CANARY not in page
