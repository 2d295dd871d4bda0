"""A platform in MariaDB: what its scanner would change arrives as it is, in one snapshot, and nothing else passes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backfills.domain.spec import Changed
from core.comparison import Segment
from core.ports import Rejected, Unavailable
from portal.adapters.comparison import DuckComparison, duck
from portal.adapters.comparison.platforms import Rows, Sources, mysql
from tests import mariadb
from tests.people import NEW_FILES, NEW_YORK, SPECS, ZONES_MOVED, in_files, legacy_person, new_person, plan

pytestmark = [pytest.mark.slow, pytest.mark.skipif(mariadb.MISSING, reason=mariadb.WHY)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with mariadb.server(tmp_path_factory.mktemp("m")) as found:
        yield found


def session(server):
    return duck.session({"new": server.address}, memory_limit="200MB", threads=1)


def read(server, table, kinds, tenant="t"):
    with session(server) as opened:
        found = opened.platform("new")
        relation = found.values(opened, Rows(table, "owner", tenant), found.gate(opened, table, kinds))
        return opened.rows(f"SELECT COLUMNS(*)::VARCHAR FROM {relation}")


def test_what_the_scanner_would_change_arrives_as_it_is(server):
    server.run(
        "SET sql_mode = ''; CREATE TABLE odd "
        "(owner varchar(9), n decimal(65,30), z date, b tinyint(1), u bigint unsigned);"
        "INSERT INTO odd VALUES ('t', '12345678901234567890123456789012345.12', '0000-00-00', 2, 18446744073709551615);"
    )
    kinds = {"n": "numeric", "z": "date", "b": "boolean", "u": "numeric(20,0)"}
    assert read(server, "odd", kinds) == [
        (
            "12345678901234567890123456789012345.12",
            None,
            "0000-00-00",
            None,
            "(unreadable) 2",
            "18446744073709551615",
            None,
        )
    ]


def test_moments_are_utc_whatever_the_servers_zone_and_a_datetime_is_no_moment(server):
    server.run(
        "SET GLOBAL time_zone = '+05:00'; CREATE TABLE moments (owner varchar(9), d datetime(6), m timestamp(6) NULL);"
        "INSERT INTO moments VALUES ('t', '2013-07-01 12:00:00.5', '2013-07-01 12:00:00.5');"
    )
    kinds = {"d": "timestamp", "m": "timestamptz"}
    assert read(server, "moments", kinds) == [("2013-07-01 12:00:00.5", None, "2013-07-01 12:00:00.5+00", None)]
    server.run("SET GLOBAL time_zone = 'SYSTEM';")
    with pytest.raises(Rejected, match="datetime, which says no timestamptz exactly"):
        read(server, "moments", {"d": "timestamptz"})


def test_a_collation_brings_no_row_of_another_tenant_and_loses_none(server, monkeypatch):
    """Fetched by threes, by a key whose collation equates what differs."""
    monkeypatch.setattr(mysql, "_CHUNK", 3)
    keys = ["a", "a ", "b", "B b", "é", "e", "E", "ss", "ß", "z'\\", "Ω"]
    rows = ", ".join(f"('t', X'{key.encode().hex()}', {number})" for number, key in enumerate(keys))
    server.run(
        "CREATE TABLE keyed (owner varchar(9), k varchar(20), n int, PRIMARY KEY (k, n)) CHARACTER SET utf8mb4 "
        f"COLLATE utf8mb4_general_ci; INSERT INTO keyed VALUES {rows}, ('T', 'x', 98), ('t ', 'y', 99);"
    )
    assert sorted(row[0] for row in read(server, "keyed", {"k": "text"})) == sorted(keys)
    assert read(server, "keyed", {"k": "text"}, tenant="' OR '1'='1\\") == []


@pytest.mark.parametrize(
    ("kind", "keys", "asked", "sent"),
    [
        ("bigint", [1, 2, 3, 10, 20], {"after": "2", "upto": "10"}, ["10", "2", "3"]),
        ("bigint", [1, 2, 3], {"among": ("3", "7")}, ["3"]),
        ("text", ["B", "a", "b", "é", "z"], {"after": "a", "upto": "z"}, ["a", "b", "z"]),
        ("text", ["B", "a", "b"], {"upto": "Z"}, ["B"]),
        ("text", ["B", "a", "b"], {"among": ("b",)}, ["B", "b"]),  # its collation equates them: too many, never too few
    ],
)
def test_the_server_leaves_out_what_is_not_asked_for(server, kind, keys, asked, sent):
    declared = "bigint" if kind == "bigint" else "varchar(9)"
    rows = ", ".join(f"('t', '{key}')" for key in keys)
    server.run(
        f"DROP TABLE IF EXISTS sent; CREATE TABLE sent (owner varchar(9), k {declared}) CHARACTER SET utf8mb4 "
        f"COLLATE utf8mb4_general_ci; INSERT INTO sent VALUES {rows};"
    )
    spec = replace(
        SPECS["badges"], source_table="sent", source_tenant="owner", key_column="k", key_parts=(("k", kind),),
        source_columns={"k": True},
    )  # fmt: skip
    with session(server) as opened:
        relation = opened.platform("new").texts(opened, Sources(spec, "t", **asked))
        fetched = opened.rows('SELECT k FROM "new rows of sent" ORDER BY k')
        assert [str(row[0]) for row in fetched] == sent
        assert {row[0] for row in opened.rows(f"SELECT k FROM {relation}")} <= set(sent)


DAYS = [
    f"{one}:00" for one in ("2026-11-26 10:30", "2026-11-26 10:29", "2026-00-26 0:0", "0-0-0 0:0", "2026-02-30 0:0")
]


@pytest.mark.parametrize(
    ("declared", "kind", "told", "sent", "late"),
    [
        ("datetime", "timestamp", DAYS, [0, 2, 3, 4], [0, 2, 3, 4]),
        ("datetime(6)", "timestamptz", DAYS, [0, 2, 3, 4], [0, 2, 3, 4]),
        ("timestamp NULL", "timestamptz", DAYS[:2], [0], [0]),
        ("varchar(40)", "timestamptz", ["2026-11-26 06:00:00-05", "2026-11-26 12:00:00+03"], [0, 1], [0]),
        ("date", "timestamp", ["2026-11-26", "2026-11-25"], [0, 1], [0, 1]),
    ],
)
def test_the_server_leaves_out_what_is_not_late_only_where_it_knows(server, declared, kind, told, sent, late):
    rows = ", ".join(f"('t', {number}, '{moment}')" for number, moment in enumerate(told))
    server.run(
        f"SET sql_mode = 'ALLOW_INVALID_DATES'; DROP TABLE IF EXISTS sent; CREATE TABLE sent (owner varchar(9), k"
        f" bigint, upd {declared}); INSERT INTO sent VALUES {rows}, ('t', 9, NULL);"
    )
    spec = replace(
        SPECS["badges"], source_table="sent", source_tenant="owner", key_column="k", key_parts=(("k", "bigint"),),
        source_columns={"k": True}, changed=Changed("upd", kind),
    )  # fmt: skip
    with session(server) as opened:
        since = datetime(2026, 11, 26, 10, 30, tzinfo=UTC)
        relation = opened.platform("new").texts(opened, Sources(spec, "t", since=since))
        found = [
            [int(k) for (k,) in opened.rows(f"SELECT k FROM {rows} ORDER BY k::INT")]
            for rows in ('"new rows of sent"', relation)
        ]
    assert found == [[*sent, 9], [*late, 9]]


def test_both_readings_of_one_session_see_one_snapshot_and_the_next_session_another(server):
    server.run("CREATE TABLE live (owner varchar(9), n int PRIMARY KEY); INSERT INTO live VALUES ('t', 1);")
    with session(server) as opened:
        found, rows = opened.platform("new"), Rows("live", "owner", "t")
        assert found.count(opened, rows) == 1
        server.run("INSERT INTO live VALUES ('t', 2);")
        assert found.count(opened, rows) == 1
        opened.renew()
        assert found.count(opened, rows) == 2


def test_a_table_without_snapshots_is_refused(server):
    server.run("CREATE TABLE isam (owner varchar(9), n int) ENGINE MyISAM;")
    with pytest.raises(Rejected, match="MyISAM, which has no snapshots"):
        read(server, "isam", {"n": "integer"})


def test_a_server_that_reads_without_a_snapshot_is_refused(server):
    server.run("CREATE TABLE plain (owner varchar(9), n int); SET GLOBAL tx_isolation = 'READ-COMMITTED';")
    try:
        with pytest.raises(Rejected, match="without a snapshot"):
            read(server, "plain", {"n": "integer"})
    finally:
        server.run("SET GLOBAL tx_isolation = 'REPEATABLE-READ';")


def test_nothing_is_written_and_no_credential_is_betrayed(server):
    server.run("CREATE TABLE kept (owner varchar(9), n int); GRANT ALL ON legacy.* TO reader@'127.0.0.1';")
    with pytest.raises(Unavailable), session(server) as opened:
        opened.rows("FROM mysql_query('new', 'INSERT INTO kept VALUES (''t'', 1)', stream_results = false)")
    assert server.run("SELECT count(*) FROM kept;").strip() == "0"
    with (
        pytest.raises(Unavailable) as caught,
        duck.session({"new": server.address.replace(str(server.port), "1")}, memory_limit="200MB", threads=1),
    ):
        pass
    assert str(caught.value) == "The new platform's database does not answer."
    assert mariadb.PASSWORD not in repr(mysql.MySql("new", server.address))


def test_a_server_that_ends_half_way_never_ends_in_an_answer(server):
    server.run("CREATE TABLE gone (owner varchar(9), n int PRIMARY KEY); INSERT INTO gone VALUES ('t', 1);")
    with pytest.raises(Unavailable, match="before everything was read"), session(server) as opened:
        found, rows = opened.platform("new"), Rows("gone", "owner", "t")
        assert found.count(opened, rows) == 1
        server.run("SELECT CONCAT('KILL ', id) FROM information_schema.processlist WHERE user = 'reader';")
        for line in server.run("SELECT id FROM information_schema.processlist WHERE user = 'reader';").split():
            server.run(f"KILL {line};")
        found.count(opened, rows)


def test_a_legacy_platform_in_mariadb_is_compared_as_any_other(server, tmp_path):
    columns = ", ".join(f"{column} text" for column in legacy_person(1) if column != "seq")
    server.run(
        f"CREATE TABLE person_mast (seq bigint PRIMARY KEY, {columns}); CREATE TABLE zone_mast "
        "(own_cd text, zone_cd text, tz_nm text);"
    )
    for table, rows in {"person_mast": [legacy_person(1, "Zoë"), legacy_person(2)], "zone_mast": [NEW_YORK]}.items():
        for row in rows:
            values = ", ".join("NULL" if one is None else f"'{one}'" for one in row.values())
            server.run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values});")
    tables = {"clean.zone": ZONES_MOVED, "clean.person": [new_person(1, "Zoë"), new_person(2, "ann")]}
    compared = DuckComparison(
        legacy=server.address, new=in_files("csv", tmp_path, tables, NEW_FILES), settle=0, threads=1
    )
    found = []
    compared.compare(plan(), segment=Segment(), report=found.append)
    assert [(one.key, one.kind, one.columns[0].column) for one in found] == [("2", "different", "name")]
