"""PostgreSQL and DuckDB digest records exactly as the published encoding does, the traps among them."""

import contextlib
from datetime import UTC
from decimal import Decimal

import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from parity_reports.domain import checksums, encoding
from parity_reports.domain.checksums import Bucket
from portal.adapters.comparison.digests import Engine, digest, is_computable, kind, record, sums
from tests import databases

CODE = "6fb3a1c95d0e4b2a8c7d9e0f1a2b3c4d"
OPTIONS = (
    "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex "
    "-c lc_monetary=C"
)
some = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def postgres():
    with (
        databases.platforms(kind="digests") as pair,
        psycopg.connect(pair.new_owner, autocommit=True, options=OPTIONS) as connection,
    ):
        connection.execute("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b int)")
        yield connection


@pytest.fixture(scope="module")
def duck():
    with contextlib.closing(duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False})) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
far = st.sampled_from(
    ["infinity", "-infinity", "0044-03-15 BC", "4714-11-24 BC", "9999-12-31", "0001-01-01", "10000-01-01"]
)
finite = st.decimals(allow_nan=False, allow_infinity=False)
COLUMNS = {
    "text": texts,
    "character varying(9)": texts,
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "numeric(30,4)": st.decimals(-(10**20), 10**20, places=4) | st.just(Decimal("NaN")),
    "boolean": st.booleans(),
    "uuid": st.uuids(),
    "bytea": st.binary(max_size=5),
    "double precision": st.floats() | st.sampled_from([-0.0, 5e-324, 1e16, 1e15, 0.5e-9, 1.5e-9, 2.5e-9]),
    "real": st.floats(width=32),
    "date": st.dates().map(str) | far,
    "time without time zone": st.times().map(str) | st.just("24:00:00"),
    "timestamp without time zone": st.datetimes().map(str) | far,
    "timestamp with time zone": st.datetimes(timezones=st.just(UTC)).map(str) | far,
    "interval": st.builds(
        "{} months {} days {} microseconds".format, *[st.integers(-40_000, 40_000)] * 2, st.integers(-(10**13), 10**13)
    ),
}
ALSO = {  # what DuckDB has no type of the same meaning for
    "numeric": st.decimals(-(10**40), 10**40, allow_nan=False) | st.sampled_from(["NaN", "Infinity", "-Infinity"]),
    "character(4)": st.sampled_from(["a", "a   ", "ab", ""]),
    "mood": st.sampled_from(["sad", "ok"]),
    "pair": st.sampled_from(["(,)", "(1,)", "(1,2)"]),
    "integer[]": st.sampled_from(["{}", "{1,NULL}", "{{1},{2}}"]),
    "money": st.sampled_from(["$1.50", "-$1,000.00"]),
    "timestamp(3) with time zone": st.sampled_from(["2013-01-01 00:00:00.123-05", "294276-12-31 23:59:59.999+00"]),
    "bit varying(9)": st.sampled_from(["101", ""]),
}
DUCKDB = {
    "character varying(9)": "VARCHAR", "numeric(30,4)": "DECIMAL(30,4)", "bytea": "BLOB", "real": "FLOAT",
    "double precision": "DOUBLE", "time without time zone": "TIME", "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
}  # fmt: skip


@st.composite
def typed_rows(draw, columns):
    types = draw(st.lists(st.sampled_from(list(columns)), min_size=1, max_size=5))
    return types, [draw(st.none() | columns[one]) for one in types]


def through_postgres(connection, types, row):
    """The digest by the server, and its own text of each value."""
    names = [f"c{number}" for number in range(len(types))]
    columns = [(kind(one), name) for one, name in zip(types, names, strict=True)]
    values = ", ".join(f"%s::{one} AS {name}" for one, name in zip(types, names, strict=True))
    shown = ", ".join(f"{name}::text" for name in names)
    computed = digest(Engine.POSTGRES, record(Engine.POSTGRES, columns, code=CODE)).replace("%", "%%")
    query = f"SELECT {computed}, {shown} FROM (SELECT {values}) AS r"
    found, *exported = connection.execute(query, row).fetchone()
    return found, exported


@some
@given(typed_rows(COLUMNS | ALSO))
@example((["text", "text"], [None, "NULL"]))
@example((["text", "text"], ["", None]))
@example((["double precision"], [-0.0]))
@example((["timestamp with time zone"], ["294276-12-31 23:59:59.999999+00"]))
@example((["pair"], ["(,)"]))
def test_postgresql_digests_what_it_exports_as_the_encoding_does(postgres, typed):
    types, row = typed
    found, exported = through_postgres(postgres, types, row)
    assert found == encoding.digest_of(encoding.record([kind(one) for one in types], exported, code=CODE))


def driven(value, declared):
    """The value as Python holds it, where it can."""
    return value if not isinstance(value, str) or declared in ("text", "character varying(9)") else None


@some
@given(typed_rows(COLUMNS))
def test_postgresql_digests_what_python_holds_as_the_encoding_does(postgres, typed):
    types, row = typed
    kept = [
        (one, value) for one, value in zip(types, row, strict=True) if value is None or driven(value, one) is not None
    ]
    types, row = [one for one, _ in kept], [value for _, value in kept]
    if types:
        found, _ = through_postgres(postgres, types, row)
        assert found == encoding.digest_of(encoding.record([kind(one) for one in types], row, code=CODE))


NOT_IN_DUCKDB = ("NaN", Decimal("NaN"), "4714-11-24 BC", "0044-03-15 BC")


