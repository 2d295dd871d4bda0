"""Platforms in files: hostile ones are refused in words, changing ones end in nothing, none is equal by accident."""

import dataclasses
import os
import sqlite3

import duckdb
import pytest

from backfills.domain import spec as specs
from core.comparison import Segment
from core.ports import Rejected, Unavailable
from portal.adapters.comparison import DuckComparison, duck
from portal.adapters.comparison.platforms import Rows, files, platform
from tests.engines import FILES
from tests.odd_parquet import unpacked
from tests.people import (
    LEGACY_FILES,
    NEW_FILES,
    NEW_YORK,
    PEOPLE,
    ZONES,
    ZONES_MOVED,
    in_files,
    legacy_person,
    new_person,
    plan,
)

SECRET = "Ann-in-person"


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(files, "_SETTLED", 0)


def comparison(tmp_path, legacy="csv", new="csv", people=(), moved=(), **options):
    people = people or [legacy_person(1, SECRET), legacy_person(2)]
    moved = moved or [new_person(1, SECRET), new_person(2)]
    return DuckComparison(
        legacy=in_files(legacy, tmp_path / "legacy", {"zone_mast": [NEW_YORK], "person_mast": people}, LEGACY_FILES),
        new=in_files(new, tmp_path / "new", {"clean.zone": ZONES_MOVED, "clean.person": moved}, NEW_FILES),
        settle=0,
        threads=1,
        memory_limit="300MB",
        **options,
    )


def differing(compared, the_plan=None):
    found = []
    findings = compared.compare(the_plan or plan(), segment=Segment(), report=found.append)
    assert findings.compared
    return [(difference.key, difference.kind) for difference in found]


QUICK = [pytest.param(one, marks=() if one in ("csv", "sqlite") else pytest.mark.slow) for one in FILES]


@pytest.mark.parametrize("engine", QUICK)
def test_either_side_may_be_files(tmp_path, engine):
    assert differing(comparison(tmp_path, legacy=engine, new=engine)) == []
    changed = comparison(
        tmp_path / "2", legacy=engine, new=engine, moved=[new_person(1, SECRET.lower()), new_person(3)]
    )
    assert sorted(differing(changed)) == [("1", "different"), ("2", "missing"), ("3", "extra")]


def refused(compared, *words, the_plan=None):
    with pytest.raises(Rejected) as caught:
        differing(compared, the_plan)
    for word in words:
        assert word in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__cause__ is None


def spoil(tmp_path, name, change):
    path = tmp_path / name
    path.write_bytes(change(path.read_bytes()))


CSV = "new/clean.person.csv"


def unused(data):
    return data[:-20]


SPOILT = [
    ("a field too many", lambda data: data + b't1,9,"x",,t,,"NY",more\n', ["line 4 has 8 fields", "names 7"]),
    ("a field too few", lambda data: data + b"t1,9\n", ["line 4 has 2 fields", "names 7"]),
    ("bytes that are no UTF-8", lambda data: data.replace(b"Ann-", b"\xff\xfe"), ["is not UTF-8"]),
    ("an empty field too many", lambda data: data + b't1,9,"x",,t,,"NY",\n', ["line 4 has 8 fields"]),
    ("an empty line", lambda data: data + b"\n", ["line 4 has 0 fields"]),
    ("an open quote", lambda data: data + b't1,9,"open', ["line 4"]),
    ("text behind a quote", lambda data: data.replace(b'"Ann-in-person"', b'"Ann"-in-person'), ["line 2"]),
    ("a header without a name", lambda data: data.replace(b"owner", b"", 1).replace(b'""', b"", 1), ["header"]),
    ("one name twice", lambda data: data.replace(b'"name"', b'"ID"', 1), ["header", "each once"]),
    ("a column less", lambda data: data.replace(b'"fee"', b'"fees"', 1), ["no column fee", "It has:", "fees"]),
    ("nothing at all", lambda data: b"", ["no file clean.person.csv"]),
    ("a key that is none", lambda data: data.replace(b'"2"', b'"x"', 1), ["1 rows", "id", "key"]),
    ("a key that is NULL", lambda data: data.replace(b'"2"', b"", 1), ["1 rows", "id", "key"]),
]


@pytest.mark.parametrize(("change", "words"), [one[1:] for one in SPOILT], ids=[one[0] for one in SPOILT])
def test_spoilt_csv_is_refused_with_its_line_and_without_its_values(tmp_path, change, words):
    compared = comparison(tmp_path)
    spoil(tmp_path, CSV, change)
    refused(compared, *words)


