"""A look says what the full comparison says, while it reads only what was written since the one before."""

import dataclasses
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.comparison import Segment
from core.ports import Unavailable
from portal.adapters import postgres
from portal.adapters.comparison import DuckComparison, engine, identity, marks, since
from tests import databases, people, things
from tests.people import fill
from tests.things import legacy_thing, new_thing, plan

RECORDS = 40


@pytest.fixture(scope="module")
def pair():
    with databases.platforms(kind="looking") as pair:
        yield pair


class Watched:
    """Both platforms' things, equal at first, and the mark of the last look."""

    def __init__(self, pair):
        self.pair, self.mark, self.asked = pair, "", plan()
        self.comparison = DuckComparison(pair.legacy_reader, pair.new_loader, settle=0, threads=1, memory_limit="300MB")
        things.make(pair.legacy_owner, pair.new_owner)
        self.legacy("CREATE UNIQUE INDEX ON thing_mast (own_cd, seq)")
        fill(pair.legacy_owner, {"thing_mast": [legacy_thing(number) for number in range(RECORDS)]})
        fill(pair.new_owner, {"clean.thing": [new_thing(number) for number in range(RECORDS)]})

    def legacy(self, *statements):
        self._run(self.pair.legacy_owner, statements)

    def new(self, *statements):
        self._run(self.pair.new_owner, statements)

    @staticmethod
    def _run(url, statements):
        for statement in statements:
            with psycopg.connect(url) as connection:
                connection.execute(statement)

    def settle(self):
        """Let the mark be as if no transaction had been open on the server, which other tests use too."""
        with psycopg.connect(self.pair.new_owner) as connection:
            ((now,),) = connection.execute("SELECT pg_current_xact_id()::text::bigint")
        mark = marks.read(self.mark)
        states = {
            side: {of: dataclasses.replace(one, horizon=now) for of, one in tables.items()}
            for side, tables in mark.states.items()
        }
        self.mark = dataclasses.replace(mark, states=states).written()

    def look(self):
        """Look, hold it against the full comparison, and return what differs and whether everything was read."""
        found, full = [], []
        looked = self.comparison.look(self.asked, mark=self.mark, report=found.append)
        self.mark = looked.mark
        self.comparison.compare(self.asked, segment=Segment(), report=full.append)
        assert sorted(found, key=lambda one: one.key) == sorted(full, key=lambda one: one.key)
        return {one.key: one.kind for one in found}, looked.whole


@pytest.fixture
def watched(pair):
    watched = Watched(pair)
    assert watched.look() == ({}, True)
    return watched


def test_where_nothing_was_written_nothing_is_read(watched, monkeypatch):
    monkeypatch.setattr(DuckComparison, "_full", None)
    monkeypatch.setattr(since, "_sums", None)
    watched.settle()
    looked = watched.comparison.look(plan(), mark=watched.mark, report=pytest.fail)
    assert not looked.whole


def test_each_kind_of_write_is_found_alone_and_until_it_is_put_right(watched):
    watched.new("UPDATE clean.thing SET fee = fee + 0.01 WHERE id = 1", "DELETE FROM clean.thing WHERE id = 2")
    watched.legacy("UPDATE thing_mast SET nm = 'Bob' WHERE seq = 3", "DELETE FROM thing_mast WHERE seq = 4")
    found = {"1": "different", "2": "missing", "3": "different", "4": "extra"}
    assert watched.look() == (found, False)
    assert watched.look() == (found, False), "nothing was written since, and it differs still"
    watched.new("UPDATE clean.thing SET name = 'Bob' WHERE id = 3", "DELETE FROM clean.thing WHERE id = 4")
    del found["3"], found["4"]
    assert watched.look() == (found, False)


def test_rows_that_change_places_are_found_though_the_sums_stay_as_they_were(watched):
    watched.new(
        "UPDATE clean.thing SET id = -1 WHERE id = 1",
        "UPDATE clean.thing SET id = 1, name = 'Bob' WHERE id = 2",
        "UPDATE clean.thing SET id = 2 WHERE id = -1",
    )
    assert watched.look() == ({"1": "different"}, False)


