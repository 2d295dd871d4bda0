"""Legacy databases that are not in UTF-8: their texts arrive as what they say, or not at all."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from backfills.domain.spec import load
from core.comparison import Difference, Plan, Segment
from core.ports import Rejected
from portal.adapters.comparison import DuckComparison
from portal.adapters.comparison.duck import session
from portal.adapters.comparison.reading import keeps_key
from portal.adapters.legacy import PostgresLegacy
from portal.house import development
from tests import databases

# What the bytes of the first would be in UTF-8 is the second.
ODD, TAKEN_FOR = "\u00c3\u00a9", "\u00e9"
SPEC = load("""\
format: crossing-mapping/1
entity: words
version: 1
title: Words
source: {system: legacy, table: old, tenant: who, key: {column: word, type: text}, columns: {word: {class: public}}}
target: {table: new, tenant: who, key: word}
columns: {word: {is: word, type: text, required: true, class: public}}
""")


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database in an encoding of its own."""
    owner = development.environment()["DEMO_LEGACY_OWNER_URL"]
    name = f"legacy_encoding_{databases.SLOT}"
    create = sql.SQL("CREATE DATABASE {} ENCODING {} LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0")
    with psycopg.connect(databases.with_database(owner, "legacy"), autocommit=True) as connection:
        databases.drop(connection, name)
        connection.execute(create.format(sql.Identifier(name), sql.Literal(request.param)))
        yield databases.with_database(owner, name)
        databases.drop(connection, name)


def put(database: str, table: str, *words: bytes) -> None:
    """Put words into a table, byte by byte as the database keeps them."""
    with psycopg.connect(database) as connection:
        connection.execute(f'CREATE TABLE {table} (who text, word text COLLATE "C")'.encode())
        for word in words:
            connection.execute(b"INSERT INTO %s VALUES ('me', '%s')" % (table.encode(), word))


@pytest.mark.parametrize("database", ["LATIN1"], indirect=True)
def test_texts_of_another_encoding_are_read_as_what_they_say_by_runs_and_comparisons_alike(database: str) -> None:
    put(database, "old", ODD.encode("latin1"))
    put(database, "new", TAKEN_FOR.encode("latin1"))
    rows = PostgresLegacy(url=database).read(spec=SPEC, tenant_ref="me", after=None, limit=9)
    assert (rows.data.decode(), rows.last_key) == (f"{ODD}\n", ODD)
    found: list[Difference] = []
    comparison = DuckComparison(legacy=database, new=database, settle=0)
    comparison.compare(Plan("words", SPEC, {}, "me", "me"), segment=Segment(), report=found.append)
    assert {(one.key, one.kind) for one in found} == {(ODD, "missing"), (TAKEN_FOR, "extra")}
    with session({"legacy": database, "new": database}, memory_limit="100MB", threads=1) as opened:
        assert not keeps_key(opened, SPEC), "their servers' order of keys is not the engine's"


@pytest.mark.slow
@pytest.mark.parametrize("database", ["SQL_ASCII"], indirect=True)
def test_bytes_that_are_no_text_are_refused_and_not_tried_again(database: str) -> None:
    put(database, "old", b"\xe9")
    put(database, "new", b"\xe9")
    with pytest.raises(Rejected, match="none in UTF-8"):
        PostgresLegacy(url=database).read(spec=SPEC, tenant_ref="me", after=None, limit=9)
    comparison = DuckComparison(legacy=database, new=database, settle=0)
    with pytest.raises(Rejected, match="none in UTF-8"):
        comparison.compare(Plan("words", SPEC, {}, "me", "me"), segment=Segment(), report=print)
