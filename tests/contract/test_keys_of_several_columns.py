"""Rows whose key is made of several columns: read in pieces, found, merged and compared, by the fakes and for real."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from uuid import UUID, uuid4

import psycopg
import pytest
from django.utils import timezone

from backfills.domain import spec
from backfills.domain.spec import Rule, Spec, Then
from core.comparison import Plan, Segment
from core.moving import LoadOrder, RunPosition
from core.ports import DataMover, LegacyPlatform, Rejected
from portal.adapters.comparison import DuckComparison
from portal.adapters.legacy import PostgresLegacy
from portal.adapters.newplatform import PostgresMover
from tests import airline
from tests.databases import Platforms
from tests.fakes.platforms import FakeLegacy, FakeMover
from tests.fakes.rows import decode
from tests.moving import KEY

SHADES = spec.load("""\
format: crossing-mapping/1
entity: shades
version: 1
title: Shades
batch: 100
source:
  system: legacy
  table: Old Lines
  tenant: Owner
  key: {column: line, of: {colour: text, at: bigint, day: date, who: uuid}}
  columns:
    colour: {named: The "Colour", class: public}
    at: {class: public}
    day: {class: public}
    who: {class: public}
    shade: {named: 2B, class: public}
target: {table: platform.shade, tenant: account_id, key: colour}
columns:
  colour: {is: upper(colour), type: text, required: true, class: public}
  shade: {is: shade, type: text, class: public}
