"""Crossing's own tables in the new platform: made anew, made by a former release, and used by several at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.utils import timezone

from core.moving import LoadOrder, RunPosition, SourceRows
from core.ports import Rejected
from portal.adapters.legacy import PostgresLegacy
from portal.adapters.newplatform import PostgresMover
from portal.adapters.postgres import connected
from portal.adapters.stage import demand_key, position
from portal.adapters.staged import Staged
from tests import airline
from tests.airline import station
from tests.databases import Platforms
from tests.moving import KEY, SPECS

ACCOUNT = uuid4()
FORMER = """
ALTER TABLE crossing_stage.run DROP COLUMN fresh, DROP COLUMN held;
DROP TABLE crossing_stage.seen, crossing_stage.range, crossing_stage.held, crossing_stage.preserved;
INSERT INTO crossing_stage.outcome (account_id, entity, source_key, run_id, fate, rule, target_key)
SELECT account_id, entity, source_key, run_id, 'migrated', '', target_key FROM platform.provenance;
"""
"""Makes of the schema and its rows what the release before this one left behind."""


class Stage:
    """A new platform with an account's airports, and what reads and moves them."""

    def __init__(self, platforms: Platforms) -> None:
        self.platforms = platforms
        self.legacy = PostgresLegacy(url=platforms.legacy_reader)
        self.mover = PostgresMover(url=platforms.new_loader, keys=[KEY], statement_timeout=3)

    def hold(self, *codes: str, **different: Any) -> None:
        """Let legacy hold these airports alone."""
        airline.legacy_do(self.platforms, "DELETE FROM stn_mast")
        airline.insert(self.platforms, "stn_mast", [station(code, **different) for code in codes])

    def order(self, *, account: UUID = ACCOUNT) -> LoadOrder:
        return LoadOrder(uuid4(), account, "Zebra Air", airline.CODE, "airports", SPECS, timezone.now())

    def opened(self, **asked: Any) -> LoadOrder:
        order = self.order(**asked)
        self.mover.open_run(order=order, source_total=0)
        return order

    def moved(self, order: LoadOrder) -> RunPosition:
        """Move all that there is, and close the run."""

        def read(after: str | None, until: str | None) -> SourceRows:
            return self.legacy.read(spec=order.spec, tenant_ref=airline.CODE, after=after, until=until, limit=100)

        assert self.mover.load(order=order, read=read).loaded
        source = self.legacy.keys(spec=order.spec, tenant_ref=airline.CODE)
        return self.mover.finish(order=order, source=source)

    def again(self, order: LoadOrder, *keys: str) -> RunPosition:
        rows = self.legacy.read_keys(spec=order.spec, tenant_ref=airline.CODE, keys=keys)
        return self.mover.retry(order=order, keys=keys, rows=rows)

    def do(self, statements: str) -> None:
        with psycopg.connect(self.platforms.new_loader, autocommit=True) as connection:
            connection.execute(statements.encode())

    def outcomes(self) -> set[tuple[Any, ...]]:
        with psycopg.connect(self.platforms.new_loader) as connection:
            return set(connection.execute("SELECT source_key, fate FROM crossing_stage.outcome"))


@pytest.fixture
def stage(airline_platforms: Platforms) -> Stage:
    airline.refill(airline_platforms)
    return Stage(airline_platforms)


def test_a_run_opens_while_another_accounts_batch_is_under_way(stage: Stage) -> None:
    other = stage.opened(account=uuid4())
    with psycopg.connect(stage.platforms.new_loader) as batch:
        batch.execute("SELECT FROM crossing_stage.run WHERE run_id = %s FOR UPDATE", [other.run_id])
        batch.execute("DELETE FROM crossing_stage.dead_letter")
        assert stage.mover.position(order=stage.opened()).batches == ()


