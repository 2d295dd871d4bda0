"""What pages cost the server: time as a ratio to an authenticated empty page of the same server, and queries.

    make bench-pages [ARGS="tenants rounds"]

The programme is seeded with 10,000 tenants, each with every check answered. Pages are asked for in turn, round after
round, through the whole stack (middleware, sessions, tenancy, templates) of one process; medians of wall time.
Goals: a customer's page at most 3 times the empty one, the dashboard at most 6 times.
"""

import json
import logging
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tests.conftest as house  # isort: skip  # takes the servers and sets Django up, before anything else

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path

from accounts.models import Tenant
from core.permissions import Permission, StaffRole, TenantRole
from core.readiness import CHECKS
from core.web import staff_view, tenant_view
from cutover.models import Cutover
from parity_reports.models import EntityResult, InvariantResult, Report, Sample
from portal import urls
from tests import databases, make
from tests.crowd import AT, fill

RESULTS = Path(__file__).parent / "results" / "pages.json"
EMPTY = "/t/c-0/empty/"
STAFF_EMPTY = "/staff/empty/"


def _empty(request, *_):
    from django.shortcuts import render

    return render(request, "base.html")


urls.urlpatterns += [
    path("t/<slug:slug>/empty/", tenant_view(Permission.VIEW_TENANT)(_empty)),
    path("staff/empty/", staff_view(Permission.VIEW_PROGRAMME, reason="bench")(_empty)),
]


def report_of(tenant: Tenant) -> Report:
    """Give a tenant a finished report with twelve entities, sixty invariants and a hundred sample differences."""
    common = {"tenant": tenant, "requested_at": AT, "mapping_sha256": "0" * 64}
    report = Report.objects.create(
        **common, state="finished", finished_at=AT + timedelta(minutes=3), verdict="different", sha256="0" * 64,
        expected=1_200_000, actual=1_200_000, compared=1_200_000, different=1200, invariants_total=60,
        invariants_passed=60,
    )  # fmt: skip
    entities = EntityResult.objects.bulk_create(
        EntityResult(
            tenant=tenant, report=report, position=n, entity=f"entity_{n}", title=f"Entity {n}", spec="e 1",
            segments=[1], segments_done=1, verdict="different", expected=100_000, actual=100_000, compared=100_000,
            different=100,
        )
        for n in range(12)
    )  # fmt: skip
    InvariantResult.objects.bulk_create(
        InvariantResult(
            tenant=tenant, report=report, entity=f"entity_{n % 12}", code=f"i{n}", title=f"Invariant {n}",
            family="count", outcome="pass", expected="100000", actual="100000",
        )
        for n in range(60)
    )  # fmt: skip
    Sample.objects.bulk_create(
        Sample(
            tenant=tenant, entity=entities[n % 12], record=uuid4().hex[:16], kind="value", column="qty",
            exposure="public", expected="1", actual="2",
        )
        for n in range(100)
    )  # fmt: skip
    return report


def seed(tenants: int) -> tuple[Client, Client, str]:
    """Fill the database; return an owner's and a staff member's client, and the address of a report."""
    by = make.staff(*StaffRole)
    for start in range(0, tenants, 1000):
        fill(start, min(start + 1000, tenants), by, checks=list(CHECKS))
    with make.arranging():
        one = Tenant.objects.get(slug="c-0")
        report = report_of(one)
        Cutover.objects.filter(tenant=one).update(window_starts_at=AT + timedelta(days=9))
        Cutover.objects.filter(tenant=one).update(window_ends_at=AT + timedelta(days=9, hours=2))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    owner, staff = Client(), Client()
    owner.force_login(make.member(one, TenantRole.OWNER).user)
    staff.force_login(by)
    return owner, staff, f"/t/c-0/parity/{report.pk}/"


def took(client: Client, address: str) -> float:
    """Ask for a page and return the seconds it took."""
    started = time.perf_counter()
    response = client.get(address)
    spent = time.perf_counter() - started
    if response.status_code != 200:
        raise SystemExit(f"{address} answered {response.status_code}")
    return spent


def queries(client: Client, address: str) -> int:
    """Count the queries of a page."""
    with CaptureQueriesContext(connection) as counted:
        client.get(address)
    return len(counted)


def main(tenants: int, rounds: int) -> None:
    """Seed, measure, print and write the table."""
    print(f"Seeding {tenants:,} tenants …", flush=True)
    owner, staff, report = seed(tenants)
    pages = [
        ("empty page of a customer", owner, EMPTY, EMPTY, None),
        ("overview", owner, "/t/c-0/", EMPTY, 3),
        ("preflight", owner, "/t/c-0/preflight/", EMPTY, 3),
        ("parity report", owner, report, EMPTY, 3),
        ("empty page of staff", staff, STAFF_EMPTY, STAFF_EMPTY, None),
        ("dashboard", staff, "/staff/programme/", STAFF_EMPTY, 6),
        ("dashboard, filtered", staff, "/staff/programme/?open=data&order=age", STAFF_EMPTY, None),
        ("admin list of tenants", staff, "/admin/accounts/tenant/", STAFF_EMPTY, None),
    ]
    for _, client, address, _, _ in pages:
        took(client, address)  # what is read or compiled once per process does not count
    times: dict[str, list[float]] = {address: [] for _, _, address, _, _ in pages}
    for _ in range(rounds):
        for _, client, address, _, _ in pages:
            times[address].append(took(client, address))
    rows = []
    print(f"{'page':<26} {'ratio':>6} {'goal':>5} {'ms':>7} {'queries':>8}")
    for name, client, address, reference, goal in pages:
        median = statistics.median(times[address])
        ratio = median / statistics.median(times[reference])
        counted = queries(client, address)
        rows.append(
            {"page": name, "ratio": round(ratio, 2), "goal": goal, "ms": round(median * 1000, 1), "queries": counted}
        )
        verdict = "" if goal is None else "ok" if ratio <= goal else "OVER"
        print(f"{name:<26} {ratio:>6.2f} {goal or '':>5} {median * 1000:>7.1f} {counted:>8} {verdict}", flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"tenants": tenants, "rounds": rounds, "pages": rows}, indent=1) + "\n")


if __name__ == "__main__":
    template = databases.ensure_template(owner_url=house.CLONE.owner_url)
    house.CLONE.create(template=template)
    settings.ALLOWED_HOSTS = ["*"]
    logging.disable(logging.WARNING)
    try:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, int(sys.argv[2]) if len(sys.argv) > 2 else 30)
    finally:
        connection.close()
        house.CLONE.drop()