def test_csv_tells_nothing_from_an_empty_text_and_reads_what_it_is_told(tmp_path):
    (tmp_path / "t.csv").write_bytes(
        'owner;ID;v;w\r\nt;1;"";\r\nt;2;NULL;"NULL"\r\nt;3;"a;""b\nc";x\r\n'.encode("utf-8-sig")
    )
    kinds = {"id": "bigint", "v": "text", "w": "text"}
    found = sorted(row[::2] for row in read(f"csv://{tmp_path}?delimiter=;&null=NULL", kinds))
    assert found == [(1, "", ""), (2, None, "NULL"), (3, 'a;"b\nc', "x")]
    assert (1, "", None) in [row[::2] for row in read(f"csv://{tmp_path}?delimiter=;", kinds)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "name", "words"),
    [
        ("parquet", "new/clean.person.parquet", ["clean.person.parquet", "Parquet"]),
        ("duckdb", "new/platform.duckdb", ["platform.duckdb", "DuckDB"]),
        ("sqlite", "new/platform.sqlite", ["platform.sqlite"]),
    ],
)
@pytest.mark.parametrize("change", [unused, lambda data: data[: len(data) // 2], lambda data: b"x" * 9000])
def test_a_file_that_is_cut_or_is_another_kind_is_never_equal(tmp_path, engine, name, words, change):
    compared = comparison(tmp_path, new=engine)
    spoil(tmp_path, name, change)
    if engine == "duckdb" and change is unused:
        assert differing(compared) == []  # what is cut off pads a block; all that is compared is there
    else:
        refused(compared, *words)


@pytest.mark.parametrize(
    ("name", "words"),
    [("int96", "INT96"), ("nanos", "nanoseconds"), ("timens", "nanoseconds"), ("wide", "more than 38 digits")],
)
def test_parquet_that_the_engine_would_round_is_refused(tmp_path, name, words):
    (tmp_path / "t.parquet").write_bytes(unpacked(name))
    with duck.session({"new": f"parquet://{tmp_path}"}, memory_limit="200MB", threads=1) as session:
        found = session.platform("new")
        assert found.gate(session, "t", {"id": "bigint"})
        with pytest.raises(Rejected, match=words):
            found.gate(session, "t", {"v": "timestamptz"})
        with pytest.raises(Rejected, match=words):
            found.count(session, Rows("t", "v", "t"))


def read(address, kinds, table="t"):
    """The typed values of a table's rows, as text, each after its mark."""
    with duck.session({"new": address}, memory_limit="200MB", threads=1) as session:
        found = session.platform("new")
        gate = found.gate(session, table, kinds)
        with session.reading("new"):
            return session.rows(f"FROM {found.values(session, Rows(table, 'owner', 't'), gate)}")


def test_moments_finer_than_a_microsecond_are_told_apart(tmp_path):
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT 't' AS owner, unnest([TIMESTAMP_NS '2013-01-01 00:00:00.000000001', "
            "TIMESTAMP_NS '2013-01-01 00:00:00.000001']) AS v"
        )
    (fine, coarse) = sorted(read(f"duckdb://{tmp_path}/t.duckdb", {"v": "timestamp"}), key=lambda row: row[1] or "z")
    assert fine == (None, "2013-01-01 00:00:00.000000001")
    assert (coarse[0].microsecond, coarse[1]) == (1, None)


def test_a_collation_that_a_file_declares_makes_nothing_equal(tmp_path):
    tables = {"clean.zone": ZONES_MOVED, "clean.person": [new_person(1, SECRET.upper()), new_person(2)]}
    declared = NEW_FILES | {"clean.person": NEW_FILES["clean.person"] | {"name": "VARCHAR COLLATE NOCASE"}}
    compared = comparison(tmp_path, new="duckdb")
    address = in_files("duckdb", tmp_path / "new", tables, declared)
    assert differing(dataclasses.replace(compared, new=address)) == [("1", "different")]


def test_no_rows_of_another_tenant_are_read_because_a_collation_equates_them(tmp_path):
    path = tmp_path / "t.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (owner TEXT COLLATE NOCASE, v INTEGER)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [("t", 1), ("T", 2), ("t ", 3)])
    connection.close()
    assert [row[0] for row in read(f"sqlite://{path}", {"v": "bigint"})] == [1]


def test_sqlites_values_are_what_they_are_stored_as_whatever_their_column_says(tmp_path):
    path = tmp_path / "t.sqlite"
    values = [1, 1.5, 1e300, "2", "two", b"2", None, "2013-01-01", 0.1 + 0.2, 2**63 - 1]
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (owner, n, i, d DATE, v TEXT, b)")
        connection.executemany(
            "INSERT INTO t VALUES ('t', ?, ?, ?, ?, ?)", [(number, *[value] * 4) for number, value in enumerate(values)]
        )
    connection.close()
    kinds = {"n": "bigint", "i": "numeric", "d": "date", "b": "text"}
    found = {row[0]: row[2:] for row in read(f"sqlite://{path}", kinds)}
    assert [found[number][0] for number in range(len(values))][:7] == [
        "1", "1.5", "1" + "0" * 300, "2", "(unreadable) two", "(unreadable) \\x32", None,
    ]  # fmt: skip
    assert found[8][0] == "0.30000000000000004"
    assert found[9][0] == str(2**63 - 1)
    assert (str(found[7][1]), found[7][2]) == ("2013-01-01", None)
    assert found[0][1:3] == (None, "(unreadable) 1")
    assert [found[number][3:] for number in (0, 3, 5, 6)] == [
        ("1", None), ("2", None), (None, "(unreadable) \\x32"), (None, None),
    ]  # fmt: skip


def test_a_text_of_sqlites_that_is_no_utf8_is_refused(tmp_path):
    path = tmp_path / "t.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t AS SELECT 't' AS owner, CAST(x'ff61' AS TEXT) AS v")
    connection.close()
    with pytest.raises((Rejected, Unavailable)):
        read(f"sqlite://{path}", {"v": "text"})


def test_a_view_in_a_file_cannot_read_another_file(tmp_path):
    (tmp_path / "secret.csv").write_text("owner,v\nt,secret\n")
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        connection.execute(f"CREATE VIEW t AS SELECT * FROM read_csv('{tmp_path}/secret.csv')")
    with pytest.raises(Rejected):
        read(f"duckdb://{tmp_path}/t.duckdb", {"v": "text"})


def test_rows_whose_key_is_no_number_fall_out_of_no_segment(tmp_path):
    people = [legacy_person(number) for number in range(1, 20)] + [legacy_person("x"), legacy_person("19a")]
    compared = comparison(tmp_path, people=people, moved=[new_person(number) for number in range(1, 20)])
    segments = compared.divide(plan(), size=5)
    assert len(segments) > 2
    found, expected = [], 0
    for segment in segments:
        expected += compared.compare(plan(), segment=segment, report=found.append).expected
    assert expected == 21
    assert [(one.kind, one.because) for one in found] == [("missing", "value_not_accepted")] * 2


def test_measures_of_files_are_counted_in_them_again(tmp_path):
    moved = [new_person(1), new_person(1), new_person(3, zone="ZZ")]
    measures = comparison(tmp_path, new="sqlite", moved=moved).measure(plan())
    assert (measures.legacy_rows, measures.new_rows, measures.repeated, measures.orphans) == (2, 3, 1, {"zone": 1})


@pytest.mark.parametrize("engine", QUICK)
def test_a_file_that_changes_while_it_is_compared_ends_in_nothing(tmp_path, engine):
    compared = comparison(tmp_path, legacy=engine, moved=[new_person(1, "wrong"), new_person(2)])

    def change(_):
        (path,) = [one for one in (tmp_path / "legacy").iterdir() if "zone" not in one.name]
        path.write_bytes(path.read_bytes() + b"\n")

    with pytest.raises(Unavailable, match="changed while it was read"):
        differing(dataclasses.replace(compared, sleep=change))


def test_every_way_in_which_a_file_changes_is_seen(tmp_path):
    path = tmp_path / "t.sqlite"

    def same_size():
        path.write_bytes(b"b" * 10)

    def replaced():
        (tmp_path / "other").write_bytes(b"a" * 10)
        (tmp_path / "other").rename(path)

    def backdated():
        times = path.stat()
        path.write_bytes(b"c" * 10)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def journal():
        (tmp_path / "t.sqlite-wal").write_bytes(b"log")

    for change in (same_size, replaced, backdated, journal, path.unlink):
        path.write_bytes(b"a" * 10)
        watch = files.Watch("legacy")
        files._SETTLED = 0.05
        watch.begin(path, "-wal")
        watch.check()
        change()
        with pytest.raises(Unavailable, match="changed while it was read"):
            watch.check()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("oracle://legacy/x", "postgres://, "),
        ("csv://exports", "absolute path"),
        ("csv:///exp*rts", "absolute path"),
        ("csv:///exports?delimiter=ab", "one character"),
        ("csv:///exports?null=a,b", "NULL"),
        ("csv:///exports?quote='", "option quote"),
        ("sqlite:///nowhere/at/all.sqlite", "no file all.sqlite"),
    ],
)
def test_an_address_that_names_no_platform_is_refused_in_words(address, words):
    with pytest.raises(Rejected, match=words):
        platform(address, name="legacy").attach(duckdb.connect())


def test_what_is_no_plain_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "t.csv")
    with pytest.raises(Rejected, match="not a file"):
        read(f"csv://{tmp_path}", {"v": "text"})


@pytest.mark.slow
def test_a_table_that_is_not_there_is_refused_in_words(tmp_path):
    other = specs.load_set({"people": PEOPLE.replace("clean.person", "clean.nobody"), "zones": ZONES})
    for engine in FILES:
        compared = comparison(tmp_path / engine, new=engine)
        refused(compared, "nobody", the_plan=dataclasses.replace(plan(), spec=other["people"]))


def test_an_amount_is_compared_as_a_number_however_it_is_written(tmp_path):
    """150.00 in PostgreSQL, 1.5e2 in a spreadsheet's CSV, a REAL in SQLite."""
    compared = comparison(tmp_path)
    spoil(tmp_path, CSV, lambda data: data.replace(b'"150.00"', b'"1.5e2"', 1))
    assert differing(compared) == []
    sqlite = comparison(
        tmp_path / "2", new="sqlite", moved=[new_person(1, SECRET, fee=150.0), new_person(2, fee=150.5)]
    )
    assert differing(sqlite) == [("2", "different")]