def test_a_run_that_a_former_release_began_comes_to_its_end(stage: Stage) -> None:
    stage.hold("AAA")
    order = stage.opened()
    stage.do("ALTER TABLE crossing_stage.run DROP COLUMN held")
    stage.do("DROP TABLE crossing_stage.held, crossing_stage.preserved")
    assert stage.moved(order).closed


def test_two_batches_of_a_run_are_staged_at_once(stage: Stage) -> None:
    stage.hold("AAA")
    order = stage.opened()
    rows = stage.legacy.read(spec=order.spec, tenant_ref=airline.CODE, after=None, limit=1)
    with psycopg.connect(stage.platforms.new_loader) as one, psycopg.connect(stage.platforms.new_loader) as two:
        two.execute("SET lock_timeout = '1s'")
        for number, connection in ((-1, one), (-2, two)):
            staged = Staged(connection, order, number=number, provenance="platform.provenance", mark=False)
            staged.fill(rows)
        one.rollback()
        two.rollback()


@contextmanager
def altered(stage: Stage, there: str, back: str) -> Iterator[None]:
    """Let the new platform's owner change a table for a while."""
    for statements in (there, back):
        with psycopg.connect(stage.platforms.new_owner, autocommit=True) as connection:
            connection.execute(statements.encode())
        if statements is there:
            yield


def test_a_row_that_the_platform_swallows_is_not_called_moved(stage: Stage) -> None:
    stage.hold("AAA", "BBB", "CCC")
    swallow = """
        CREATE FUNCTION platform.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER swallow BEFORE INSERT ON platform.airport FOR EACH ROW WHEN (NEW.code = 'BBB')
            EXECUTE FUNCTION platform.swallow()
    """
    mended = "DROP FUNCTION platform.swallow() CASCADE"
    with altered(stage, swallow, mended):
        for _ in ("the first run", "a later one"):
            order = stage.opened()
            with pytest.raises(Rejected, match="1 of the rows that were moved have no object on the new platform"):
                stage.moved(order)
    assert stage.moved(stage.opened()).totals == {("migrated", ""): 3}


@pytest.mark.parametrize(
    ("key", "is_enough"),
    [
        ("", False),
        ("UNIQUE (code)", False),
        ("UNIQUE (account_id, code, name)", False),
        ("UNIQUE (account_id, code) DEFERRABLE", False),
        ("UNIQUE (code, account_id)", True),
        ("UNIQUE (account_id, code) INCLUDE (name)", True),
    ],
)
def test_nothing_is_moved_where_rows_could_stand_twice(stage: Stage, key: str, is_enough: bool) -> None:
    without = "ALTER TABLE platform.airport DROP CONSTRAINT airport_pkey CASCADE"
    with psycopg.connect(stage.platforms.new_owner) as connection:
        connection.execute(without)
        if key:
            connection.execute(f"ALTER TABLE platform.airport ADD {key}".encode())
        if is_enough:
            demand_key(connection, "platform.airport", "account_id", "code")
        else:
            with pytest.raises(Rejected, match=r"platform\.airport needs a primary or unique key of account_id, code"):
                demand_key(connection, "platform.airport", "account_id", "code")
        connection.rollback()


