"""The worked example of docs/integrating.md, followed to the letter on two databases that are not the demo's."""

import hashlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from backfills.models import OutcomeTotal
from backfills.queries import inspections as found
from backfills.queries import mapping
from backfills.services import fates, inspections, runs
from core import queue, tenancy
from core.models import LedgerEntry
from parity_reports.services import reports
from tests import databases, make
from tests.databases import Platforms

PAGE = (Path(__file__).parents[2] / "docs" / "integrating.md").read_text(encoding="utf-8")
BY = make.SYSTEM


def blocks(language: str, mark: str) -> list[str]:
    every: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return [block for block in every if mark in block]


def run_sql(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements.encode())


@pytest.fixture
def platforms(settings: Settings, tmp_path: Path) -> Iterator[Platforms]:
    (spec,) = blocks("yaml", "format: crossing-mapping/")
    (tmp_path / "invoices.yaml").write_text(spec, encoding="utf-8")
    settings.MAPPING_FOLDER, settings.QUEUE_RINGS = str(tmp_path), False
    with databases.platforms(kind="guide") as made:
        run_sql(made.legacy_owner, *blocks("sql", "-- in the legacy database"))
        run_sql(made.new_owner, "CREATE SCHEMA platform; GRANT USAGE ON SCHEMA platform TO new_loader")
        for block in (*blocks("sql", "CREATE TABLE platform.account"), *blocks("sql", "-- in the new database")):
            run_sql(made.new_owner, block)
        legacy, new = made.legacy_reader, made.new_loader
        options: dict[str, dict[str, Any]] = {
            "legacy": {"url": legacy},
            "mover": {"url": new},
            "inspector": {"url": new},
            "checksummer": {"url": new},
            "comparison": {"legacy": legacy, "new": new, "settle": 0, "threads": 1},
        }
        settings.ADAPTERS = {
            **settings.ADAPTERS,
            **{
                port: {**settings.ADAPTERS[port], "OPTIONS": {**settings.ADAPTERS[port].get("OPTIONS", {}), **given}}
                for port, given in options.items()
            },
        }
        yield made


@pytest.mark.slow
@pytest.mark.usefixtures("db")
def test_the_export_is_moved_compared_and_told_apart_from_the_next(
    platforms: Platforms, settings: Settings, tmp_path: Path
) -> None:
    """The same mapping, with a CSV export as the legacy platform."""
    exports = tmp_path / "exports"
    exports.mkdir()
    (export,) = blocks("csv", "cust_cd")
    (exports / "inv_hdr.csv").write_text(export, encoding="utf-8")
    (address,) = blocks("sh", "LEGACY_DATABASE_URL=csv://")
    assert "\nLEGACY_DATABASE_URL=csv:///var/exports/october\n" in f"\n{address}"
    for port, option in (("legacy", "url"), ("comparison", "legacy")):
        settings.ADAPTERS[port]["OPTIONS"][option] = f"csv://{exports}"
    settings.ADAPTERS = {**settings.ADAPTERS}
    tenant = make.tenant("Acme", legacy_ref="ACME")
    with tenancy.scope(tenant_id=tenant.pk):
        at, ids = timezone.now(), {"tenant_id": tenant.pk, "by": BY}
        inspections.request(at=at, **ids)
        queue.run_pending()
        assert found.latest(tenant_id=tenant.pk).rejected == 0
        (run,) = runs.start(at=at, **ids)
        queue.run_pending()
        run.refresh_from_db()
        totals = {(one.fate, one.rule): one.count for one in OutcomeTotal.objects.filter(run=run)}
        assert (run.state, totals) == ("succeeded", {("migrated", ""): 4, ("dropped", "test_invoice"): 1})
        assert run.source_version == f"sha256:{hashlib.sha256(export.encode()).hexdigest()}"
        started = LedgerEntry.objects.get(event="backfills.run.started")
        assert started.data["source"] == run.source_version
        report = reports.request(at=at, **ids)
        queue.run_pending()
        report.refresh_from_db()
        assert report.verdict == "equal"
        # A new export takes the old one's place while a run is half-way.
        (run,) = runs.start(at=at, **ids)
        runs.advance(run_id=run.pk, by=BY, at=at)
        (exports / "inv_hdr.csv").write_text(export.replace("Café", "Bar"), encoding="utf-8")
        queue.run_pending()
        run.refresh_from_db()
        assert run.state == "failed"
        assert "The file of legacy was replaced while its rows moved" in run.problem
        (run,) = runs.start(at=at, **ids)
        queue.run_pending()
        run.refresh_from_db()
        assert (run.state, run.changed) == ("succeeded", 1)


@pytest.mark.usefixtures("db")
def test_the_example_is_mapped_checked_moved_compared_and_found(platforms: Platforms) -> None:
    tenant = make.tenant("Acme", legacy_ref="ACME")
    with tenancy.scope(tenant_id=tenant.pk):
        at, ids = timezone.now(), {"tenant_id": tenant.pk, "by": BY}
        inspections.request(at=at, **ids)
        queue.run_pending()
        told = found.latest(tenant_id=tenant.pk)
        assert (told.total, told.rejected) == (5, 2)
        assert {(one.rule, one.column) for repair in told.repairs for one in repair.faults} == {
            ("without_amount", "net_amt"), ("unreadable_value", "inv_dt"), ("unreadable_value", "cur_cd"),
        }  # fmt: skip
        run_sql(platforms.legacy_owner, *blocks("sql", "-- put right in the legacy database"))
        inspections.request(at=at, **ids)
        queue.run_pending()
        assert found.latest(tenant_id=tenant.pk).rejected == 0
        (run,) = runs.start(at=at, **ids)
        queue.run_pending()
        run.refresh_from_db()
        totals = {(one.fate, one.rule): one.count for one in OutcomeTotal.objects.filter(run=run)}
        assert (run.state, totals) == ("succeeded", {("migrated", ""): 4, ("dropped", "test_invoice"): 1})
        report = reports.request(at=at, **ids)
        queue.run_pending()
        report.refresh_from_db()
        assert report.verdict == "equal"
        spec = mapping.specs()["invoices"]
        assert fates.find(tenant_id=tenant.pk, spec=spec, key="4711", by=BY).target_key == "4711"
        assert fates.find(tenant_id=tenant.pk, spec=spec, key="4713", by=BY).label == "Left behind by a rule"


def test_every_command_about_the_mapping_does_what_the_page_says(tmp_path: Path) -> None:
    (spec,) = blocks("yaml", "format: crossing-mapping/")
    for folder, text in (("mapping", spec), ("mapping.next", spec.replace("version: 1", "version: 2"))):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "invoices.yaml").write_text(text, encoding="utf-8")
    (commands,) = blocks("sh", "manage.py spec")
    said = []
    for line in commands.replace("/etc/crossing/", f"{tmp_path}/").splitlines():
        heard = io.StringIO()
        call_command(*shlex.split(line, comments=True)[1:], stdout=heard)
        said.append(heard.getvalue())
    assert "1 files are a mapping" in said[0]
    assert "left behind: test_invoice" in said[1]
    assert "Rejected: An invoice without an amount cannot be booked." in said[2]
    assert "Also: The value of “inv_dt” cannot be read." in said[2]
    assert "quarantined without_amount net_amt" in said[3]
