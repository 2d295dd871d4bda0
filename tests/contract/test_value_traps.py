"""The value and type traps on which comparison tools fail: each pair must differ, or must be equal, exactly as said.

A false "equal" is the worst failure there is, so most of these pairs are almost equal.
"""

import pytest

from core.ports import Rejected
from parity_reports.domain.gate import passage
from portal.adapters.comparison import duck
from portal.adapters.comparison.platforms.postgres import let_through
from portal.adapters.comparison.typed import check_arrival, differs, received
from tests import databases


@pytest.fixture(scope="module")
def session():
    with databases.platforms(kind="traps") as pair:
        urls = {"legacy": pair.legacy_reader, "new": pair.new_loader}
        with duck.session(urls, memory_limit="300MB", threads=1) as session:
            yield session


def read(session, platform, kind, literal):
    rows = let_through(platform, {"v": passage(kind)}, f"FROM (SELECT ({literal})::{kind} AS v) AS t")
    session.run(f"CREATE OR REPLACE TEMP TABLE {platform}_side AS SELECT * FROM {rows}")
    ((arrived,),) = session.rows(f"SELECT typeof(v) FROM {platform}_side")
    check_arrival(passage(kind), arrived, column="v")
    return received(passage(kind), "v", relation=f"{platform}_side")


def are_different(session, left, right):
    one, two = read(session, "legacy", *left), read(session, "new", *right)
    ((verdict,),) = session.rows(f"SELECT {differs(one, two)} FROM legacy_side, new_side")
    assert verdict in (True, False)
    return verdict


T, JSONB, DOUBLE = "text", "jsonb", "double precision"
TS, TSTZ = "timestamp without time zone", "timestamp with time zone"
N30, N60 = "numeric(30,10)", "numeric(60,20)"
MUST_DIFFER = [
    # The 21 value traps.
    ("null and empty text", (T, "NULL"), (T, "''")),
    ("null and the text NULL", (T, "NULL"), (T, "'NULL'")),
    ("null and the text <null>", (T, "NULL"), (T, "'<null>'")),
    ("null and the mark of a null", (T, "NULL"), (T, "'N'")),
    ("leading space", (T, "'a'"), (T, "' a'")),
    ("trailing space", (T, "'a'"), (T, "'a '")),
    ("kind of space", (T, "'a b'"), (T, "E'a\\u00a0b'")),
    ("case", (T, "'Abc'"), (T, "'abc'")),
    ("last digit of a numeric", (N30, "'12345678901234567890.0000000001'"), (N30, "'12345678901234567890.0000000002'")),
    ("a microsecond", (TSTZ, "'2013-01-01 10:00:00.000001+00'"), (TSTZ, "'2013-01-01 10:00:00.000002+00'")),
    ("half a second", (TSTZ, "'2013-01-01 10:00:00.5+00'"), (TSTZ, "'2013-01-01 10:00:00+00'")),
    ("far dates", ("date", "'9999-12-31'"), ("date", "'9999-12-30'")),
    ("json value", (JSONB, """'{"a": 1}'"""), (JSONB, """'{"a": 2}'""")),
    ("composed and decomposed", (T, "E'\\u00e9'"), (T, "E'e\\u0301'")),
    ("backslash", (T, r"'a\b'"), (T, r"'a\\b'")),
    ("quote", (T, "'a''b'"), (T, "'ab'")),
    ("separator inside", (T, "'a|b'"), (T, "'a||b'")),
    ("tabulator and its escape", (T, "E'a\\tb'"), (T, r"'a\tb'")),
    ("line ends", (T, "E'a\\nb'"), (T, "E'a\\r\\nb'")),
    # Types.
    ("numeric NaN and zero", ("numeric(10,2)", "'NaN'"), ("numeric(10,2)", "0")),
    ("numeric NaN and null", ("numeric(10,2)", "'NaN'"), ("numeric(10,2)", "NULL")),
    ("numeric infinity and NaN", ("numeric", "'Infinity'"), ("numeric", "'NaN'")),
    ("numeric infinities", ("numeric", "'Infinity'"), ("numeric", "'-Infinity'")),
    ("beyond a double", ("numeric", "9007199254740993"), ("numeric", "9007199254740992")),
    (
        "beyond 38 digits",
        (N60, "'1234567890123456789012345678901234567890.00000000000000000001'"),
        (N60, "'1234567890123456789012345678901234567890.00000000000000000002'"),
    ),
    ("integer and nearly that number", ("bigint", "9007199254740993"), ("numeric", "9007199254740992")),
    ("zero and minus zero of a float", (DOUBLE, "'0.0'"), (DOUBLE, "'-0.0'")),
    ("float NaN and null", (DOUBLE, "'NaN'"), (DOUBLE, "NULL")),
    ("float infinities", (DOUBLE, "'Infinity'"), (DOUBLE, "'-Infinity'")),
    ("a float's last bit", (DOUBLE, "0.1"), (DOUBLE, "0.10000000000000002")),
    ("real is not double", ("real", "0.1"), (DOUBLE, "0.1")),
    ("a month and 30 days", ("interval", "'1 month'"), ("interval", "'30 days'")),
    ("a day and 24 hours", ("interval", "'1 day'"), ("interval", "'24 hours'")),
    ("bits of another length", ("bit varying", "B'01'"), ("bit varying", "B'001'")),
    ("money", ("money", "'1.01'"), ("money", "'1.02'")),
    ("infinite and last timestamp", (TSTZ, "'infinity'"), (TSTZ, "'294276-12-31 23:59:59+00'")),
    ("infinite and null timestamp", (TSTZ, "'infinity'"), (TSTZ, "NULL")),
    (
        "timestamps beyond the engine's range",
        (TS, "'294276-12-31 23:59:59.999999'"),
        (TS, "'294276-12-31 23:59:59.999998'"),
    ),
    ("before and after Christ", ("date", "'0044-03-15 BC'"), ("date", "'0044-03-15'")),
    ("both sides of the fold", (TSTZ, "'2013-11-03 01:30:00-04'"), (TSTZ, "'2013-11-03 01:30:00-05'")),
    ("midnight twice", ("time without time zone", "'24:00'"), ("time without time zone", "'00:00'")),
    ("time zones of a time", ("time with time zone", "'10:00+01'"), ("time with time zone", "'09:00+00'")),
    ("array of null and of its text", ("text[]", "ARRAY[NULL]"), ("text[]", "ARRAY['NULL']")),
    ("array order", ("integer[]", "'{1,2}'"), ("integer[]", "'{2,1}'")),
    ("separator shift in an array", ("text[]", "ARRAY['a,b']"), ("text[]", "ARRAY['a','b']")),
    ("beyond 64 bits", ("numeric(20,0)", "18446744073709551615"), ("numeric(20,0)", "18446744073709551614")),
    ("zero bytes", ("bytea", r"'\x00'"), ("bytea", r"'\x'")),
    ("zero bytes at the end", ("bytea", r"'\x6100'"), ("bytea", r"'\x61'")),
    ("text that is no uuid", (T, "'not-a-uuid'"), ("uuid", "NULL")),
    ("false and null", ("boolean", "false"), ("boolean", "NULL")),
    ("json key that is null and none", (JSONB, """'{"a": null}'"""), (JSONB, "'{}'")),
    ("json text and number", (JSONB, """'{"a": "1"}'"""), (JSONB, """'{"a": 1}'""")),
]

