"""Where legacy is an export, runs, catch-ups and checks before the move go by one file each."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from backfills.domain.runs import RunState
from backfills.models import Inspection, Run
from backfills.services import inspections, runs
from core import queue
from core.errors import UseCaseError
from core.tenancy import scope
from portal.adapters.comparison.platforms import files
from portal.adapters.legacy.engine import EngineLegacy
from tests import airline, make
from tests.airline import station
from tests.sources import CHANGED, InFiles

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("db")]
EXPORTED = datetime(2026, 11, 25, 8, tzinfo=UTC)


@pytest.fixture
def export(airline_world, tmp_path, settings, monkeypatch):
    """A CSV export of an airline's airports, and the demo's mapping, which knows when a row changed."""
    monkeypatch.setattr(files, "_SETTLED", 0)
    (tmp_path / "mapping").mkdir()
    text = (Path(settings.MAPPING_FOLDER) / "airports.yaml").read_text(encoding="utf-8")
    assert f"changed: {{column: {CHANGED}, type: timestamptz}}" in text
    (tmp_path / "mapping" / "airports.yaml").write_text(text, encoding="utf-8")
    settings.MAPPING_FOLDER = tmp_path / "mapping"
    made = InFiles("csv", tmp_path / "legacy")
    settings.ADAPTERS = {
        **settings.ADAPTERS,
        "legacy": {**settings.ADAPTERS["legacy"], "OPTIONS": {"url": f"csv://{tmp_path / 'legacy'}"}},
    }
    made.fill("stn_mast", [{**station(code), CHANGED: EXPORTED} for code in ("AAA", "BBB", "CCC")])
    return made


@pytest.fixture
def tenant(export):
    made = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    with scope(tenant_id=made.pk):
        yield made


def move(tenant, **asked):
    (run,) = runs.start(tenant_id=tenant.pk, by=make.SYSTEM, at=timezone.now(), **asked)
    queue.run_pending()
    return Run.objects.get(pk=run.pk)


def test_the_next_export_is_caught_up_from_the_last_ones_latest_change(export, tenant):
    full = move(tenant)
    assert (full.state, full.watermark) == (RunState.SUCCEEDED, EXPORTED)
    export.change("stn_mast", "AAA", {CHANGED: EXPORTED + timedelta(hours=1), "stn_nm": "Anew"})
    export.change("stn_mast", "BBB", {CHANGED: EXPORTED - timedelta(hours=1), "stn_nm": "nobody reads this"})
    export.drop("stn_mast", "CCC")
    run = move(tenant, catch_up=True)
    assert (run.state, run.since, run.problem) == (RunState.SUCCEEDED, EXPORTED - timedelta(minutes=5), "")
    assert (run.source_total, run.read, run.changed, run.removed) == (2, 1, 1, 1)
    assert run.source_version not in ("", full.source_version)
    assert run.watermark == EXPORTED + timedelta(hours=1)


def test_an_export_that_tells_of_no_change_is_moved_in_full_only(export, tenant):
    for code in ("AAA", "BBB", "CCC"):
        export.change("stn_mast", code, {CHANGED: None})
    assert move(tenant).watermark is None
    with pytest.raises(UseCaseError, match="Nothing tells from when on"):
        move(tenant, catch_up=True)


def test_an_export_that_tells_of_no_change_any_more_says_so(export, tenant):
    move(tenant)
    for code in ("AAA", "BBB", "CCC"):
        export.change("stn_mast", code, {CHANGED: None})
    run = move(tenant, catch_up=True)
    assert run.state == RunState.FAILED
    assert run.problem.startswith(f"No row of the file says in “{CHANGED}” when it changed")


def test_a_check_says_so_when_another_file_takes_its_place(export, tenant, monkeypatch):
    monkeypatch.setattr(EngineLegacy, "version", lambda self, *, spec: "sha256:before")
    inspections.request(tenant_id=tenant.pk, by=make.SYSTEM, at=timezone.now())
    queue.run_pending()
    found = Inspection.objects.get()
    assert (found.state, found.problem) == (
        Inspection.State.FAILED,
        "The file of legacy was replaced while its rows were checked: check them again.",
    )
