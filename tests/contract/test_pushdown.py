"""A re-check says what the full comparison says, record by record, whatever way it takes to it."""

import dataclasses
import threading
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from hypothesis import given

from backfills.domain import spec as specs
from core.ports import Unavailable
from portal.adapters.comparison import DuckComparison, pushdown, servers
from tests import databases, people, things
from tests.people import fill
from tests.rechecks import agreed, kinds, platforms, recheck, some
from tests.things import legacy_thing, new_thing, plan


@pytest.fixture(scope="module")
def pair():
    with databases.platforms(kind="pushdown") as pair:
        yield pair


@pytest.fixture
def comparison(pair, monkeypatch):
    """With few records, one that differs is most of a bucket: here that is no reason to read everything."""
    monkeypatch.setattr(pushdown, "STREAM_ABOVE", 1.0)
    things.make(pair.legacy_owner, pair.new_owner)
    return DuckComparison(legacy=pair.legacy_reader, new=pair.new_loader, settle=0, threads=1, memory_limit="300MB")


@pytest.fixture
def md5(comparison, pair):
    """The same where PostgreSQL's own hash is not to be trusted: a padded text is one of the types."""
    things.make(pair.legacy_owner, pair.new_owner, name="character(9)")
    return comparison


TRAPS = [
    # what legacy holds, what the new platform holds, the columns that differ
    ({}, {}, ()),
    ({"nm": None}, {"name": "NULL"}, ("name",)),
    ({"nm": None}, {"name": ""}, ("name",)),
    ({"nm": ""}, {"name": None}, ("name",)),
    ({"nm": "N"}, {"name": None}, ("name",)),
    ({"nm": " Ann "}, {}, ()),
    ({}, {"name": "ann"}, ("name",)),
    ({}, {"name": " Ann"}, ("name",)),
    ({"nm": "é"}, {"name": "e\u0301"}, ("name",)),
    ({"nm": "a|"}, {"name": "a"}, ("name",)),
    ({"nm": "\\"}, {"name": "\\\\"}, ("name",)),
    ({"fee": "1.501"}, {}, ("fee",)),
    ({"fee": None}, {"fee": Decimal("NaN")}, ("fee",)),
    ({"fee": None}, {"fee": Decimal(0)}, ("fee",)),
    ({"fee": "0"}, {"fee": Decimal("NaN")}, ("fee",)),
    ({"fee": "1.50"}, {}, ()),
    ({"fee": "NaN"}, {"fee": None}, ("fee",)),
    ({"fee": "NaN"}, {"fee": Decimal("NaN")}, ("fee",)),
    ({"qty": "007"}, {}, ()),
    ({"qty": "x"}, {"quantity": None}, ("quantity",)),
    ({"flag": "?"}, {"active": None}, ("active",)),
    ({"flag": "N"}, {"active": None}, ("active",)),
    ({"day": "20130230"}, {"on_day": None, "begins_at": None}, ("on_day", "begins_at")),
    ({"clock": None}, {"begins_at": None}, ()),
    ({"clock": "2500"}, {"begins_at": None}, ("begins_at",)),
    ({}, {"begins_at": datetime(2013, 7, 1, 13, 30, 0, 1, tzinfo=UTC)}, ("begins_at",)),
    ({}, {"begins_at": datetime(2013, 7, 1, 13, 30, 0, 500_000, tzinfo=UTC)}, ("begins_at",)),
    ({}, {"begins_at": "infinity"}, ("begins_at",)),
    ({}, {"on_day": "5874897-12-31"}, ("on_day",)),
    ({"ref": things.REFERENCE.upper()}, {}, ()),
    ({"ref": "no-uuid"}, {"reference": None}, ("reference",)),
    ({}, {"nothing": ""}, ("nothing",)),
]


@pytest.mark.parametrize("way", ["comparison", pytest.param("md5", marks=pytest.mark.slow)])
def test_every_trap_is_told_as_the_full_comparison_tells_it(way, pair, request):
    comparison = request.getfixturevalue(way)
    legacy = [legacy_thing(number, **{"nm": "Ann", **changed}) for number, (changed, _, _) in enumerate(TRAPS)]
    new = [new_thing(number, **{"name": "Ann", **changed}) for number, (_, changed, _) in enumerate(TRAPS)]
    found, exact = agreed(comparison, pair, legacy, new)
    assert not exact
    # In a padded column the values of text traps are others; there it is enough that both agree.
    if way == "comparison":
        assert {one.key: tuple(column.column for column in one.columns) for one in found} == {
            str(number): columns for number, (_, _, columns) in enumerate(TRAPS) if columns
        }


