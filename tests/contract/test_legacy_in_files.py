"""A legacy platform in files: one reading per range, keys that can be told apart, and never half of two files."""

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from backfills.domain.spec import Changed, Exported
from core.moving import SourceKeys
from core.ports import Rejected, Unavailable
from portal.adapters.comparison import duck
from portal.adapters.comparison.platforms import csv_files, files
from portal.adapters.legacy import PostgresLegacy, by_address
from portal.adapters.legacy.engine import EngineLegacy
from tests.fakes.rows import decode
from tests.people import SPECS

PEOPLE = replace(SPECS["people"], changed=Changed("upd", "timestamp"))
HEADER = "own_cd,seq,nm,fee,flag,day,clock,zone,state,upd\n"


def person(seq, nm="Ann", upd="2026-11-26 08:00:00", owner="B6"):
    return f"{owner},{seq},{nm},1.5,Y,20130701,0930,NY,,{upd}\n"


@pytest.fixture
def export(tmp_path, monkeypatch):
    """What writes the export anew, as one should: beside it, and then renamed."""
    monkeypatch.setattr(files, "_SETTLED", 0)

    def write(*rows):
        (tmp_path / "anew").write_text(HEADER + "".join(rows), encoding="utf-8", newline="")
        (tmp_path / "anew").rename(tmp_path / "person_mast.csv")

    write(*(person(number) for number in (10, 9, 100, 1)), person(5, owner="AA"))
    return write


@pytest.fixture
def legacy(tmp_path, export):
    made = EngineLegacy(url=f"csv://{tmp_path}", threads=1)
    yield made
    made._forget()


def read(legacy, **asked):
    return legacy.read(**{"spec": PEOPLE, "tenant_ref": "B6", "after": None, "limit": 100} | asked)


def keys(legacy, **asked):
    return [row["seq"] for row in decode(PEOPLE, read(legacy, **asked))]


@pytest.fixture
def readings(monkeypatch):
    """What counts the readings of legacy."""
    opened, session = [], duck.session

    def counted(*args, **options):
        opened.append(args)
        return session(*args, **options)

    monkeypatch.setattr(duck, "session", counted)
    return opened


def test_an_address_says_what_legacy_is():
    assert isinstance(by_address(url="postgres://role@nowhere/legacy"), PostgresLegacy)
    assert isinstance(by_address(url=""), PostgresLegacy)
    assert isinstance(by_address(url="mariadb://role@nowhere/legacy"), EngineLegacy)
    with pytest.raises(Rejected, match=r"begins with none of postgres://, .*csv://"):
        by_address(url="oracle://role@nowhere/legacy").version(spec=PEOPLE)


def test_a_range_is_read_once_and_let_go_with_its_last_batch(legacy, readings):
    assert keys(legacy, limit=2) == ["1", "9"]
    assert keys(legacy, limit=1, after="9") == ["10"]
    assert keys(legacy, limit=2, after="10") == ["100"]
    assert len(readings) == 1
    assert legacy._held is None
    assert keys(legacy, limit=2, after="10") == ["100"]
    assert len(readings) == 2


def test_whoever_asks_for_something_else_gets_that(legacy, readings):
    assert keys(legacy, limit=2) == ["1", "9"]
    assert keys(legacy, limit=2) == ["1", "9"]
    assert keys(legacy, limit=1, after="9", until="10") == ["10"]
    assert keys(legacy, limit=1, tenant_ref="AA") == ["5"]
    assert len(readings) == 4


def test_a_batch_that_no_worker_could_hold_is_refused_before_it_is_fetched(legacy, export, monkeypatch):
    export(person(1), person(2), person(3, "Ann" * 100), person(4))
    monkeypatch.setattr("portal.adapters.legacy.bounds.LARGEST", 200)
    assert keys(legacy, limit=1) == ["1"]
    for late in (partial(keys, legacy, limit=2, after="1"), partial(read_keys, legacy, "1", "3")):
        with pytest.raises(Rejected, match="must name a smaller `batch`"):
            late()
    assert legacy._held is None


def read_keys(legacy, *wanted):
    return legacy.read_keys(spec=PEOPLE, tenant_ref="B6", keys=wanted)


def test_what_nobody_asks_for_any_more_is_let_go(tmp_path, export):
    legacy = EngineLegacy(url=f"csv://{tmp_path}", threads=1, patience=0)
    read(legacy, limit=2)
    legacy._forgetting.join(30)
    assert legacy._held is None


def test_a_file_that_is_replaced_has_another_version_and_nothing_of_it_comes_into_a_range(legacy, export):
    before = legacy.version(spec=PEOPLE)
    first = read(legacy, limit=2)
    assert first.version == before == legacy.keys(spec=PEOPLE, tenant_ref="B6").version
    export(*(person(number, "Zoë") for number in (1, 9, 10, 100)))
    rest = read(legacy, limit=2, after="9")
    assert (rest.version, [row["nm"] for row in decode(PEOPLE, rest)]) == (before, ["Ann", "Ann"])
    after = legacy.version(spec=PEOPLE)
    assert after != before
    assert after.startswith("sha256:")
    assert legacy.read_keys(spec=PEOPLE, tenant_ref="B6", keys=["1"]).version == after