@some
@given(typed_rows(COLUMNS))
@example((["double precision"], [5e-324]))
@example((["double precision"], [1e300]))
@example((["double precision"], [-1.2345678901234567e17]))
@example((["double precision"], [9999999999999998.0]))
@example((["text", "text"], [None, "NULL"]))
def test_both_engines_digest_alike(postgres, duck, typed):
    types, row = typed
    row = [None if str(value) in map(str, NOT_IN_DUCKDB) and not isinstance(value, float) else value for value in row]
    given_to = [str(value) if isinstance(value, Decimal) else value for value in row]
    by_postgres, _ = through_postgres(postgres, types, row)
    names = [f"c{number}" for number in range(len(types))]
    columns = [(kind(one), name) for one, name in zip(types, names, strict=True)]
    values = ", ".join(f"?::{DUCKDB.get(one, one)} AS {name}" for one, name in zip(types, names, strict=True))
    query = f"SELECT {digest(Engine.DUCKDB, record(Engine.DUCKDB, columns, code=CODE))} FROM (SELECT {values}) AS r"
    assert duck.execute(query, given_to).fetchone()[0] == by_postgres


INSTANT = "timestamp with time zone"
PLAIN = [
    (("text", "a"), ("text", "A")),
    (("text", "a"), ("text", "a ")),
    (("text", ""), ("text", None)),
    (("text", "NULL"), ("text", None)),
    (("text", "é"), ("text", "e\u0301")),
    (("text", "\\"), ("text", "\\\\")),
    (("numeric(9,2)", "1.01"), ("numeric(9,2)", "1.02")),
    ((INSTANT, "2013-01-01 00:00:00.5+00"), (INSTANT, "2013-01-01 00:00:00+00")),
    (
        (INSTANT, "2013-01-01 00:00:00.000001+00"),
        (INSTANT, "2013-01-01 00:00:00+00"),
    ),
    (("interval", "1 month"), ("interval", "30 days")),
    (("numeric", "NaN"), ("numeric", None)),
    (("double precision", "0"), ("double precision", "-0")),
    (("date", "9999-12-31"), ("date", "infinity")),
    (("pair", "(,)"), ("pair", None)),
]
SAME = [
    (("numeric", "1.0"), ("numeric", "1.00")),
    (("uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"), ("uuid", "a0eebc999c0b4ef8bb6d6bb9bd380a11")),
    ((INSTANT, "2013-07-01 00:00:00-04"), (INSTANT, "2013-07-01 04:00:00+00")),
    (("character(4)", "a"), ("character(4)", "a   ")),
    (("bytea", "\\xDE"), ("bytea", "\\xde")),
]


@pytest.mark.parametrize(("one", "two", "same"), [(*pair, False) for pair in PLAIN] + [(*pair, True) for pair in SAME])
def test_the_traps_are_told_apart_or_taken_for_one_as_they_must(postgres, one, two, same):
    digests = [through_postgres(postgres, [declared], [value])[0] for declared, value in (one, two)]
    assert (digests[0] == digests[1]) is same


def test_a_separator_that_moves_from_one_column_to_the_next_is_noticed(postgres, duck):
    pairs = [["a|", "b"], ["a", "|b"], ["a", None], [None, "a"], ["", "a"], ["1:a", ""]]
    found = {through_postgres(postgres, ["text", "text"], row)[0] for row in pairs}
    assert len(found) == len(pairs)


def test_buckets_are_summed_alike_by_both_engines_and_as_published(postgres, duck):
    rows = [(number, f"Ann {number % 7}") for number in range(2000)]
    expected = [Bucket() for _ in range(3)]
    for row in rows:
        bucket, name = checksums.place(encoding.record(["integer"], row[:1], code=CODE), 3)
        digest_of_row = encoding.digest_of(encoding.record(["integer", "text"], row, code=CODE))
        expected[bucket].add(digest=digest_of_row, name=name)
    made = "(SELECT i AS id, 'Ann ' || (i % 7) AS name FROM {} AS g(i)) AS t"
    for engine, connection, numbers in (
        (Engine.POSTGRES, postgres, "generate_series(0, 1999)"),
        (Engine.DUCKDB, duck, "range(0, 2000)"),
    ):
        key, whole = (
            digest(engine, record(engine, columns, code=CODE))
            for columns in ([("integer", "id")], [("integer", "id"), ("text", "name")])
        )
        records = f"(SELECT {key} AS k, {whole} AS d FROM {made.format(numbers)}) AS r"
        found = connection.execute(sums(engine, records, buckets=3)).fetchall()
        assert {int(row[0]): tuple(map(int, row[1:])) for row in found} == {
            number: bucket.sums for number, bucket in enumerate(expected)
        }


def test_json_is_left_to_python():
    assert kind("jsonb") == "json"
    assert not is_computable(["text", "json"])


@pytest.mark.parametrize(
    ("declared", "is_kind"),
    [("numeric(9,2)", "decimal(2)"), ("numeric(50,2)", "number"), ("numeric(3,-2)", "number"),
     ("interval(3)", "interval"), ("interval[]", "text"), ("real", "real(9)"), ("citext", "text"),
     ("oid", "text"), ("timestamp(3) with time zone", "timestamp"),
     ("double precision", "float(9)"), ("json", "json"), ("character(4)", "text")],
)  # fmt: skip
def test_a_type_of_the_catalogue_has_its_kind(declared, is_kind):
    assert kind(declared) == is_kind