@pytest.mark.parametrize("way", ["comparison", pytest.param("md5", marks=pytest.mark.slow)])
def test_buckets_of_many_records_are_divided_before_their_records_are_listed(way, pair, request, monkeypatch):
    monkeypatch.setattr(pushdown, "PER_BUCKET", 100)
    monkeypatch.setattr(pushdown, "_LISTED", 20)
    listed = []
    told = pushdown._told
    monkeypatch.setattr(pushdown, "_told", lambda one, two, **rest: listed.append((one, two)) or told(one, two, **rest))
    legacy = [legacy_thing(number) for number in range(1, 400)]
    new = [new_thing(number, quantity=8 if number == 33 else 7) for number in range(1, 400) if number != 77]
    found, exact = agreed(request.getfixturevalue(way), pair, legacy, [*new, new_thing(900)])
    assert kinds(found) == [("33", "different"), ("77", "missing"), ("900", "extra")]
    assert not exact
    ((promised, held),) = listed
    assert 2 <= len(promised) < 100
    assert len(held) < 100


@pytest.mark.slow
def test_a_key_that_stands_twice_on_both_sides_is_found_in_a_divided_bucket(comparison, pair, monkeypatch):
    monkeypatch.setattr(pushdown, "_LISTED", 0)
    twice = [legacy_thing(1), legacy_thing(1), legacy_thing(2)], [new_thing(1), new_thing(1), new_thing(2)]
    found, exact = agreed(comparison, pair, *twice)
    assert kinds(found) == [("1", "duplicate")]
    assert not exact


@pytest.mark.slow
def test_a_padded_text_is_not_taken_for_a_longer_one(md5, pair):
    found, exact = agreed(
        md5,
        pair,
        [legacy_thing(1, "a"), legacy_thing(2, "a\u00a0"), legacy_thing(3, None), legacy_thing(4, "ab")],
        [new_thing(1, "a"), new_thing(2, "a"), new_thing(3, ""), new_thing(4, "a")],
    )
    assert kinds(found) == [("2", "different"), ("3", "different"), ("4", "different")]
    assert not exact


@pytest.mark.parametrize("way", ["comparison", pytest.param("md5", marks=pytest.mark.slow)])
def test_values_that_two_records_of_a_bucket_have_exchanged_are_noticed(way, pair, request):
    """A sum of hashes that are sums themselves would be the same."""
    found, exact = agreed(
        request.getfixturevalue(way),
        pair,
        [legacy_thing(1, "Ann", qty="1"), legacy_thing(2, "Bob", qty="2")],
        [new_thing(1, "Bob", quantity=1), new_thing(2, "Ann", quantity=2)],
    )
    assert kinds(found) == [("1", "different"), ("2", "different")]
    assert not exact


def test_missing_extra_held_back_and_dropped_records_are_counted_alike(comparison, pair):
    found, exact = agreed(
        comparison,
        pair,
        [
            legacy_thing(1),
            legacy_thing(2, state="A"),
            legacy_thing(3, state="Q"),
            legacy_thing(5),
            legacy_thing(9, own_cd="AA"),
        ],
        [new_thing(1), new_thing(2), new_thing(4), new_thing(8, owner="t2")],
    )
    assert kinds(found) == [("2", "extra"), ("3", "missing"), ("4", "extra"), ("5", "missing")]
    assert found[1].because == "contested"
    assert not exact


@pytest.mark.slow
def test_a_key_that_stands_twice_is_found_even_where_it_does_on_both_sides(comparison, pair):
    found, exact = agreed(
        comparison,
        pair,
        [legacy_thing(number) for number in (1, 1, 2, 3, 3, 4)],
        [new_thing(number) for number in (1, 1, 2, 2, 3, 4)],
    )
    assert kinds(found) == [("1", "duplicate"), ("2", "duplicate"), ("3", "duplicate")]
    assert not exact
    twice = [legacy_thing(1), legacy_thing(1), legacy_thing(2)], [new_thing(1), new_thing(1), new_thing(2)]
    found, exact = agreed(comparison, pair, *twice)  # the sums of both sides are the same
    assert kinds(found) == [("1", "duplicate")]
    assert not exact


@pytest.mark.slow
def test_where_the_server_keeps_keys_unique_it_is_not_asked_for_repeated_ones(comparison, pair, monkeypatch):
    with psycopg.connect(pair.new_owner) as connection:
        connection.execute("CREATE UNIQUE INDEX ON clean.thing (id, owner) INCLUDE (name)")
    monkeypatch.setattr(pushdown.sides, "repeated", None)
    found, exact = agreed(comparison, pair, [legacy_thing(1), legacy_thing(1)], [new_thing(1)])
    assert kinds(found) == [("1", "duplicate")]
    assert not exact