def test_a_record_that_the_mapping_adds_is_missed_though_legacy_has_no_row_of_it(pair):
    watched, spec = Watched(pair), plan().spec
    added = {**dict.fromkeys((column.name for column in spec.columns), None), "id": "099", "name": "Bob"}
    watched.asked = dataclasses.replace(plan(), spec=dataclasses.replace(spec, supplements=(added,)))
    watched.new("INSERT INTO clean.thing (owner, id, name) VALUES ('t1', 99, 'Bob')")
    assert watched.look() == ({}, True)
    watched.new("DELETE FROM clean.thing WHERE id = 99")
    assert watched.look() == ({"99": "missing"}, False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("side", "statement", "found"),
    [
        ("new", "INSERT INTO clean.thing (owner, id) VALUES ('t1', 99)", {"99": "extra"}),
        ("new", "INSERT INTO clean.thing SELECT * FROM clean.thing WHERE id = 1", {"1": "duplicate"}),
        ("new", "UPDATE clean.thing SET owner = 't2' WHERE id = 1", {"1": "missing"}),
        ("new", "UPDATE clean.thing SET id = 99 WHERE id = 1", {"1": "missing", "99": "extra"}),
        ("new", "DELETE FROM clean.thing", {str(number): "missing" for number in range(RECORDS)}),
        ("new", "UPDATE clean.thing SET name = name", {}),
        ("legacy", "INSERT INTO thing_mast (own_cd, seq) VALUES ('B6', 99)", {"99": "missing"}),
        ("legacy", "UPDATE thing_mast SET own_cd = 'AA' WHERE seq = 1", {"1": "extra"}),
        ("legacy", "UPDATE thing_mast SET seq = 99 WHERE seq = 1", {"1": "extra", "99": "missing"}),
        ("legacy", "UPDATE thing_mast SET state = 'A' WHERE seq = 1", {"1": "extra"}),
        ("legacy", "UPDATE thing_mast SET qty = 'x' WHERE seq = 1", {"1": "different"}),
        ("legacy", "INSERT INTO thing_mast (own_cd, seq) VALUES ('AA', 99)", {}),
    ],
)
def test_whatever_is_written_is_found_without_reading_all(watched, side, statement, found):
    getattr(watched, side)(statement)
    assert watched.look() == (found, False)
    assert watched.look() == (found, False)


@pytest.mark.slow
def test_what_was_not_committed_at_the_look_is_found_at_the_next(watched):
    with psycopg.connect(watched.pair.new_owner) as connection:
        connection.execute("UPDATE clean.thing SET fee = 0 WHERE id = 5")
        watched.new("UPDATE clean.thing SET fee = 0 WHERE id = 6")
        assert watched.look() == ({"6": "different"}, False)
        connection.execute("SAVEPOINT later")
        connection.execute("UPDATE clean.thing SET fee = 0 WHERE id = 7")
    assert watched.look() == ({"5": "different", "6": "different", "7": "different"}, False)


EIGHT = "SELECT owner, id, name, 8 AS quantity, fee, active, on_day, begins_at, reference, nothing FROM clean."


@pytest.mark.slow
@pytest.mark.parametrize(
    "statements",
    [
        "ALTER TABLE clean.thing DROP quantity, ADD quantity integer DEFAULT 8",
        "ALTER TABLE clean.thing DROP quantity; ALTER TABLE clean.thing ADD quantity integer GENERATED ALWAYS AS (8)",
        "ALTER TABLE clean.thing ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON clean.thing FOR SELECT USING (id <> 1)",
        """CREATE TABLE clean.heir () INHERITS (clean.thing); GRANT SELECT ON clean.heir TO new_loader;
           INSERT INTO clean.heir SELECT * FROM clean.thing WHERE id = 1""",
        f"""CREATE TABLE clean.twin AS {EIGHT}thing; DROP TABLE clean.thing; ALTER TABLE clean.twin RENAME TO thing;
            GRANT SELECT ON clean.thing TO new_loader""",
        "ALTER TABLE clean.thing ALTER quantity TYPE integer USING 8",
    ],
)
def test_what_changes_otherwise_than_row_by_row_makes_everything_be_read(watched, statements):
    watched.new(statements)
    found, whole = watched.look()
    assert found
    assert whole