duplicates: {name: same_colour, then: merge, because: Each colour once.}
""")
DDL = '''
DROP TABLE IF EXISTS "Old Lines";
CREATE TABLE "Old Lines" (
    "Owner" text, "The ""Colour""" varchar(20), at smallint, day date, who uuid, "2B" text
)
'''
NEW = """
DROP TABLE IF EXISTS platform.shade;
CREATE TABLE platform.shade (account_id uuid, colour text COLLATE "C", shade text, PRIMARY KEY (account_id, colour));
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.shade TO new_loader
"""
WHO = "00000000-0000-4000-8000-00000000000a"
ROWS = [("a", 10), ("a", 2), ("B", 3), ("50%/50", 1), ("it's\t", 1), ("A", 11)]
IN_ORDER = [("50%/50", 1), ("A", 11), ("B", 3), ("a", 2), ("a", 10), ("it's\t", 1)]


def key(colour: str, at: int) -> str:
    return f"{colour.replace('%', '%25').replace('/', '%2F')}/{at}/2024-02-29/{WHO}"


@pytest.fixture(params=["fake", "postgres"])
def world(request: pytest.FixtureRequest) -> Iterator[tuple[LegacyPlatform, DataMover, Platforms | None]]:
    rows = [
        {"Owner": "ZZ", 'The "Colour"': colour, "at": str(at), "day": "2024-02-29", "who": WHO, "2B": f"{colour}{at}"}
        for colour, at in ROWS
    ]
    rows.append({**rows[0], "Owner": "YY"})
    if request.param == "fake":
        FakeLegacy.reset()
        FakeMover.reset()
        FakeLegacy.tables["Old Lines"] = rows
        yield FakeLegacy(), FakeMover(), None
        FakeLegacy.reset()
        FakeMover.reset()
        return
    platforms: Platforms = request.getfixturevalue("airline_platforms")
    airline.empty_new(platforms)
    with psycopg.connect(platforms.legacy_owner, autocommit=True) as legacy:
        legacy.execute(DDL)
        for row in rows:
            legacy.execute('INSERT INTO "Old Lines" VALUES (%s, %s, %s, %s, %s, %s)', [*row.values()])
    with psycopg.connect(platforms.new_owner, autocommit=True) as new:
        new.execute(NEW)
    yield PostgresLegacy(url=platforms.legacy_reader), PostgresMover(url=platforms.new_loader, keys=[KEY]), platforms
    airline.legacy_do(platforms, 'DROP TABLE "Old Lines"')


def read(legacy: LegacyPlatform, **asked: object) -> list[str]:
    rows = legacy.read(spec=SHADES, tenant_ref="ZZ", **{"after": None, "limit": 100, **asked})  # type: ignore[arg-type]
    return [str(row["line"]) for row in decode(SHADES, rows)]


def test_pieces_follow_each_other_in_the_columns_own_order(world):
    legacy, _, _ = world
    every = [key(*one) for one in IN_ORDER]
    assert legacy.count(spec=SHADES, tenant_ref="ZZ") == 6
    assert read(legacy) == every
    assert read(legacy, limit=4) == every[:4]
    assert read(legacy, after=every[3]) == every[4:]
    assert read(legacy, after=every[0], until=every[4]) == every[1:5]
    assert legacy.divide(spec=SHADES, tenant_ref="ZZ", parts=2) == (every[2],)


def test_rows_are_found_by_the_text_of_their_key(world):
    legacy, _, _ = world
    wanted = [key("a", 2), key("50%/50", 1), key("a", 3), "a/2", "nothing like it"]
    rows = legacy.read_keys(spec=SHADES, tenant_ref="ZZ", keys=wanted)
    assert (rows.count, rows.first_key, rows.last_key) == (2, key("50%/50", 1), key("a", 2))


@pytest.mark.slow
def test_of_rows_with_one_object_the_first_that_is_read_has_it_and_the_comparison_agrees(world):
    legacy, mover, platforms = world
    account = uuid4()
    position = move(legacy, mover, account)
    assert position.totals == {("migrated", ""): 4, ("merged", "same_colour"): 2}
    trace = mover.trace(account_id=account, entity="shades", system="legacy", key=key("a", 2))
    assert (trace.fate, trace.holder) == ("merged", key("A", 11))
    if platforms:
        assert compared(platforms, account) == []
        airline.legacy_do(platforms, """DELETE FROM "Old Lines" WHERE at = 11 AND "Owner" = 'ZZ'""")
        move(legacy, mover, account)
        trace = mover.trace(account_id=account, entity="shades", system="legacy", key=key("a", 10))
        assert (trace.fate, trace.holder) == ("merged", key("a", 2))  # 2 comes before 10, as numbers do
        move(legacy, mover, account)  # the object has a new first row, whose values the next run brings
        assert compared(platforms, account) == []
        airline.legacy_do(platforms, """UPDATE "Old Lines" SET "2B" = 'other' WHERE at = 3""")
        assert compared(platforms, account) == [("B", "different")]


def move(legacy: LegacyPlatform, mover: DataMover, account: UUID, shades: Spec = SHADES) -> RunPosition:
    order = LoadOrder(uuid4(), account, "Zebra", "ZZ", "shades", {"shades": shades}, timezone.now())
    total = legacy.count(spec=SHADES, tenant_ref="ZZ")
    position = mover.open_run(order=order, source_total=total)
    while not position.loaded:
        position = mover.load(
            order=order,
            read=lambda after, until: legacy.read(
                spec=SHADES, tenant_ref="ZZ", after=after, until=until, limit=shades.batch
            ),
        )
    return mover.finish(order=order, source=legacy.keys(spec=SHADES, tenant_ref="ZZ"))


def compared(platforms: Platforms, account: UUID) -> list[tuple[str, str]]:
    engine = DuckComparison(legacy=platforms.legacy_reader, new=platforms.new_loader, settle=0, threads=1)
    plan = Plan("shades", SHADES, {"shades": SHADES}, legacy_tenant="ZZ", new_tenant=str(account))
    found: list[tuple[str, str]] = []
    assert engine.divide(plan, size=100) == (Segment(),)
    for segment in engine.divide(plan, size=2):
        assert segment.of > 1  # no range of such keys means the same on both sides
        engine.compare(plan, segment=segment, report=lambda one: found.append((one.key, one.kind)))
    return found


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_a_row_without_its_key_is_told_before_anything_moves(world):
    legacy, _, platforms = world
    airline.legacy_do(platforms, """UPDATE "Old Lines" SET day = NULL WHERE at = 3""")
    with pytest.raises(Rejected, match='1 rows of Old Lines in legacy have no The "Colour" or at'):
        legacy.count(spec=SHADES, tenant_ref="ZZ")


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_a_name_that_legacy_does_not_know_is_told(world):
    legacy, _, platforms = world
    airline.legacy_do(platforms, """ALTER TABLE "Old Lines" RENAME "2B" TO "2C" """)
    with pytest.raises(Rejected, match=r"refused the request .42703: column s.2B does not exist."):
        legacy.read(spec=SHADES, tenant_ref="ZZ", after=None, limit=9)
    airline.legacy_do(platforms, """REVOKE SELECT ON "Old Lines" FROM legacy_reader""")
    with pytest.raises(Rejected, match=r"refused the request .42501: permission denied for table Old Lines."):
        legacy.count(spec=SHADES, tenant_ref="ZZ")


def test_a_key_that_stands_again_behind_the_last_row_is_refused(world):
    legacy, _, platforms = world
    if platforms:
        airline.legacy_do(platforms, """INSERT INTO "Old Lines" SELECT * FROM "Old Lines" WHERE at = 3""")
    else:
        rows = FakeLegacy.tables["Old Lines"]
        rows.append(next(row for row in rows if row["at"] == "3"))
    read = partial(legacy.read, spec=SHADES, tenant_ref="ZZ", after=None)
    with pytest.raises(Rejected, match="rows without a key of their own cannot be told apart"):
        read(limit=3)
    assert [read(limit=limit).last_key for limit in (2, 4, 6)] == [key("A", 11), key("B", 3), key("a", 10)]


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_a_batch_that_no_worker_could_hold_is_refused_with_what_to_do(world, monkeypatch):
    monkeypatch.setattr("portal.adapters.legacy.bounds.LARGEST", 500)
    read = partial(world[0].read, spec=SHADES, tenant_ref="ZZ", after=None)
    assert read(limit=2).count == 2
    with pytest.raises(Rejected, match="must name a smaller `batch`"):
        read(limit=6)


@pytest.mark.parametrize("batch", [50, 3], ids=["in a batch", "on the border of two"])
@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_rows_that_have_one_key_are_refused_with_what_to_do(world, batch):
    legacy, mover, platforms = world
    airline.legacy_do(platforms, """INSERT INTO "Old Lines" SELECT * FROM "Old Lines" WHERE at = 3""")
    with pytest.raises(Rejected, match='have one The "Colour" and at and day and who: rows without a key of their own'):
        move(
            legacy,
            mover,
            uuid4(),
            replace(SHADES, duplicates=Rule("duplicate_key", Then.QUARANTINE, "It stands twice."), batch=batch),
        )