@pytest.mark.slow
@pytest.mark.parametrize("index", ["(owner, id) WHERE active", "(owner, id, name)", "(owner, abs(id))"])
def test_an_index_that_does_not_keep_keys_unique_is_not_taken_for_one_that_does(comparison, pair, index):
    with psycopg.connect(pair.new_owner) as connection:
        connection.execute(f"CREATE UNIQUE INDEX ON clean.thing {index}".encode())
    people_of = [new_thing(1, active=False), new_thing(1, "Bob", active=False)]
    legacy = [legacy_thing(1, flag="N"), legacy_thing(1, "Bob", flag="N")]
    if "abs" in index:
        legacy, people_of = [legacy_thing(1)], [new_thing(1)]
    found, _ = agreed(comparison, pair, legacy, people_of)
    assert kinds(found) == ([] if "abs" in index else [("1", "duplicate")])


@pytest.mark.slow
def test_merged_and_supplied_records_of_a_computed_key_are_compared_alike(comparison, pair):
    legacy = [legacy_thing(10, "Ann", fee="9"), legacy_thing(9, "Ann"), legacy_thing(11, "Bob"), legacy_thing(12, "Cy")]
    new = [{"owner": "t1", "code": f"L-{name}", "fee": Decimal("1.50")} for name in ("Ann", "Bob", "Dee")]
    found, exact = agreed(comparison, pair, legacy, new, plan("labels"))
    assert kinds(found) == [("L-Cy", "missing"), ("L-Dee", "extra"), ("L-none", "missing")]
    assert not exact


def test_platforms_without_a_difference_are_digested_and_not_read(comparison, pair, monkeypatch):
    monkeypatch.setattr(DuckComparison, "_full", None)
    fill(pair.legacy_owner, {"thing_mast": [legacy_thing(number) for number in range(1, 50)]})
    fill(pair.new_owner, {"clean.thing": [new_thing(number) for number in range(1, 50)]})
    findings, found = recheck(comparison)
    assert (found, findings.expected, findings.actual, findings.compared) == ([], 49, 49, 49)
    assert not findings.exact


def test_either_server_may_digest_in_several_processes_and_sorts_nothing(comparison, pair):
    for url, *statements in (
        (pair.legacy_owner, "INSERT INTO thing_mast (own_cd, seq) SELECT 'B6', n FROM generate_series(1, 2000) AS n"),
        (
            pair.new_owner,
            "CREATE UNIQUE INDEX ON clean.thing (id)",
            "INSERT INTO clean.thing (owner, id) SELECT 't1', n FROM generate_series(1, 2000) AS n",
        ),
    ):
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in (*statements, "ANALYZE"):
                connection.execute(statement)
    plans = {}

    def planned(database, query):
        for setting in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"):
            database.connection.execute(f"SET LOCAL {setting} = 0".encode())
        if query.startswith("WITH s AS"):
            plans[database.title] = "".join(str(line) for (line,) in ask(database, f"EXPLAIN {query}"))
        return ask(database, query)

    ask = servers.Database.ask
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(servers.Database, "ask", planned)
        recheck(comparison)
    assert plans.keys() == {"legacy", "new"}
    for plan_of in plans.values():
        assert "Partial HashAggregate" in plan_of


@pytest.mark.slow
def test_a_key_that_cannot_be_read_is_left_to_the_full_comparison(comparison, pair):
    found, exact = agreed(comparison, pair, [legacy_thing(1), legacy_thing(10_000_000_000)], [new_thing(1)])
    assert [one.kind for one in found] == ["missing"]
    assert exact


@pytest.mark.slow
def test_where_much_differs_everything_is_read(comparison, pair, monkeypatch):
    monkeypatch.setattr(pushdown, "STREAM_ABOVE", 0.35)
    found, exact = agreed(comparison, pair, [legacy_thing(1), legacy_thing(2)], [new_thing(1), new_thing(2, "Bob")])
    assert kinds(found) == [("2", "different")]
    assert exact


@pytest.mark.slow
def test_a_column_that_only_the_full_comparison_can_judge_is_left_to_it(comparison, pair):
    """0.0 and -0.0 have one hash, and a float's digest ends at the fifteenth digit."""
    with psycopg.connect(pair.new_owner) as connection:
        connection.execute("ALTER TABLE clean.thing ALTER fee TYPE double precision")
    found, exact = agreed(
        comparison,
        pair,
        [legacy_thing(1, fee="0"), legacy_thing(2, fee="0")],
        [new_thing(1, fee=0.0), new_thing(2, fee=-0.0)],
    )
    assert kinds(found) == [("2", "different")]
    assert exact


