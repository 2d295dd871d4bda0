"""Rows of legacy that were made to break whoever moves, lists, compares or exports them."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook
from pytest_django import Settings

from accounts.models import Tenant
from backfills.models import DeadLetter
from backfills.services import inspections, runs
from core import queue, tenancy
from core.permissions import TenantRole
from parity_reports.services import drift, reports
from tests import airline, make
from tests.databases import Platforms

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.slow]

SHORT = [
    "\\.", "\\N", "\\", "\\\\", "'", '"', "''", "$$", "%s", "%%", "{0}", "=1+1", "@A1", "-1", "+1", "<b>", "&lt;",
    "a\tb", "a\nb", "a\rb", "é", "e\u0301", "\u202eX", "NULL", "\ufeff", "\u2028", "-- ", "/*", ";",
]  # fmt: skip
LONG = [
    "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "\\.\n\\.", "x" * 2_000, "%(account)s", "'); DROP TABLE x; --",
    "{{ 7 * 7 }}", "a/b%2Fc", '"><img src=x onerror=alert(1)>',
]  # fmt: skip
HOSTILE = "<img src=x onerror=alert(1)> =1+1 \\. \\N \t\n '; --"


@pytest.fixture
def tenant(airline_world: Platforms, settings: Settings) -> Iterator[Tenant]:
    airline.compare_with(airline_world, settings)
    airline.insert(
        airline_world,
        "stn_mast",
        [airline.station(code, stn_nm=f"={HOSTILE}{number}") for number, code in enumerate([*SHORT, *LONG])],
    )
    # The demo's new platform takes codes of letters alone.
    check = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
    checks = airline.new_rows(airline_world, f"{check} WHERE conrelid = 'platform.airport'::regclass AND contype = 'c'")
    for name, _ in checks:
        airline.new_do(airline_world, f"ALTER TABLE platform.airport DROP CONSTRAINT {name}")
    made = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    with tenancy.scope(tenant_id=made.pk):
        yield made
    for name, definition in checks:
        airline.new_do(airline_world, f"ALTER TABLE platform.airport ADD CONSTRAINT {name} {definition} NOT VALID")


def moved(tenant: Tenant) -> None:
    inspections.request(tenant_id=tenant.pk, by=make.SYSTEM, at=timezone.now())
    queue.run_pending()
    runs.start(tenant_id=tenant.pk, by=make.SYSTEM, at=timezone.now())
    queue.run_pending()


def test_hostile_keys_and_texts_move_byte_by_byte_and_break_no_page_and_no_file(
    airline_world: Platforms, tenant: Tenant
) -> None:
    moved(tenant)
    told = airline.new_rows(airline_world, "SELECT source_key FROM platform.provenance WHERE entity = 'airports'")
    arrived = {key for (key,) in told}
    rejected = set(DeadLetter.objects.filter(state="open").values_list("source_key", flat=True))
    assert not arrived & rejected
    assert {*SHORT, *LONG} <= arrived | rejected
    assert len(set(SHORT) & arrived) > 20
    assert set(LONG) <= rejected
    report = reports.request(tenant_id=tenant.pk, by=make.SYSTEM, at=timezone.now())
    queue.run_pending()
    report.refresh_from_db()
    assert (report.missing, report.extra, report.different, report.duplicate) == (len(rejected), 0, 0, 0), (
        report.problem
    )
    airline.new_do(airline_world, "UPDATE platform.airport SET name = '<b>=2+2' WHERE left(name, 1) = '='")
    drift.recheck(tenant_id=tenant.pk, by=make.SYSTEM, now=timezone.now, is_last_attempt=True)
    second = reports.request(tenant_id=tenant.pk, by=make.SYSTEM, at=timezone.now())
    queue.run_pending()
    second.refresh_from_db()
    assert second.different == len(arrived & {*SHORT})
    client = Client()
    client.force_login(make.member(tenant, TenantRole.ADMIN).user)
    home = f"/t/{tenant.slug}"
    pages = ["runs/", "runs/inspection/", "runs/entities/airports/", "runs/entities/airports/rows/",
             "runs/entities/airports/rows/?fate=quarantined&rule=too_long", "parity/", "parity/drift/",
             f"parity/{second.pk}/", "activity/"]  # fmt: skip
    for page in pages:
        answer = client.get(f"{home}/{page}")
        assert answer.status_code in (200, 404), page
        text = answer.content.decode()
        assert not re.search(r"<(b|img|script)>|onerror=alert\(1\)>(?!&)|<img src=x", text), page
        assert "49" not in re.findall(r"\{\{.*?\}\}", text)
    for key in (*SHORT, *LONG):
        answer = client.post(f"{home}/runs/entities/airports/find/", {"key": key})
        assert answer.status_code in (200, 422), key
        assert "<script>alert" not in answer.content.decode()
    for file in ("runs/entities/airports/rejected.csv", f"parity/{second.pk}/report.csv"):
        answer = client.get(f"{home}/{file}")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        cells = [cell for line in csv.reader(io.StringIO(text, newline="")) for cell in line]
        assert not [
            cell for cell in cells if cell[:1] in ("=", "@", "\t", "\r") or re.match(r"[-+](?![\d.]+$)", cell)
        ], file
    answer = client.get(f"{home}/parity/{second.pk}/report.xlsx")
    for sheet in load_workbook(io.BytesIO(answer.getvalue())):
        assert not [cell.value for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    answer = client.get(f"{home}/parity/{second.pk}/report.pdf")
    assert answer.status_code == 200
    assert b"/JavaScript" not in answer.content
    assert b"/URI" not in answer.content