@pytest.mark.slow
def test_a_view_is_never_gone_on_from(watched):
    """What it shows may change while no row is written."""
    watched.new(
        f"ALTER TABLE clean.thing RENAME TO kept; CREATE VIEW clean.thing AS {EIGHT}kept; "
        "GRANT SELECT ON clean.thing TO new_loader"
    )
    try:
        found, whole = watched.look()
        assert (len(found), whole, watched.mark) == (RECORDS, True, "")
    finally:
        watched.new("DROP VIEW clean.thing; DROP TABLE clean.kept")


@pytest.mark.slow
def test_a_renamed_label_of_an_enumeration_makes_everything_be_read(watched):
    watched.new(
        "CREATE TYPE mood AS ENUM ('Ann', 'Bob')", "ALTER TABLE clean.thing ALTER name TYPE mood USING name::mood"
    )
    try:
        assert watched.look() == ({}, True)
        assert watched.look() == ({}, False)
        watched.new("ALTER TYPE mood RENAME VALUE 'Ann' TO 'Anne'")
        found, whole = watched.look()
        assert (len(found), whole) == (RECORDS, True)
    finally:
        watched.new("DROP TYPE mood CASCADE")


@pytest.mark.slow
def test_a_server_that_lives_another_life_makes_everything_be_read(watched, monkeypatch):
    assert watched.look() == ({}, False)
    monkeypatch.setattr(identity, "_LIFE", identity._LIFE.replace("pg_postmaster_start_time()", "now()"))
    assert watched.look() == ({}, True)
    monkeypatch.setattr(identity, "_LIFE", identity._LIFE.replace("pg_is_in_recovery()", "true"))
    assert watched.look() == ({}, True)
    assert watched.mark == ""


@pytest.mark.slow
def test_what_a_mark_remembers_is_never_read_from_a_standby(watched, monkeypatch):
    assert conninfo_to_dict(postgres.primary(watched.pair.new_loader))["target_session_attrs"] == "primary"
    watched.new("UPDATE clean.thing SET fee = 0 WHERE id = 1")
    # The server is none: whoever asks for one gets no answer.
    monkeypatch.setattr(engine, "primary", lambda url: make_conninfo(url, target_session_attrs="standby"))
    for mark in (watched.mark, ""):
        with pytest.raises(Unavailable, match=r"The (legacy|new) platform's database does not answer"):
            watched.comparison.look(plan(), mark=mark, report=pytest.fail)


@pytest.mark.slow
def test_a_mark_holds_for_what_was_asked_alone(watched):
    mark = watched.mark
    for asked in (
        dataclasses.replace(plan(), new_tenant="t2"),
        dataclasses.replace(plan(), legacy_tenant="AA"),
        dataclasses.replace(plan(), spec=dataclasses.replace(plan().spec, digest="0" * 64)),
    ):
        assert watched.comparison.look(asked, mark=mark, report=lambda _: None).whole
    for broken in ("x", "[]", "[1,2,3,4]", '["a",1,{"new":[]},[]]', mark[:-2], mark.replace('"legacy"', '"other"')):
        assert watched.comparison.look(plan(), mark=broken, report=pytest.fail).whole
    assert not watched.comparison.look(plan(), mark=mark, report=pytest.fail).whole


@pytest.mark.slow
def test_too_much_is_neither_judged_one_by_one_nor_remembered(watched, monkeypatch):
    monkeypatch.setattr(since, "MOST", 3)
    monkeypatch.setattr(engine, "MOST", 3)
    watched.settle()
    watched.new("UPDATE clean.thing SET fee = 0 WHERE id < 3")
    assert watched.look()[1] is False
    watched.legacy("UPDATE thing_mast SET nm = 'Bob' WHERE seq IN (5, 6)")
    assert watched.look()[1] is True
    assert watched.mark == ""
    assert watched.look()[1] is True


@pytest.mark.slow
def test_legacy_keys_that_nothing_keeps_unique_are_never_gone_on_from(pair):
    watched = Watched(pair)
    watched.legacy("DROP INDEX thing_mast_own_cd_seq_idx")
    assert watched.look() == ({}, True)
    assert watched.mark == ""


