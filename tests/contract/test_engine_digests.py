"""Random typed rows, written to files of every engine and read through the gate, digest as PostgreSQL and Python do."""

import math
from datetime import UTC

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from parity_reports.domain import encoding
from portal.adapters.comparison import duck
from portal.adapters.comparison.digests import Engine, digest, record
from portal.adapters.comparison.platforms import Rows, files
from portal.adapters.comparison.quoting import name
from portal.adapters.comparison.typed import received
from tests import databases
from tests.engines import FILES, write

CODE = "6fb3a1c95d0e4b2a8c7d9e0f1a2b3c4d"
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
COLUMNS = {
    # The type that a mapping declares: PostgreSQL's and DuckDB's for it, the kind it is encoded as, and its values.
    "text": ("text", "VARCHAR", "text", texts | st.sampled_from(["", "NULL", "N", "\\N", '"', "a,b", "\r\n", "007"])),
    "bigint": ("bigint", "BIGINT", "integer", st.integers(-(2**63), 2**63 - 1)),
    "numeric(30,4)": ("numeric(30,4)", "DECIMAL(30,4)", "number", st.decimals(-(10**20), 10**20, places=4)),
    "double precision": (
        "double precision", "DOUBLE", "float(9)", st.floats(allow_nan=False, allow_infinity=False).filter(
            lambda one: math.copysign(1, one) > 0 or one != 0  # which SQLite stores as zero
        ),
    ),
    "boolean": ("boolean", "BOOLEAN", "boolean", st.booleans()),
    "date": ("date", "DATE", "date", st.dates()),
    "timestamptz": ("timestamptz", "TIMESTAMPTZ", "timestamp", st.datetimes(timezones=st.just(UTC))),
    "bytea": ("bytea", "BLOB", "bytes", st.binary(max_size=5)),
    "uuid": ("uuid", "UUID", "uuid", st.uuids().map(str)),
}  # fmt: skip
NOTHING = dict.fromkeys(COLUMNS)
ROW = st.fixed_dictionaries({one: st.none() | values for one, (*_, values) in COLUMNS.items()})


@pytest.fixture(scope="module")
def postgres():
    options = "-c timezone=UTC -c datestyle=ISO -c extra_float_digits=1"
    with (
        databases.platforms(kind="typed") as pair,
        psycopg.connect(pair.new_owner, autocommit=True, options=options) as connection,
    ):
        yield connection


def by_postgres(connection, row):
    types = [COLUMNS[one][0] for one in row]
    values = ", ".join(f"%s::{kind} AS c{number}" for number, kind in enumerate(types))
    columns = [(COLUMNS[one][2], f"c{number}") for number, one in enumerate(row)]
    computed = digest(Engine.POSTGRES, record(Engine.POSTGRES, columns, code=CODE)).replace("%", "%%")
    return connection.execute(f"SELECT {computed} FROM (SELECT {values}) AS r", list(row.values())).fetchone()[0]


def by_python(row):
    kinds = [COLUMNS[one][2] for one in row]
    return encoding.digest_of(encoding.record(kinds, list(row.values()), code=CODE))


def by_file(engine, folder, rows):
    """The digests of rows in a file of an engine, in their order."""
    typed = {f"c{number}": kind for number, (_, kind, *_) in enumerate(COLUMNS.values())}
    written = [
        {"owner": "t", "n": place} | {f"c{number}": value for number, value in enumerate(row.values())}
        for place, row in enumerate(rows)
    ]
    address = write(engine, folder, {"t": ({"owner": "VARCHAR", "n": "BIGINT"} | typed, written)})
    kinds = {f"c{number}": one for number, one in enumerate(COLUMNS)}
    with duck.session({"new": address}, memory_limit="200MB", threads=1) as session:
        platform = session.platform("new")
        gate = platform.gate(session, "t", {"n": "bigint"} | kinds)
        columns = [(COLUMNS[one][2], received(gate[column], column).sql) for column, one in kinds.items()]
        marks = [name(column + "!") for column in gate if received(gate[column], column).mark]
        relation = platform.values(session, Rows("t", "owner", "t"), gate)
        computed = digest(Engine.DUCKDB, record(Engine.DUCKDB, columns, code=CODE))
        seen = f"concat_ws(', ', {', '.join(marks)})" if marks else "''"
        found = session.rows(f"SELECT {computed}, {seen} FROM {relation} AS r ORDER BY n")
    assert "".join(row[1] for row in found) == ""  # nothing was exotic, and nothing unreadable
    return [row[0] for row in found]


@pytest.mark.slow
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(ROW, min_size=1, max_size=20))
@example([dict.fromkeys(COLUMNS), {**dict.fromkeys(COLUMNS), "text": ""}, {**dict.fromkeys(COLUMNS), "text": "NULL"}])
@example(
    [{**dict.fromkeys(COLUMNS), "double precision": 5e-324}, {**dict.fromkeys(COLUMNS), "double precision": 0.1 + 0.2}]
)
def test_random_typed_rows_digest_alike_in_every_engine(postgres, tmp_path_factory, rows):
    rows = [{one: row[one] for one in COLUMNS} for row in rows]
    expected = [by_python(row) for row in rows]
    assert [by_postgres(postgres, row) for row in rows] == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_SETTLED", 0)
        folder = tmp_path_factory.mktemp("typed")
        for engine in FILES:
            assert by_file(engine, folder / engine, rows) == expected, engine