MUST_BE_EQUAL = [
    ("1.0 and 1.00", ("numeric(10,1)", "1.0"), ("numeric(10,2)", "1.00")),
    ("1.0 and 1.00 without declared scale", ("numeric", "1.0"), ("numeric", "1.00")),
    ("a whole number in either type", ("bigint", "42"), ("numeric(12,2)", "42.00")),
    ("an undeclared numeric and a declared one", ("numeric", "-0.50"), ("numeric(10,1)", "-0.5")),
    (
        "scales that no common type holds",
        ("numeric(38,2)", "12345678901234567890123456789012345.50"),
        ("numeric(38,3)", "12345678901234567890123456789012345.500"),
    ),
    ("two NaN", ("numeric(10,2)", "'NaN'"), ("numeric", "'NaN'")),
    ("two float NaN", (DOUBLE, "'NaN'"), (DOUBLE, "'NaN'")),
    ("two nulls", ("numeric(10,2)", "NULL"), ("numeric(10,2)", "NULL")),
    (
        "json keys in another order",
        ("json", """'{"b":1,"a":{"d":2,"c":3}}'"""),
        (JSONB, """'{"a": {"c": 3, "d": 2}, "b": 1}'"""),
    ),
    (
        "uuid in capitals",
        (T, "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"),
        ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
    ),
    ("the same instant in two zones", (TSTZ, "'2013-07-01 12:00:00+02'"), (TSTZ, "'2013-07-01 10:00:00+00'")),
    ("padding of a fixed width", ("character(5)", "'ab'"), (T, "'ab'")),
    ("far timestamps", (TS, "'294276-12-31 23:59:59.999999'"), (TS, "'294276-12-31 23:59:59.999999'")),
    ("infinite dates", ("date", "'infinity'"), ("date", "'infinity'")),
    ("the last date", ("date", "'5874897-12-31'"), ("date", "'5874897-12-31'")),
    ("a limited and an unlimited text", ("character varying(9)", "'abc'"), (T, "'abc'")),
    ("smallint and bigint", ("smallint", "7"), ("bigint", "7")),
    ("empty bytes", ("bytea", "''"), ("bytea", "''")),
]


@pytest.mark.parametrize(("left", "right"), [pair[1:] for pair in MUST_DIFFER], ids=[pair[0] for pair in MUST_DIFFER])
def test_these_values_are_never_taken_for_equal(session, left, right):
    assert are_different(session, left, right)
    assert are_different(session, right, left)


@pytest.mark.parametrize(("left", "right"), [p[1:] for p in MUST_BE_EQUAL], ids=[p[0] for p in MUST_BE_EQUAL])
def test_these_values_are_equal(session, left, right):
    assert not are_different(session, left, right)
    assert not are_different(session, right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("text", "'1'"), ("integer", "1")),
        (("text", "'t'"), ("boolean", "true")),
        (("date", "'2013-01-01'"), (TSTZ, "'2013-01-01'")),
    ],
)
def test_types_that_cannot_be_compared_exactly_are_refused_not_guessed(session, left, right):
    with pytest.raises(Rejected, match="cannot be compared exactly"):
        are_different(session, left, right)