def test_a_file_that_changes_while_it_is_read_gives_nothing(legacy, export, monkeypatch):
    version = csv_files.CsvFiles.version

    def late(self, table):
        found = version(self, table)
        export(person(1, "Late"))
        return found

    monkeypatch.setattr(csv_files.CsvFiles, "version", late)
    with pytest.raises(Unavailable, match="changed while it was read"):
        read(legacy)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([person(7), person("007")], "Several rows of person_mast in legacy have one seq"),
        ([person(7), person("")], "1 rows of person_mast in legacy have no seq"),
        ([person("7.0"), person("x"), person(8)], "In 2 rows of person_mast in legacy seq is no bigint"),
        ([person(2**63)], "is no bigint"),
    ],
)
def test_rows_that_no_key_tells_apart_are_refused_before_anything_moves(legacy, export, rows, told):
    export(*rows)
    with pytest.raises(Rejected, match=told):
        legacy.count(spec=PEOPLE, tenant_ref="B6")


def test_a_number_keeps_its_form_and_is_found_and_ordered_as_one(legacy, export):
    export(person("007"), person(10), person(6))
    assert (legacy.count(spec=PEOPLE, tenant_ref="B6"), keys(legacy)) == (3, ["6", "007", "10"])
    assert keys(legacy, after="007") == ["10"]
    assert legacy.read_keys(spec=PEOPLE, tenant_ref="B6", keys=["007"]).count == 1
    assert legacy.keys(spec=PEOPLE, tenant_ref="B6") == SourceKeys.of(["6", "007", "10"])


def test_a_key_that_stands_again_behind_the_last_row_is_refused(legacy, export):
    export(person(6), person(7), person("007"), person(8))
    with pytest.raises(Rejected, match="rows without a key of their own cannot be told apart"):
        read(legacy, limit=2)
    assert read(legacy, limit=1).last_key == "6"


def test_a_zero_byte_is_refused_by_its_table(legacy, export):
    export(person(1, "A\0nn"))
    with pytest.raises(Rejected, match="1 rows of person_mast in legacy hold a zero byte"):
        read(legacy)


def test_what_does_not_tell_when_it_changed_is_read_each_time(legacy, export):
    export(person(1), person(2, upd="yesterday"), person(3, upd=""), person(4, upd="2026-11-26 12:00:00"))
    since = datetime(2026, 11, 26, 10, tzinfo=UTC)
    assert keys(legacy, since=since) == ["2", "3", "4"]
    assert keys(legacy, since=since, also=("1",)) == ["1", "2", "3", "4"]
    held = b"".join(legacy.held(spec=PEOPLE, tenant_ref="B6", since=since)).decode().splitlines()
    assert sorted(held) == ["1\tf", "2\tt", "3\tt", "4\tt"]


def test_a_file_may_be_named_as_it_is_and_only_in_a_folder_of_such(legacy, tmp_path):
    named = replace(PEOPLE, source_table="People of 2026.10.CSV", source_is_file=True)
    (tmp_path / "person_mast.csv").rename(tmp_path / "People of 2026.10.CSV")
    assert legacy.count(spec=named, tenant_ref="B6") == 4
    assert read(legacy, spec=named).version == legacy.version(spec=named)
    with closing(sqlite3.connect(tmp_path / "legacy.sqlite")) as made:
        made.execute("CREATE TABLE other (one)")
    for url in (f"parquet://{tmp_path}", f"sqlite://{tmp_path}/legacy.sqlite"):
        with pytest.raises(Rejected, match=r"reads people from the file People of 2026\.10\.CSV, and the legacy"):
            EngineLegacy(url=url).count(spec=named, tenant_ref="B6")


def test_a_file_that_is_not_there_is_told_by_its_name_alone(tmp_path):
    with pytest.raises(Rejected) as refused:
        EngineLegacy(url=f"csv://{tmp_path}").count(spec=PEOPLE, tenant_ref="B6")
    assert str(refused.value) == "The legacy platform has no file person_mast.csv; put it there and try again."


def test_an_export_tells_as_of_when_it_is_by_the_way_that_the_mapping_says(legacy, export, tmp_path):
    def as_of(**declared):
        return legacy.as_of(spec=replace(PEOPLE, exported=Exported(**declared)), tenant_ref="B6")

    os.utime(tmp_path / "person_mast.csv", (1.8e9, 1.8e9))
    written = datetime.fromtimestamp(1.8e9, UTC)
    assert legacy.as_of(spec=PEOPLE, tenant_ref="B6") is None
    assert as_of(within_minutes=30) == written - timedelta(minutes=30)
    assert as_of(at=written - timedelta(days=1)) == written - timedelta(days=1)
    assert as_of(at=written + timedelta(days=1)) == written, "no file holds what came after it"
    assert as_of(column=Changed("upd", "timestamp")) == datetime(2026, 11, 26, 8, tzinfo=UTC)