@pytest.mark.slow
def test_what_the_legacy_server_refuses_is_left_to_the_full_comparison(comparison, pair, monkeypatch):
    monkeypatch.setattr(pushdown.sides, "sums", lambda *_: "SELECT 1/0")
    found, exact = agreed(comparison, pair, [legacy_thing(1)], [new_thing(1, "Bob")])
    assert kinds(found) == [("1", "different")]
    assert exact


@pytest.mark.slow
def test_servers_that_hash_differently_are_digested_by_md5(comparison, pair, monkeypatch):
    monkeypatch.setattr(pushdown, "_PROBE", "SELECT pg_backend_pid(), {0}")
    used = []
    real = pushdown.Digesting.record
    monkeypatch.setattr(pushdown.Digesting, "record", lambda self, order: used.append(self.fast) or real(self, order))
    found, exact = agreed(comparison, pair, [legacy_thing(1)], [new_thing(1, "Bob")])
    assert kinds(found) == [("1", "different")]
    assert not exact
    assert set(used) == {False}


@pytest.mark.slow
def test_a_record_that_was_in_flight_is_not_reported(comparison, pair):
    fill(pair.legacy_owner, {"thing_mast": [legacy_thing(1), legacy_thing(2)]})
    fill(pair.new_owner, {"clean.thing": [new_thing(1)]})

    def arrive(_):
        fill(pair.new_owner, {"clean.thing": [new_thing(1), new_thing(2)]})

    findings, found = recheck(dataclasses.replace(comparison, sleep=arrive))
    assert found == []
    assert not findings.exact


@pytest.mark.slow
def test_a_platform_that_stops_half_way_never_ends_in_an_answer(comparison, pair):
    """The legacy server ends our session while it digests."""
    with psycopg.connect(pair.legacy_owner) as connection:
        connection.execute(
            "CREATE OR REPLACE VIEW slow_thing AS SELECT own_cd, seq, nm || pg_sleep(0.001)::text AS nm, qty, fee, "
            "flag, day, clock, ref, state FROM thing_mast"
        )
        connection.execute("GRANT SELECT ON slow_thing TO legacy_reader")
        connection.execute("INSERT INTO thing_mast (own_cd, seq) SELECT 'B6', n FROM generate_series(1, 5000) AS n")
    slow = specs.load_set({"things": things.THINGS.replace("table: thing_mast", "table: slow_thing")})
    done = threading.Event()

    def interrupt():
        with psycopg.connect(pair.legacy_reader, autocommit=True) as connection:
            while not done.wait(0.05):
                if connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'crossing' "
                    "AND state = 'active' AND query LIKE 'WITH s AS%' AND datname = current_database()"
                ).fetchall():
                    return

    killer = threading.Thread(target=interrupt)
    killer.start()
    try:
        with pytest.raises(Unavailable, match="legacy platform"):
            recheck(comparison, dataclasses.replace(plan(), spec=slow["things"]))
    finally:
        done.set()
        killer.join()


@pytest.mark.slow
def test_a_tenants_name_cannot_break_out_of_the_question(comparison, pair):
    hostile = dataclasses.replace(plan(), legacy_tenant="B6' OR '1'='1", new_tenant="t1'); DROP TABLE clean.thing; --")
    found, exact = agreed(comparison, pair, [legacy_thing(1)], [new_thing(1)], hostile)
    assert (found, exact) == ([], False)


def test_a_survey_says_how_much_there_is_and_what_stands_in_the_way(comparison, pair, people_platforms):
    with psycopg.connect(pair.legacy_owner, autocommit=True) as connection:
        connection.execute("INSERT INTO thing_mast (own_cd, seq) SELECT 'B6', n FROM generate_series(1, 5000) AS n")
        connection.execute("ANALYZE thing_mast")
    survey = comparison.survey(plan())
    assert 4_000 < survey.legacy_rows < 6_000
    assert survey.legacy_bytes > 100_000
    assert survey.obstacle == ""
    other = dataclasses.replace(comparison, legacy=people_platforms.legacy_reader, new=people_platforms.new_loader)
    assert "looks up other records" in other.survey(people.plan()).obstacle


@pytest.mark.slow
@given(rows=platforms())
@some(60)
def test_whatever_the_platforms_hold_both_say_the_same(comparison, pair, rows):
    agreed(comparison, pair, *rows)


@pytest.mark.slow
@given(rows=platforms())
@some(30)
def test_whatever_they_hold_divided_buckets_say_the_same(comparison, pair, rows):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pushdown, "_LISTED", 0)
        agreed(comparison, pair, *rows)


@pytest.mark.slow
@given(rows=platforms())
@some(20)
def test_whatever_they_hold_md5_says_the_same(md5, pair, rows):
    legacy, new = rows
    agreed(md5, pair, legacy, [row for row in new if len(row["name"] or "") < 9])
