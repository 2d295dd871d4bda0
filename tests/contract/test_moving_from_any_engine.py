"""What moves from an engine is what the comparison maps from it: every value of the traps that it can hold."""

from uuid import uuid4

import psycopg
import pytest
from django.utils import timezone

from backfills.domain.spec import load
from core.comparison import Plan, Segment
from core.moving import LoadOrder
from core.ports import Rejected
from portal.adapters.comparison import DuckComparison
from portal.adapters.comparison.platforms import Sources, files
from portal.adapters.legacy.engine import EngineLegacy
from portal.adapters.newplatform import PostgresMover
from tests import airline, holders
from tests.moving import KEY
from tests.trap_stage import REFUSED
from tests.traps import TRAPS

pytestmark = pytest.mark.slow
ENGINES = ("duckdb", "parquet", "sqlite", "csv", "mariadb")
NAMES = [f"c{number}" for number, _ in enumerate(TRAPS)]


@pytest.fixture
def held(request, tmp_path, monkeypatch, mariadb_server):
    monkeypatch.setattr(files, "_SETTLED", 0)
    if request.param == "mariadb":
        server = mariadb_server()
        server.run("DROP TABLE IF EXISTS traps_left; DROP TABLE IF EXISTS traps_right;")
        return holders.in_mariadb(server)
    return getattr(holders, f"in_{request.param}")(tmp_path)


def spec(table, names):
    """Return a mapping that keeps every column as the text that it is read as."""
    source = "".join(f"    {one}: {{class: public}}\n" for one in names)
    columns = "".join(f"  {one}: {{is: {one}, type: text, class: public}}\n" for one in names)
    return load(
        f"format: crossing-mapping/1\nentity: traps\nversion: 1\ntitle: Traps\nsource:\n  system: legacy\n"
        f"  table: {table}\n  tenant: owner\n  key: {{column: owner, type: text}}\n  columns:\n"
        f"    owner: {{class: public}}\n{source}target: {{table: platform.trap, tenant: account_id, key: id}}\n"
        f"columns:\n  id: {{is: owner, type: text, required: true, class: public}}\n{columns}"
    )


def readable(legacy, table, names):
    """Return the columns that the gate lets through; check that the others are those that must be refused."""
    found = []
    for name in names:
        try:
            with legacy.reading() as (session, there):
                there.texts(session, Sources(spec(table, [name]), "t"))
        except Rejected:
            trap = TRAPS[int(name[1:])]
            assert {trap.left[0], trap.right[0]} & REFUSED[legacy.url.partition(":")[0].replace("mysql", "mariadb")]
        else:
            found.append(name)
    return found


@pytest.mark.parametrize("held", ENGINES, indirect=True)
def test_what_moved_is_what_the_comparison_promises(held, airline_platforms):
    airline.empty_new(airline_platforms)
    columns = ", ".join(f"{one} text" for one in NAMES)
    with psycopg.connect(airline_platforms.new_owner, autocommit=True) as new:
        new.execute(
            'DROP TABLE IF EXISTS platform.trap; CREATE TABLE platform.trap (account_id uuid, id text COLLATE "C", '
            f"{columns}, PRIMARY KEY (account_id, id)); GRANT ALL ON platform.trap TO new_loader"
        )
    legacy, mover = EngineLegacy(url=held.address), PostgresMover(url=airline_platforms.new_loader, keys=[KEY])
    compared = DuckComparison(legacy=held.address, new=airline_platforms.new_loader, settle=0, threads=1)
    for side, table in enumerate(holders.TABLES):
        one = spec(table, readable(legacy, table, sorted(held.held[side], key=NAMES.index)))
        assert len(one.source_columns) > 50
        account = uuid4()
        order = LoadOrder(uuid4(), account, "T", "t", "traps", {"traps": one}, timezone.now())
        mover.open_run(order=order, source_total=legacy.count(spec=one, tenant_ref="t"))

        def read(after, until, one=one):
            return legacy.read(spec=one, tenant_ref="t", after=after, until=until, limit=one.batch)

        mover.load(order=order, read=read)
        done = mover.finish(order=order, source=legacy.keys(spec=one, tenant_ref="t"))
        assert done.totals == {("migrated", ""): 1}
        differences = []
        plan = Plan("traps", one, {"traps": one}, legacy_tenant="t", new_tenant=str(account))
        findings = compared.compare(plan, segment=Segment(), report=differences.append)
        assert (differences, findings.compared) == ([], 1)
        # And the comparison would see a change of any of them.
        with psycopg.connect(airline_platforms.new_owner, autocommit=True) as new:
            new.execute("UPDATE platform.trap SET " + ", ".join(f"{one} = coalesce({one}, '') || 'x'" for one in NAMES))
        compared.compare(plan, segment=Segment(), report=differences.append)
        assert {column.column for column in differences[0].columns} == {column.name for column in one.columns} - {"id"}