def test_a_run_demands_the_keys(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("portal.adapters.stage.demand_key", lambda _, *named: asked.append(named))
    stage.opened()
    assert asked == [
        ("platform.airport", "account_id", "code"),
        ("platform.provenance", "account_id", "entity", "source_system", "source_key"),
    ]


class Interrupted:
    """A connection after whose n-th statement somebody else does something."""

    def __init__(self, connection: psycopg.Connection, number: int, other: Callable[[], object]) -> None:
        self.connection, self.left, self.other = connection, number, other

    def execute(self, *asked: Any) -> psycopg.Cursor:
        answer = self.connection.execute(*asked)
        self.left -= 1
        if self.left == 0:
            self.other()
        return answer


@pytest.mark.parametrize("statement", [1, 2, 3, 4])
def test_no_batch_is_told_without_the_rows_that_it_rejected(stage: Stage, statement: int) -> None:
    stage.hold("AAA", tz_nm="Nowhere")
    order = stage.opened()

    def read(after: str | None, until: str | None) -> SourceRows:
        return stage.legacy.read(spec=order.spec, tenant_ref=airline.CODE, after=after, until=until, limit=100)

    with psycopg.connect(stage.platforms.new_loader) as connection:
        looking = Interrupted(connection, statement, lambda: stage.mover.load(order=order, read=read))
        told = position(looking, order.run_id).batches
    assert looking.left <= 0
    assert [len(batch.letters) for batch in told] in ([], [1])
    assert [len(batch.letters) for batch in stage.mover.position(order=order).batches] == [1]


def test_a_run_that_a_former_release_began_is_to_be_run_again(stage: Stage) -> None:
    stage.hold("AAA")
    order = stage.opened()
    stage.do(FORMER)
    with pytest.raises(Rejected, match="before Crossing was updated"):
        stage.moved(order)


def test_what_a_former_release_staged_is_forgotten(stage: Stage) -> None:
    stage.hold("AAA")
    stage.moved(stage.opened())
    stage.do(FORMER)
    assert stage.mover.staged(account_id=ACCOUNT)["outcome"]
    assert not any(stage.mover.forget(account_id=ACCOUNT).values())


def test_what_a_former_release_moved_is_known_to_the_next_run(stage: Stage) -> None:
    stage.hold("AAA", "BBB", "CCC")
    stage.moved(stage.opened())
    stage.do(FORMER)
    stage.hold("BBB", "CCC", "DDD")
    assert stage.moved(stage.opened()).totals == {("migrated", ""): 3}
    assert stage.outcomes() == set()
    there = {code for (code,) in airline.new_rows(stage.platforms, "SELECT code FROM platform.airport")}
    assert {"BBB", "CCC", "DDD"} < there
    assert "AAA" not in there


def test_rows_that_a_former_release_counted_are_counted_once_when_they_are_tried_again(stage: Stage) -> None:
    stage.hold("AAA", "BBB")
    order = stage.opened()
    stage.moved(order)
    stage.do(FORMER)
    assert stage.again(order, "AAA", "BBB").totals == {("migrated", ""): 2}


def test_a_row_that_moved_and_was_deleted_before_it_is_tried_again_is_counted_where_it_is_written_down(
    stage: Stage,
) -> None:
    stage.hold("AAA", "BBB", lat_txt="north")
    order = stage.opened()
    stage.moved(order)
    stage.hold("AAA", "BBB")
    assert stage.again(order, "AAA").totals == {("migrated", ""): 1, ("quarantined", "unreadable_value"): 1}
    stage.hold("BBB")
    gone = stage.again(order, "AAA")
    assert gone.totals == {("dropped", "gone_from_legacy"): 1, ("quarantined", "unreadable_value"): 1}
    assert ("AAA", "dropped") in stage.outcomes()


def test_what_an_unfinished_run_met_is_forgotten_by_the_next(stage: Stage) -> None:
    stage.hold("AAA", "BBB")
    stage.moved(stage.opened())
    order = stage.opened()
    stage.mover.load(order=order, read=lambda after, until: stage.legacy.read(
        spec=order.spec, tenant_ref=airline.CODE, after=after, until=until, limit=1))  # fmt: skip
    assert stage.mover.staged(account_id=ACCOUNT)["seen"] == 1
    stage.opened()
    assert stage.mover.staged(account_id=ACCOUNT)["seen"] == 0


def test_a_value_that_no_index_takes_is_refused_for_good(stage: Stage) -> None:
    with (
        pytest.raises(Rejected, match="too long for an index, which takes"),
        connected(stage.platforms.new_loader, platform="new", statement_timeout=9) as connection,
    ):
        connection.execute("CREATE TEMPORARY TABLE kept (key text PRIMARY KEY)")
        connection.execute("INSERT INTO kept SELECT string_agg(md5(n::text), '') FROM generate_series(1, 300) AS n")
