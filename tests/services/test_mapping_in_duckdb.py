"""The language in the comparison's engine: worth the same, and as readable, as in Python."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfills.domain import digits
from backfills.domain.evaluation import evaluate
from backfills.domain.language import Node, Type, calls_in, is_strict, parse
from backfills.domain.sql import Dialect
from portal.adapters.comparison.promising import Staged
from tests.services.test_mapping_agrees import COLUMNS, COMMON, VALUES, WORLD, expressions

COMPILER = Staged(Dialect.DUCKDB, WORLD.tables, WORLD.sets, WORLD.zones, {"l": ("looked_up", "k")})


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE TABLE looked_up (k VARCHAR, f VARCHAR)")
        for fields in WORLD.lookups["l"].values():
            connection.execute("INSERT INTO looked_up VALUES (?, ?)", [fields["k"], fields["f"]])
        yield connection


def answers(
    engine: duckdb.DuckDBPyConnection, node: Node, rows: list[Mapping[str, Any]], compiler: Staged = COMPILER
) -> list[tuple[str | None, bool]]:
    """The worth as text and the badness of an expression per row, as the comparison asks for them."""
    names = sorted({name for row in rows for name in row})
    engine.execute(f"CREATE OR REPLACE TABLE raw ({', '.join(f'{name} VARCHAR' for name in ('place', *names))})")
    for at, row in enumerate(rows):
        engine.execute(
            f"INSERT INTO raw VALUES ({', '.join('?' * (len(names) + 1))})", [at, *(row[name] for name in names)]
        )
    return engine.execute(
        f"SELECT worth::VARCHAR, coalesce({compiler.marked(node, 'worth')}, FALSE) "
        f"FROM (SELECT *, {compiler.value(node)} AS worth FROM raw) ORDER BY place::INT"
    ).fetchall()


def plain(value: Any, kind: Type) -> Any:
    """A value of either side in one form."""
    if value is None or kind in (Type.TEXT, Type.NULL):
        return value
    if kind in (Type.INT, Type.DECIMAL):
        return Decimal(str(value))
    if kind is Type.INSTANT:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(UTC)
    return str(value).lower()


def unprovable(node: Node) -> bool:
    """Whether the engine has no type for everything that an expression may give."""
    return any(
        not digits.result(call.function, *(digits.of(arg, {}) for arg in call.args[call.function == "when" :])).provable
        for call in calls_in(node)
        if call.args[-1].type in (Type.INT, Type.DECIMAL)
        if call.function in ("+", "-", "*", "coalesce", "null_if", "when", "=", "<>", "<", "<=", ">", ">=")
    )


@pytest.mark.parametrize(
    "kind",
    [Type.TEXT, Type.INT, Type.DECIMAL, Type.BOOL, Type.DATE, pytest.param(Type.INSTANT, marks=pytest.mark.slow)],
)
@given(data=st.data())
@COMMON
def test_every_expression_is_worth_the_same_in_the_engine(
    engine: duckdb.DuckDBPyConnection, kind: Type, data: Any
) -> None:
    node = data.draw(expressions(kind))
    rows = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, VALUES)), min_size=1, max_size=6))
    for row, (worth, bad) in zip(rows, answers(engine, node, rows), strict=True):
        reading = evaluate(node, dict(row), WORLD)
        if unprovable(node) and bad:
            continue  # what cannot be calculated exactly is called unreadable, and so equals nothing
        assert bad is reading.bad, (node, row)
        assert plain(worth, kind) == plain(reading.value, kind), (node, row)


EXTREMES = [
    "999999999999999.999999999999999", "-999999999999999.999999999999999", "0.000000000000001", "+1.5", "007.50", "-0",
    "-0.0", "999999999999.999999", "9999999999999.9", "0.0000001", "123456.7", "1234567890123456", "1.", ".5", "1e3",
    "NaN", "", None,
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "decimal(a)",
        "decimal(a) * 100",
        "decimal(a) + 0.000000000000001",
        "decimal(a) - decimal(b)",
        "round(decimal(a) * 1.609344, 1)",
        "round(round(decimal(a), 4) * 0.45359237, 1)",
        "round(decimal(a), 6)",
        "coalesce(decimal(a), 1)",
        "when(decimal(a) == decimal(b), 1, 2)",
    ],
)
def test_decimals_are_calculated_exactly_to_the_last_digit_that_they_can_have(
    engine: duckdb.DuckDBPyConnection, text: str
) -> None:
    node = parse(text, names=dict.fromkeys("ab", Type.TEXT), literals={})
    rows = [{"a": value, "b": "0.000000000000001"} for value in EXTREMES]
    for row, (worth, bad) in zip(rows, answers(engine, node, rows), strict=True):
        reading = evaluate(node, dict(row), WORLD)
        assert (plain(worth, Type.DECIMAL), bad) == (reading.value, reading.bad), row


def test_a_usual_number_times_a_long_literal_is_exact(engine: duckdb.DuckDBPyConnection) -> None:
    node = parse("round(decimal(a) * 0.45359237, 1)", names={"a": Type.TEXT}, literals={})
    rows = [{"a": value} for value in ("215", "181.5", "999999999999999.12345678901234", None)]
    for row, (worth, bad) in zip(rows, answers(engine, node, rows), strict=True):
        assert (plain(worth, Type.DECIMAL), bad) == (evaluate(node, dict(row), WORLD).value, False), row


def test_what_no_type_of_the_engine_could_hold_is_exact_or_unreadable_but_never_rounded(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    node = parse("decimal(a) * decimal(a)", names={"a": Type.TEXT}, literals={})
    rows = [{"a": value} for value in ("12.345678", "0.0000001", "9999999999999.999999", "10000000000000")]
    assert [(plain(worth, Type.DECIMAL), bad) for worth, bad in answers(engine, node, rows)] == [
        (Decimal("12.345678") ** 2, False),
        (None, True),
        (Decimal("99999999999999999980000000.000000000001"), False),
        (None, True),
    ]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("coalesce(decimal(a), decimal(b) * decimal(b))", {"a": "0.000000000000001", "b": "1"}),
        ("when(decimal(a) < 1, decimal(a), decimal(b) * decimal(b))", {"a": "0.000000000000001", "b": "1"}),
        ("null_if(decimal(a), decimal(b) * decimal(b))", {"a": "0.000000000000001", "b": "0"}),
        ("decimal(a) == decimal(b) * decimal(b)", {"a": "0.000000000000001", "b": "0"}),
        ("decimal(a) * 0.45359237", {"a": "0.000000000000001", "b": None}),
        ("coalesce(int(a) * int(a) * int(a) * int(a), decimal(b))", {"a": "999999999", "b": "0.5"}),
        ("int(a) * int(a) * int(a) * int(a) * int(a)", {"a": "999999999", "b": None}),
    ],
)
def test_numbers_too_different_for_one_type_are_never_rounded_to_it(
    engine: duckdb.DuckDBPyConnection, text: str, row: Mapping[str, Any]
) -> None:
    node = parse(text, names=dict.fromkeys("ab", Type.TEXT), literals={})
    [(worth, bad)] = answers(engine, node, [row])
    exact = evaluate(node, row, WORLD).value
    assert unprovable(node)
    assert bad or plain(worth, node.type) == plain(exact, node.type)


def test_a_value_that_came_about_in_spite_of_something_unreadable_stays_marked(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    let = parse("coalesce(int(a), 0)", names={"a": Type.TEXT}, literals={})
    node = parse("n + 1", names={"n": Type.INT}, literals={})
    compiler = Staged(Dialect.DUCKDB, lets={"n": let})
    assert not is_strict(node, compiler.lets)
    assert compiler.marked(node, "worth") == '("n!")'
    assert answers(engine, let, [{"a": "x"}, {"a": "7"}], compiler) == [("0", True), ("7", False)]
