"""One row in a thousand is bad, in ten ways: each is told with its reason, put right, and moves; no other is."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from backfills.domain import wording
from backfills.domain.judgement import Fate
from backfills.domain.runs import RunState
from backfills.domain.spec import load
from backfills.models import DeadLetter, OutcomeTotal, Retry, Run
from backfills.services import retries, runs
from core import queue
from core.actor import Actor
from core.models import LedgerEntry
from core.tenancy import scope
from tests import airline, make, poison
from tests.databases import Platforms

HOUSE = Actor.system("tests")
ROWS, BATCH = 20_000, 2_000
BAD = [number for number in range(1, ROWS + 1) if number % poison.EVERY == 0]
LABELS = {version: load(poison.spec(version, batch=BATCH)).label for version in (1, 2)}
pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.slow]


@dataclass
class World:
    """Both platforms, the tenant whose customers move, and a mapping that may be changed."""

    platforms: Platforms
    tenant: Tenant
    folder: Path
    settings: Settings

    def map_by(self, version: int) -> None:
        """Bring a version of the mapping into force, as a deployment does."""
        folder = self.folder / str(version)
        folder.mkdir()
        (folder / "customers.yaml").write_text(poison.spec(version, batch=BATCH))
        self.settings.MAPPING_FOLDER = folder

    def move(self) -> Run:
        """Run to the end."""
        (run,) = runs.start(tenant_id=self.tenant.pk, by=HOUSE, at=timezone.now())
        queue.run_pending()
        return Run.objects.get(pk=run.pk)

    def retry(self, run: Run) -> Run:
        """Judge the rejected rows again, and return the run as it then stands."""
        retries.request(run=run, by=HOUSE, at=timezone.now())
        queue.run_pending()
        return Run.objects.get(pk=run.pk)

    def written(self) -> dict[tuple[str, str], str]:
        """Which transaction wrote each customer, and each line of provenance: a row that is touched has another one."""
        query = (
            "SELECT 'customer', id::text, xmin::text FROM clean.customer"
            " UNION ALL SELECT 'provenance', source_key, xmin::text FROM platform.provenance"
        )
        return {(kind, key): by for kind, key, by in airline.new_rows(self.platforms, query)}

    def specs(self) -> dict[str, int]:
        """How many objects say of each version of the mapping that it made them."""
        return dict(airline.new_rows(self.platforms, "SELECT spec, count(*) FROM platform.provenance GROUP BY spec"))


@pytest.fixture
def world(platforms: Platforms, settings: Settings, tmp_path: Path) -> Iterator[World]:
    poison.create(platforms, rows=ROWS)
    airline.use(platforms, settings)
    settings.QUEUE_RINGS = False
    tenant = make.tenant("Customers & Co", legacy_ref="A")
    with scope(tenant_id=tenant.pk):
        made = World(platforms, tenant, tmp_path, settings)
        made.map_by(1)
        yield made


def totals(run: Run) -> dict[str, int]:
    return {f"{one.fate} {one.rule}".strip(): one.count for one in OutcomeTotal.objects.filter(run=run)}


def letters(*states: str) -> dict[int, DeadLetter]:
    return {int(letter.source_key): letter for letter in DeadLetter.objects.filter(state__in=states)}


def figures(run: Run) -> list[dict[str, Any]]:
    found = Retry.objects.filter(run=run).order_by("requested_at")
    return [dict(one) for one in found.values("state", "spec", "asked", "settled", "changed", "problem")]


def test_ten_kinds_of_bad_rows_are_told_put_right_and_moved_and_no_other_row_is_touched(world: World) -> None:
    run = world.move()

    # Each in dead letters, with its reason; every row accounted for.
    found = letters("open")
    assert sorted(found) == BAD
    assert {poison.kind(number) for number in found} == set(range(poison.KINDS))
    for number, letter in found.items():
        kind = poison.kind(number)
        assert (letter.rule, letter.sqlstate, letter.column) == poison.REASONS[kind], number
        assert (letter.spec, letter.attempts, letter.run_id) == (LABELS[1], 1, run.pk)
    assert (run.state, run.spec, run.changed) == (RunState.SUCCEEDED, LABELS[1], ROWS - len(BAD))
    assert sum(totals(run).values()) == run.source_total == ROWS
    assert sum(count for name, count in totals(run).items() if name.startswith("quarantined ")) == len(BAD)
    before = world.written()

    # A new version of the mapping mends what a mapping can mend; only what was rejected is judged again.
    world.map_by(2)
    run = world.retry(run)
    left = letters("open", "retrying")
    assert sorted(left) == [number for number in BAD if poison.kind(number) not in poison.BY_SPEC]
    assert {(letter.attempts, letter.spec) for letter in left.values()} == {(2, LABELS[2])}
    assert {poison.kind(n): (one.rule, one.sqlstate, one.column) for n, one in left.items()} == {
        kind: reason for kind, reason in poison.REASONS.items() if kind not in poison.BY_SPEC
    }
    assert sum(totals(run).values()) == run.source_total == ROWS

    # The customer corrects the others in legacy.
    airline.legacy_do(world.platforms, poison.CORRECTED.format(every=poison.EVERY))
    run = world.retry(run)
    assert letters("open", "retrying") == {}
    resolved = letters("resolved")
    assert sorted(resolved) == BAD
    assert {bytes(letter.payload) for letter in resolved.values()} == {b""}
    assert (run.state, run.spec) == (RunState.SUCCEEDED, LABELS[1])
    assert totals(run) == {"migrated": ROWS - 2, "transformed no_such_zone": 2}
    half = len(BAD) // 2
    done = {"state": "done", "spec": LABELS[2], "changed": half, "settled": half, "problem": ""}
    assert figures(run) == [{**done, "asked": len(BAD)}, {**done, "asked": half}]

    # Exactly those were written, and each says which version made it.
    after = world.written()
    new = after.keys() - before.keys()
    assert new == {(kind, str(number)) for number in BAD for kind in ("customer", "provenance")}
    assert {key: by for key, by in after.items() if key not in new} == before
    assert world.specs() == {LABELS[1]: ROWS - len(BAD), LABELS[2]: len(BAD)}

    # A whole run by the new version agrees with what the retries did.
    again = world.move()
    assert (again.state, again.spec, again.changed) == (RunState.SUCCEEDED, LABELS[2], 0)
    assert totals(again) == totals(run)
    assert world.specs() == {LABELS[2]: ROWS}


def test_no_value_of_a_bad_row_is_told(world: World) -> None:
    run = world.move()
    spec = load(poison.spec(1, batch=BATCH))
    for letter in letters("open").values():
        words = wording.of(spec, fate=Fate.QUARANTINED, rule=letter.rule, column=letter.column)
        told = f"{words.because} {words.fix} {letter.rule} {letter.column} {letter}"
        for value in ("12,50", "999999999999999", "20130230", "2561", "Mars", "6000"):
            assert value not in told
            assert value.encode() not in bytes(letter.payload)
        assert letter.payload
        assert words.because
        assert words.fix
    entries = LedgerEntry.objects.filter(chain=run.tenant_id)
    assert not [entry for entry in entries if "Mars" in entry.body or "12,50" in entry.body]
    kinds = Counter(poison.kind(number) for number in letters("open"))
    assert set(kinds.values()) == {ROWS // poison.EVERY // poison.KINDS}
