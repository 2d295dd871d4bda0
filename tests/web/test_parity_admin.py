"""Parity in the staff's admin: every comparison with its verdict, the programme's numbers, and a new one asked for."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.permissions import StaffRole
from parity_reports.models import Report
from tests import make
from tests.parity import arrange

pytestmark = pytest.mark.django_db
LIST = "admin:parity_reports_report_changelist"


@pytest.fixture
def crossing(settings, tmp_path):
    return arrange(settings, tmp_path, make.tenant("Zebra Air", slug="zebra"))


def test_staff_reads_every_comparison_and_its_seal(crossing, client):
    crossing.put(1, fee=None)
    report = crossing.compare()
    client.force_login(make.staff(StaffRole.AUDITOR))
    listed = client.get(reverse(LIST)).content.decode()
    assert "Zebra Air" in listed
    assert "Different" in listed
    shown = client.get(reverse("admin:parity_reports_report_change", args=[report.pk])).content.decode()
    assert report.sha256 in shown
    assert "Run a new comparison" not in shown


def test_the_tenants_list_and_the_front_page_tell_how_parity_stands(crossing, client):
    crossing.put(1, fee=None)
    crossing.compare()
    client.force_login(make.staff(StaffRole.AUDITOR))
    assert "different" in client.get(reverse("admin:accounts_tenant_changelist")).content.decode()
    front = client.get(reverse("admin:index")).content.decode()
    assert "Records that differ" in front
    assert "50.000 %" in front


def test_those_who_may_ask_for_a_new_one(crossing, client):
    crossing.put(1)
    report = crossing.compare()
    url = reverse("admin:parity_reports_report_compare", args=[report.pk])
    client.force_login(make.staff(StaffRole.AUDITOR))
    assert client.post(url).status_code == 403
    client.force_login(make.staff(StaffRole.DATA_LEAD))
    assert client.post(url).status_code == 302
    with make.arranging():
        assert Report.objects.filter(tenant=crossing.tenant).count() == 2


@pytest.mark.slow
def test_the_list_costs_the_same_however_many_there_are(crossing, client):
    crossing.put(1)
    crossing.compare()
    client.force_login(make.staff(StaffRole.AUDITOR))
    costs = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse(LIST)).status_code == 200
        costs.append(len(captured))
        for _ in range(10):
            crossing.compare()
    assert costs[1] <= costs[0]