@pytest.mark.slow
def test_a_key_that_cannot_be_read_is_not_gone_on_from(watched):
    watched.legacy("INSERT INTO thing_mast (own_cd, seq) VALUES ('B6', 10000000000)")
    found, whole = watched.look()
    assert (list(found.values()), whole) == (["missing"], True)
    assert watched.mark == ""


@pytest.mark.slow
def test_records_that_are_looked_up_are_watched_too(people_platforms):
    pair, found = people_platforms, []
    comparison = DuckComparison(pair.legacy_reader, pair.new_loader, settle=0, threads=1, memory_limit="300MB")
    with psycopg.connect(pair.legacy_owner) as connection:
        connection.execute("CREATE UNIQUE INDEX ON person_mast (own_cd, seq)")
        connection.execute("INSERT INTO zone_mast VALUES ('B6', 'EST', 'America/New_York'), ('B6', 'X', 'UTC')")
        connection.execute("INSERT INTO person_mast VALUES ('B6', 1, 'Ann', 1, 'Y', '20130701', '0930', 'EST')")
    for _ in range(20):  # whatever was in flight anywhere on the server is read again: another worker's test, perhaps
        first = comparison.look(people.plan(), mark="", report=lambda _: None)
        if not comparison.look(people.plan(), mark=first.mark, report=lambda _: None).whole:
            break
    else:
        pytest.fail("each look reads everything again")
    for statement in ("UPDATE zone_mast SET tz_nm = 'UTC' WHERE zone_cd = 'EST'", "DELETE FROM zone_mast"):
        with psycopg.connect(pair.legacy_owner) as connection:
            connection.execute(statement)
        looked = comparison.look(people.plan(), mark=first.mark, report=found.append)
        assert looked.whole


@pytest.mark.slow
def test_a_record_that_was_in_flight_is_not_told(watched):
    watched.legacy("UPDATE thing_mast SET nm = 'Bob' WHERE seq = 1")
    watched.comparison = dataclasses.replace(
        watched.comparison, sleep=lambda _: watched.new("UPDATE clean.thing SET name = 'Bob' WHERE id = 1")
    )
    assert watched.look() == ({}, False)


def test_a_mark_reads_as_it_was_written():
    state = marks.State("it", 2**40, [0, 2**64 - 1, 5])
    mark = marks.Mark("plan", 2**61, {"legacy": {"": state, "other": state}, "new": {"": state}}, ("1", "é", '"'))
    again = marks.read(mark.written())
    assert (again.plan, again.seed, again.differing) == (mark.plan, mark.seed, mark.differing)
    assert again.written() == mark.written()
    assert state.total == 4


keys = st.integers(0, 12)
writes = st.one_of(
    st.tuples(st.just("legacy"), keys, st.sampled_from(["Ann", "Bob", "", None])),
    st.tuples(st.just("new"), keys, st.sampled_from(["Ann", "Bob", "", None])),
    st.tuples(st.sampled_from(["legacy gone", "new gone", "both gone", "both"]), keys, st.just("Cy")),
)


@pytest.mark.slow
@given(looks=st.lists(st.lists(writes, max_size=5), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
def test_whatever_is_written_between_looks_both_say_the_same(watched, looks):
    for some in looks:
        with psycopg.connect(watched.pair.legacy_owner) as legacy, psycopg.connect(watched.pair.new_owner) as new:
            for where, key, value in some:
                if where in ("legacy", "both", "legacy gone", "both gone"):
                    legacy.execute("DELETE FROM thing_mast WHERE seq = %s", [key])
                if where in ("legacy", "both"):
                    _insert(legacy, "thing_mast", legacy_thing(key, value))
                if where in ("new", "both", "new gone", "both gone"):
                    new.execute("DELETE FROM clean.thing WHERE id = %s", [key])
                if where in ("new", "both"):
                    _insert(new, "clean.thing", new_thing(key, value, fee=Decimal("150.00")))
        assert watched.look()[1] is False


def _insert(connection, table, row):
    names = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, row))
    places = psycopg.sql.SQL(", ").join([psycopg.sql.Placeholder()] * len(row))
    into = psycopg.sql.Identifier(*table.split("."))
    connection.execute(psycopg.sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(into, names, places), [*row.values()])
