"""One suite over the fake and the real shadow reader: the same read of both platforms, timed and judged."""

import itertools
from types import SimpleNamespace

import psycopg
import pytest

from core.ports import Rejected
from core.shadowing import Read, Unasked
from portal.adapters.comparison.platforms import files
from portal.adapters.comparison.shadow import DuckShadowReader
from tests import engines
from tests.fakes.shadow import FakeShadowReader
from tests.people import LEGACY_FILES, NEW_YORK, ZONES_MOVED, fill, in_files, legacy_person, new_person, plan

ONE = Read("one", "One person by key")
OF_A_ZONE = Read("of_a_zone", "People of one zone", by="zone", at_most=3)
LONDON = {"own_cd": "B6", "zone_cd": "LD", "tz_nm": "Europe/London"}


def in_mariadb(server, tables):
    """Put tables into a MariaDB, in a collation that tells neither case nor accents, and return its address."""
    for table, rows in tables.items():
        columns = LEGACY_FILES[table]
        listed = ", ".join(f"`{column}` varchar(60)" for column in columns)
        server.run(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({listed}) COLLATE utf8mb4_general_ci;")
        for row in rows:
            values = ", ".join(
                "NULL" if row.get(one) is None else f"_utf8mb4 X'{str(row[one]).encode().hex()}'" for one in columns
            )
            server.run(f"INSERT INTO {table} VALUES ({values});")
    return server.address


ENGINES = ("postgres", "mariadb", *engines.FILES)


@pytest.fixture(params=["fake", *(pytest.param(engine, marks=pytest.mark.slow) for engine in ENGINES)])
def reader(request, tmp_path, monkeypatch, mariadb_server):
    """Return `put(legacy, new)`, which makes a reader; `later` holds what happens between the two readings."""
    later = []
    ticks = itertools.count()
    how = {"sleep": lambda seconds: [do() for do in later], "clock": lambda: float(next(ticks))}

    def fake(people, moved, *, zones=([NEW_YORK], ZONES_MOVED)):
        tables = {"zone_mast": zones[0], "person_mast": people}
        new = {"clean.zone": zones[1], "clean.person": moved, "clean.badge": []}
        return FakeShadowReader(tables, new, **how)

    def put(people, moved, *, zones=([NEW_YORK], ZONES_MOVED)):
        there = request.getfixturevalue("people_platforms")
        old = {"zone_mast": zones[0], "person_mast": people}
        if request.param == "postgres":
            fill(there.legacy_owner, old)
            address = there.legacy_reader
        elif request.param == "mariadb":
            address = in_mariadb(mariadb_server(), old)
        else:
            monkeypatch.setattr(files, "_SETTLED", 0)
            address = in_files(request.param, tmp_path / "legacy", old, LEGACY_FILES)
        fill(there.new_owner, {"clean.zone": zones[1], "clean.person": moved})
        later[:] = [lambda do=do: (do(), fill(there.new_owner, {"clean.person": moved})) for do in later]
        return DuckShadowReader(legacy=address, new=there.new_loader, **how)

    return SimpleNamespace(put=fake if request.param == "fake" else put, later=later)


def kinds(answer):
    return [(one.key, one.kind) for one in sorted(answer.differences, key=lambda one: one.key)]


def test_a_record_that_is_as_promised_answers_alike_and_both_reads_are_timed(reader):
    (answer,) = reader.put([legacy_person(1), legacy_person(2)], [new_person(1), new_person(2, "Bob")]).ask(
        plan(), read=ONE, keys=["1"]
    )
    assert (answer.key, answer.about, answer.records, answer.differences) == ("1", "1", 1, ())
    assert (answer.legacy, answer.new) == (1.0, 1.0), "the clock that was passed in ticks once from begin to end"
    assert (answer.settled, answer.unasked) == (False, None)


def test_what_differs_is_told_as_the_comparison_tells_it(reader):
    reading = reader.put(
        [legacy_person(number) for number in (1, 2, 3)], [new_person(1, "ann"), new_person(2, fee=None)]
    )
    one, two, three = reading.ask(plan(), read=ONE, keys=["1", "2", "3"])
    assert [(c.column, c.expected, c.actual) for c in one.differences[0].columns] == [("name", "Ann", "ann")]
    assert [(c.column, c.expected, c.actual) for c in two.differences[0].columns] == [("fee", "150", None)]
    assert kinds(three) == [("3", "missing")]


def test_what_is_equal_after_a_while_is_no_mismatch(reader):
    moved = [new_person(1, "Bob")]
    reader.later.append(lambda: moved[0].update(name="Ann"))
    (answer,) = reader.put([legacy_person(1)], moved).ask(plan(), read=ONE, keys=["1"])
    assert (answer.differences, answer.settled) == ((), True)


def test_what_is_not_promised_is_not_asked_of_the_new_platform(reader):
    reading = reader.put([legacy_person(1, state="A"), legacy_person(2)], [new_person(2)])
    answers = reading.ask(plan(), read=ONE, keys=["1", "9", "2"])
    assert [one.unasked for one in answers] == [Unasked.LEFT_BEHIND, Unasked.GONE, None]


def test_a_record_that_a_rule_holds_back_is_missing_because_of_it(reader):
    (answer,) = reader.put([legacy_person(1, state="Q")], []).ask(plan(), read=ONE, keys=["1"])
    assert [(one.kind, one.because) for one in answer.differences] == [("missing", "contested")]


def test_a_list_is_that_of_the_sampled_record_and_compared_record_by_record(reader):
    people = [legacy_person(1), legacy_person(2), legacy_person(3, zone=None, clock=None)]
    moved = [new_person(1), new_person(2, "Bob"), new_person(3, zone=None, begins_at=None)]
    answers = reader.put(people, moved).ask(plan(), read=OF_A_ZONE, keys=["2", "1", "3"])
    assert [(one.key, one.about, one.unasked) for one in answers] == [
        ("2", "NY", None), ("3", "", Unasked.NO_VALUE),
    ], "the second record of the same list is not asked for again"  # fmt: skip
    assert (answers[0].records, kinds(answers[0])) == (2, [("2", "different")])


def test_what_only_one_list_shows_is_missing_or_extra_or_stands_in_another_list(reader):
    people = [legacy_person(1), legacy_person(2), legacy_person(3)]
    moved = [new_person(1), new_person(2, zone=None, begins_at=None), new_person(7)]
    (answer,) = reader.put(people, moved).ask(plan(), read=OF_A_ZONE, keys=["1"])
    assert kinds(answer) == [("2", "different"), ("3", "missing"), ("7", "extra")]
    assert {one.column for one in answer.differences[0].columns} | {
        one.column for other in answer.differences for one in other.columns
    } == {"begins_at", "zone"}


def test_a_list_is_told_from_another_by_its_letters_whatever_a_server_calls_equal(reader):
    others = [legacy_person(number, zone="ny" if number % 2 else "NY ") for number in range(2, 9)]
    reading = reader.put([legacy_person(1), *others], [new_person(1), new_person(2, zone="ny")])
    (answer,) = reading.ask(plan(), read=OF_A_ZONE, keys=["1"])
    assert (answer.about, answer.records, answer.differences) == ("NY", 1, ())


def test_a_list_that_is_too_long_in_legacy_is_left_alone(reader):
    many = [legacy_person(number) for number in range(1, 5)]
    (answer,) = reader.put(many, [new_person(1)]).ask(plan(), read=OF_A_ZONE, keys=["1"])
    assert (answer.about, answer.unasked) == ("NY", Unasked.TOO_MANY)


def test_a_list_that_is_too_long_on_the_new_platform_alone_differs_for_certain(reader):
    moved = [new_person(number) for number in (5, 4, 3, 1, 2)]
    reading = reader.put([legacy_person(1), legacy_person(2)], moved)
    (answer,) = reading.ask(plan(), read=OF_A_ZONE, keys=["1"])
    assert (answer.unasked, answer.records) == (None, 2)
    assert {("3", "extra"), ("4", "extra"), ("5", "extra")} >= set(kinds(answer)) > set()


def test_a_list_is_not_too_long_because_the_mapping_adds_to_it(reader):
    old = [{"own_cd": "B6", "zone_cd": code, "tz_nm": "UTC"} for code in ("AA", "BB")]
    moved = [{"owner": "t1", "code": code, "time_zone": "UTC"} for code in ("XX", "AA", "BB")]
    of_a_time = Read("of_a_time", "Zones of one time", by="time_zone", at_most=2)
    (answer,) = reader.put([], [], zones=(old, moved)).ask(plan("zones"), read=of_a_time, keys=["AA"])
    assert (answer.unasked, answer.differences) == (None, ())
    more = [*moved, {**moved[0], "code": "ZZ"}]
    (answer,) = reader.put([], [], zones=(old, more)).ask(plan("zones"), read=of_a_time, keys=["AA"])
    assert kinds(answer) == [("ZZ", "extra")]


def test_other_tenants_are_never_read(reader):
    people = [legacy_person(1), legacy_person(2, own_cd="AA")]
    reading = reader.put(people, [new_person(1), new_person(2, owner="t2")])
    assert reading.draw(plan(), seed="s", wanted=10) == ("1",)
    assert [one.unasked for one in reading.ask(plan(), read=ONE, keys=["2"])] == [Unasked.GONE]
    (answer,) = reading.ask(plan(), read=OF_A_ZONE, keys=["1"])
    assert answer.differences == ()


def test_a_sample_is_the_same_under_a_seed_and_another_under_another(reader):
    reading = reader.put([legacy_person(number) for number in range(1, 41)], [])
    one = reading.draw(plan(), seed="one", wanted=10)
    assert reading.draw(plan(), seed="one", wanted=10) == one
    assert len(set(one)) == 10
    assert set(reading.draw(plan(), seed="two", wanted=10)) != set(one)
    assert len(reading.draw(plan(), seed="one", wanted=100)) == 40


def test_where_rows_merge_one_row_does_not_tell_what_is_promised(reader):
    with pytest.raises(Rejected, match="several rows of legacy"):
        reader.put([legacy_person(1)], []).ask(plan("badges"), read=ONE, keys=["1"])


def test_a_hostile_key_or_value_is_a_text_and_nothing_more(reader):
    odd = "x' OR 'a'='a\\"
    people = [legacy_person(1, zone=odd, clock=None), legacy_person(2)]
    reading = reader.put(people, [new_person(1, zone=odd, begins_at=None), new_person(2)])
    assert [one.unasked for one in reading.ask(plan(), read=ONE, keys=[odd])] == [Unasked.GONE]
    (answer,) = reading.ask(plan(), read=OF_A_ZONE, keys=["1"])
    assert (answer.about, answer.records) == (odd, 1)


@pytest.mark.slow
def test_an_outage_is_told_and_nothing_of_the_address(people_platforms):
    away = DuckShadowReader(legacy="postgresql://u:hush@127.0.0.1:1/none", new=people_platforms.new_loader)
    for ask in (
        lambda: away.draw(plan(), seed="s", wanted=1),
        lambda: away.ask(plan(), read=ONE, keys=["1"]),
    ):
        with pytest.raises(Exception, match="does not answer") as raised:
            ask()
        assert not isinstance(raised.value, psycopg.Error)
        assert "hush" not in str(raised.value)


def test_the_new_platform_is_postgresql(tmp_path):
    elsewhere = DuckShadowReader(legacy="postgresql://", new=f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(Rejected, match="reader of your own"):
        elsewhere.draw(plan(), seed="s", wanted=1)
