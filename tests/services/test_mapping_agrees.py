"""The mapping means the same in Python and in PostgreSQL: on generated rows, and on generated expressions."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backfills.domain import evaluation, inspection, shapes
from backfills.domain.evaluation import World, evaluate
from backfills.domain.judgement import Fate, judge, statement, verdicts
from backfills.domain.language import FUNCTIONS, Call, Const, Node, Ref, Type
from backfills.domain.quoting import quote, text
from backfills.domain.spec import Spec, load_set
from backfills.domain.sql import Compiler, Dialect
from tests.databases import Platforms

FOLDER = Path(__file__).parents[2] / "portal" / "demo" / "mapping"
SPECS = load_set({path.name: path.read_text() for path in FOLDER.glob("*.yaml")})
ZONES = ("America/New_York", "America/Los_Angeles", "America/Phoenix", "America/Puerto_Rico")
LOOKUPS: Mapping[str, Mapping[str, Mapping[str, str | None]]] = {
    "airport": {f"A{number}": {"code": f"A{number}", "time_zone": zone} for number, zone in enumerate(ZONES)},
    "aircraft": {"N1ZZ": {"registration": "N1ZZ", "type_code": "AIRBUS A320"}},
    "type": {"AIRBUS A320": {"code": "AIRBUS A320"}, "BOEING 737": {"code": "BOEING 737"}},
}
COMMON = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def connection(airline_platforms: Platforms) -> Iterator[psycopg.Connection]:
    with psycopg.connect(airline_platforms.new_owner, autocommit=True, options="-c timezone=UTC") as made:
        yield made


def literal(value: str | None) -> str:
    return "NULL::text" if value is None else f"{text(value)}::text"


def relation(columns: list[str], rows: list[dict[str, str | None]]) -> str:
    values = ", ".join(f"({', '.join(literal(row[column]) for column in columns)})" for row in rows)
    return f"(SELECT * FROM (VALUES {values}) AS v ({', '.join(map(quote, columns))}))"


def compiler(spec: Spec) -> Compiler:
    lookups = {}
    for name, lookup in spec.lookups.items():
        key = SPECS[lookup.entity].target_key
        columns = [key, *(field for field in lookup.fields if field != key)]
        rows = [{**fields, key: found} for found, fields in LOOKUPS[name].items()]
        lookups[name] = (relation(columns, rows), key)
    return Compiler(Dialect.POSTGRES, spec.tables, spec.sets, spec.zones, lookups)


def ask(connection: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def noisy(*usual: str) -> st.SearchStrategy[str | None]:
    """Values as legacy holds them, and values as nobody should."""
    odd = st.sampled_from(
        [
            "",
            " ",
            "NA",
            "0",
            "-1",
            "2400",
            "2401",
            "9999999999",
            "N1ZZ ",
            "é",
            "x'y",
            "Y",
            "1_0",
            "0x1F",
            "-0",
            "+7",
            "007",
            " 7",
            "1_000_00",
            "NaN",
            "1e3",
            "０",
        ]
    )
    return st.one_of(st.sampled_from(usual), st.none(), odd, st.text(alphabet="0123456789AN- .", max_size=6))


HHMM = ("0000", "0130", "0159", "0200", "0230", "0300", "0905", "1220", "2359", "2400")
DAYS = ("20130115", "20130309", "20130310", "20131103", "20130228", "20130229", "20121231")
FLIGHTS = st.fixed_dictionaries(
    {
        "flt_seq": st.integers(1, 10**6).map(str),
        "carr_cd": noisy("ZZ"),
        "flt_no": noisy("0007", "1234"),
        "flt_dt": noisy(*DAYS),
        "leg_no": noisy("1", "2"),
        "org_stn": noisy(*LOOKUPS["airport"], "SJU"),
        "dst_stn": noisy(*LOOKUPS["airport"], "SJU"),
        "tail_no": noisy("N1ZZ", "N12345", "N3AAAA"),
        "sch_dep": noisy(*HHMM),
        "sch_arr": noisy(*HHMM),
        "act_dep": noisy(*HHMM),
        "act_arr": noisy(*HHMM),
        "dep_dly": noisy("0", "-5", "65", "1440"),
        "arr_dly": noisy("0", "-5", "65", "1440"),
        "air_min": noisy("340", "40000"),
        "dist_mi": noisy("2475", "0.5", "1"),
        "can_flg": noisy("N", "Y"),
    }
)
AIRCRAFT = st.fixed_dictionaries(
    {
        "tail_no": noisy("N1ZZ", "n1zz"),
        "mfr_yr": noisy("2001", "99999"),
        "mfr_nm": noisy("AIRBUS", "AIRBUS INDUSTRIE", "boeing"),
        "mdl_nm": noisy("A320", "737"),
        "eng_cnt": noisy("2"),
        "seat_cnt": noisy("200"),
        "eng_typ": noisy("Turbo-fan", "4 Cycle"),
        "cruise_spd": noisy("432"),
        "eqp_typ": noisy("Rotorcraft", "Fixed wing multi engine"),
    }
)
AIRPORTS = st.fixed_dictionaries(
    {
        "stn_cd": noisy("JFK", "EEN", "ZWI", "NYC", "04G"),
        "stn_nm": noisy("Kennedy", " x "),
        "lat_txt": noisy("40.639751", "54.013333333333335", "-999.5", "1e3"),
        "lon_txt": noisy("-73.778925"),
        "elev_ft": noisy("13", "-54"),
        "tz_nm": noisy(*ZONES, "Asia/Chongqing"),
    }
)
ROWS = {"flights": FLIGHTS, "aircraft": AIRCRAFT, "aircraft_types": AIRCRAFT, "airports": AIRPORTS}


@pytest.mark.parametrize("entity", sorted(ROWS))
@given(data=st.data())
@COMMON
def test_python_and_sql_decide_alike_about_every_row(connection: psycopg.Connection, entity: str, data: Any) -> None:
    spec = SPECS[entity]
    rows = [
        {column: row[column] for column in spec.source_columns}
        for row in data.draw(st.lists(ROWS[entity], min_size=1, max_size=25))
    ]
    answers = ask(connection, statement(spec, compiler(spec), relation(list(spec.source_columns), rows)))
    known = verdicts(spec)
    world = spec.world(LOOKUPS)
    for row, (_, *values, number) in zip(rows, answers, strict=True):
        judgement = judge(spec, row, world)
        assert known[number] == judgement.verdict, row
        if judgement.verdict.fate.moves:
            assert dict(zip((column.name for column in spec.columns), values, strict=True)) == judgement.values, row


@pytest.mark.parametrize("entity", sorted(ROWS))
@given(data=st.data())
@COMMON
def test_python_and_sql_find_the_same_faults_in_every_row(
    connection: psycopg.Connection, entity: str, data: Any
) -> None:
    spec = SPECS[entity]
    rows = [
        {column: row[column] for column in spec.source_columns}
        for row in data.draw(st.lists(ROWS[entity], min_size=1, max_size=25))
    ]
    relation_ = relation(list(spec.source_columns), rows)
    answers = ask(connection, inspection.statement(spec, compiler(spec), relation_))
    world = spec.world(LOOKUPS)
    for row, (*_, number, faults) in zip(rows, answers, strict=True):
        verdict = judge(spec, row, world).verdict
        assert verdicts(spec)[number] == verdict
        assert (faults or []) == inspection.find(spec, row, world), row
        assert bool(faults) == (verdict.fate is Fate.QUARANTINED), row


WORLD = World(
    tables={"t": {"a": "1", "b": "2"}}, sets={"s": frozenset({"a", "N1"})}, zones=frozenset(ZONES), lookups={"l": {
        "a": {"k": "a", "f": ZONES[0]}, "b": {"k": "b", "f": None}}}
)  # fmt: skip
COLUMNS = ("a", "b", "c")
_LEAVES: dict[Type, st.SearchStrategy[Node]] = {
    Type.TEXT: st.one_of(
        st.sampled_from([Ref(name, Type.TEXT) for name in COLUMNS]),
        st.sampled_from(["a", "N1", "0905", "20131103", *ZONES]).map(lambda value: Const(value, Type.TEXT)),
    ),
    Type.INT: st.integers(-3, 1500).map(lambda value: Const(value, Type.INT)),
    Type.DECIMAL: st.sampled_from([Const(Decimal("1.609344"), Type.DECIMAL), Const(Decimal("0.05"), Type.DECIMAL)]),
    Type.BOOL: st.booleans().map(lambda value: Const(value, Type.BOOL)),
    Type.DATE: st.just(Call("date", (Const("20130310", Type.TEXT),), Type.DATE)),
    Type.INSTANT: st.just(
        Call(
            "at_local",
            (
                Call("date", (Const("20131103", Type.TEXT),), Type.DATE),
                Const(90, Type.INT),
                Const(ZONES[0], Type.TEXT),
            ),
            Type.INSTANT,
        )
    ),
}
_LITERALS = {"table": "t", "set": "s", "lookup": "l", "field": "f", "pattern": "[A-Z0-9]+|a?"}


@cache
def expressions(kind: Type, depth: int = 2) -> st.SearchStrategy[Node]:
    """Generate trees of every function and operator, each of the right type."""
    if depth == 0:
        return _LEAVES[kind]

    def inner(wanted: Type) -> st.SearchStrategy[Node]:
        return expressions(wanted, depth - 1)

    made: list[st.SearchStrategy[Node]] = [_LEAVES[kind]]
    for name, signature in FUNCTIONS.items():
        if signature.result is kind and name not in ("is_null", "round"):
            count = max(len(signature.args), signature.at_least)
            args = [inner(signature.args[min(index, len(signature.args) - 1)]) for index in range(count)]
            literals = tuple(_LITERALS[one] for one in signature.literals)
            made.append(st.tuples(*args).map(lambda found, n=name, ls=literals: Call(n, found, kind, ls)))
    made += [
        st.tuples(inner(kind), inner(kind)).map(lambda found: Call("coalesce", found, kind)),
        st.tuples(inner(kind), inner(kind)).map(lambda found: Call("null_if", found, kind)),
        st.tuples(inner(Type.BOOL), inner(kind), inner(kind)).map(lambda found: Call("when", found, kind)),
    ]
    if kind is Type.BOOL:
        for compared in (Type.TEXT, Type.INT, Type.INSTANT, Type.DATE):
            for operator in ("=", "<>", "<", "<=", ">", ">="):
                sides = st.tuples(inner(compared), inner(compared))
                made.append(sides.map(lambda found, op=operator: Call(op, found, Type.BOOL)))
        made += [
            st.tuples(inner(Type.TEXT)).map(lambda found: Call("is_null", found, Type.BOOL)),
            st.tuples(inner(Type.BOOL), inner(Type.BOOL)).map(lambda found: Call("and", found, Type.BOOL)),
            st.tuples(inner(Type.BOOL), inner(Type.BOOL)).map(lambda found: Call("or", found, Type.BOOL)),
            st.tuples(inner(Type.BOOL)).map(lambda found: Call("not", found, Type.BOOL)),
        ]
    if kind in (Type.INT, Type.DECIMAL):
        for operator in ("+", "-", "*"):
            made.append(st.tuples(inner(kind), inner(kind)).map(lambda found, op=operator: Call(op, found, kind)))
    if kind is Type.DECIMAL:
        places = st.integers(0, 4).map(lambda count: Const(count, Type.INT))
        made.append(st.tuples(inner(kind), places).map(lambda found: Call("round", found, kind)))
    return st.one_of(made)


VALUES = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "",
            " a ",
            "a",
            "b",
            "N1",
            "Y",
            "12",
            "-7",
            "+5",
            "0.05",
            "2400",
            "0130",
            "20131103",
            ZONES[0],
            "2013-11-03",
            "2013-02-29",
            "2013-11-03 05:30:00.5+00",
            "2013-02-29T00:00:00Z",
            "123456789012345",
        ]
    ),
    st.text(alphabet="aZ09 .é'%", max_size=4),
)


@pytest.mark.parametrize("kind", list(_LEAVES))
@given(data=st.data())
@COMMON
def test_every_expression_is_worth_the_same_in_both(connection: psycopg.Connection, kind: Type, data: Any) -> None:
    node = data.draw(expressions(kind))
    rows = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, VALUES)), min_size=1, max_size=6))
    lookup = relation(["k", "f"], [dict(fields) for fields in WORLD.lookups["l"].values()])
    sql = Compiler(Dialect.POSTGRES, WORLD.tables, WORLD.sets, WORLD.zones, {"l": (lookup, "k")})
    value = f"({sql.value(node)})::{sql.sql_type(kind)}" if kind is not Type.INT else f"({sql.value(node)})::numeric"
    query = f"SELECT {value}, coalesce({sql.bad(node) or 'FALSE'}, FALSE) FROM {relation(list(COLUMNS), rows)} AS r"
    for row, (worth, bad) in zip(rows, ask(connection, query), strict=True):
        reading = evaluate(node, dict(row), WORLD)
        assert bad is reading.bad, (node, row)
        assert _plain(worth) == _plain(reading.value), (node, row)


@pytest.mark.parametrize(
    ("function", "pattern", "usual"),
    [
        ("int", evaluation.INT, ("7", "123456789")),
        ("bigint", evaluation.BIGINT, ("7", "123456789")),
        ("decimal", evaluation.DECIMAL, ("7", "0.5", "123456789012.34")),
        ("date", "[12][0-9]{7}", ("20131103", "29991299")),  # whether there is such a day is asked apart
        ("hhmm", evaluation.HHMM, ("0000", "2359", "1905")),
    ],
)
def test_what_columns_pass_together_each_would_pass_by_itself(
    connection: psycopg.Connection, function: str, pattern: str, usual: tuple[str, ...]
) -> None:
    kind = FUNCTIONS[function].result
    (group,) = shapes.groups([Call(function, (Ref(name, Type.TEXT),), kind) for name in "ab"], "ab")
    assert {(function, "a"), (function, "b")} <= group.covered
    texts = {"".join(made) for length in range(5) for made in product("0269.-+ \n٣", repeat=length)}
    for one in usual:  # each with every character exchanged, left out, or followed by another
        for at, put in product(range(len(one) + 1), ("", *"0369.-+ \n٣_e")):
            texts |= {one[:at] + put + one[at + 1 :], one[:at] + put + one[at:]}
    rows: list[dict[str, str | None]] = [{"a": one, "b": usual[0]} for one in sorted(texts)]
    rows += [{"a": usual[0], "b": None}, {"a": None, "b": None}]
    query = f"SELECT {quote(group.flag)} FROM (SELECT {group.column} FROM {relation(['a', 'b'], rows)} AS r) AS r"
    told = [flag for (flag,) in ask(connection, query)]
    assert told[-2:] == [True, True]
    passed = {row["a"] for row, flag in zip(rows, told, strict=True) if flag} - {None}
    assert {one for one in passed if not re.fullmatch(pattern, str(one))} == set()
    assert passed >= set(usual)


def test_any_number_of_columns_can_be_tested_together(connection: psycopg.Connection) -> None:
    names = [f"c{number}" for number in range(230)]
    found = shapes.groups([Call("int", (Ref(name, Type.TEXT),), Type.INT) for name in names], names)
    assert {column for group in found for function, column in group.covered if function == "int"} == set(names)
    query = (
        f"SELECT {', '.join(group.column for group in found)} FROM {relation(names, [dict.fromkeys(names, '7')])} AS r"
    )
    assert set(*ask(connection, query)) == {True}


def _plain(value: object) -> object:
    return value if isinstance(value, str | bool | date | datetime | None) else Decimal(str(value))


PAIR = """\
format: crossing-mapping/1
entity: {entity}
version: 1
title: {entity}
{head}
source: {{system: legacy, table: t, tenant: o, key: {{column: nr, type: bigint}}, columns: {{nr: {{class: public}}}}}}
target: {{table: new.t, tenant: account, key: nr}}
columns:
  nr: {{is: bigint(nr), type: bigint, required: true{refers}, class: public}}
  name: {{is: nr, type: text, class: public}}
vanished: {{name: gone, then: delete, because: It is gone.}}
"""


def test_a_number_refers_to_what_moved_under_it(connection: psycopg.Connection) -> None:
    heads = PAIR.format(entity="heads", head="", refers="")
    lines = PAIR.format(
        entity="lines",
        head="after: [heads]\nlookups: {head: {entity: heads, fields: [name]}}",
        refers=", references: head",
    )
    spec = load_set({"heads.yaml": heads, "lines.yaml": lines})["lines"]
    known: list[dict[str, str | None]] = [{"nr": "7"}]
    made = Compiler(Dialect.POSTGRES, spec.tables, spec.sets, spec.zones, {"head": (relation(["nr"], known), "nr")})
    raw = relation(["nr"], [{"nr": "7"}, {"nr": "8"}])
    found = {key: verdicts(spec)[number] for key, *_, number in ask(connection, statement(spec, made, raw))}
    assert {key: verdict.fate for key, verdict in found.items()} == {"7": Fate.MIGRATED, "8": Fate.QUARANTINED}
    world = spec.world({"head": {"7": {"name": "7"}}})
    assert [judge(spec, {"nr": nr}, world).verdict for nr in ("7", "8")] == [found["7"], found["8"]]
