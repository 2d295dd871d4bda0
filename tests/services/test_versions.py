"""The versions of the mapping that were used are kept as they were, once each, and cannot be changed."""

from pathlib import Path

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone
from pytest_django import Settings

from backfills.models import DeadLetter, Run, SpecVersion
from backfills.queries import mapping, versions
from backfills.services import inspections, retries, runs
from core import queue
from core.models import LedgerEntry
from core.tenancy import scope
from tests import airline, make
from tests.databases import Platforms

pytestmark = pytest.mark.usefixtures("db")


def test_each_text_is_kept_when_it_is_used_first_and_the_programme_knows() -> None:
    one, other = make.tenant("Zebra Air"), make.tenant("Yak Air")
    for tenant in (one, other, one):
        with scope(tenant_id=tenant.pk):
            inspections.request(tenant_id=tenant.pk, by=make.SYSTEM, at=timezone.now())
            runs.start(tenant_id=tenant.pk, by=make.SYSTEM, at=timezone.now()) if tenant is other else None
    specs = mapping.specs()
    kept = SpecVersion.objects.all()
    assert {one.label: (one.sha256, one.text) for one in kept} == {
        spec.label: (spec.digest, spec.source_text) for spec in specs.values()
    }
    with make.arranging():
        entries = LedgerEntry.objects.filter(event="backfills.spec.kept")
        assert {entry.data["label"] for entry in entries} == {spec.label for spec in specs.values()}
        assert entries.count() == len(specs)


@pytest.mark.parametrize("is_staff", [False, True])
def test_no_role_that_serves_may_change_or_remove_one(is_staff: bool) -> None:
    tenant = make.tenant()
    with scope(tenant_id=tenant.pk):
        inspections.request(tenant_id=tenant.pk, by=make.SYSTEM, at=timezone.now())
    for write in (lambda: SpecVersion.objects.update(text="x"), lambda: SpecVersion.objects.all().delete()):
        opened = make.arranging() if is_staff else scope(tenant_id=tenant.pk)
        with opened, pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            write()


@pytest.mark.slow
def test_rows_are_not_judged_again_by_a_mapping_that_is_another_move(
    airline_world: Platforms, settings: Settings, tmp_path: Path
) -> None:
    tenant = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    airline.flights(airline_world, 1, tail_no="N3AAAA")
    with scope(tenant_id=tenant.pk):
        runs.start(tenant_id=tenant.pk, by=make.SYSTEM, at=timezone.now())
        queue.run_pending()
        for path in Path(settings.MAPPING_FOLDER).glob("*.yaml"):
            (tmp_path / path.name).write_text(path.read_text().replace("table: flt_hist", "table: flt_arch"))
        settings.MAPPING_FOLDER = tmp_path
        run = Run.objects.get(entity="flights")
        with pytest.raises(retries.UnableToRetry, match="other rows of legacy are read") as refused:
            retries.request(run=run, by=make.SYSTEM, at=timezone.now())
        assert refused.value.fix == "Move everything again instead."
        assert DeadLetter.objects.get().state == "open"
        used = versions.of_tenant(tenant_id=tenant.pk, entity="flights")
        assert [(one.label, one.is_in_force, bool(one.used_at)) for one in used] == [
            (mapping.specs()["flights"].label, True, False),
            (run.spec, False, True),
        ]
        found = versions.compare(used, entity="flights")
        assert found
        assert [(one.name, one.before, one.after) for one in found.changes] == [
            ("Legacy", "flt_hist, key flt_seq (bigint)", "flt_arch, key flt_seq (bigint)")
        ]
