"""The comparison beside its physical reference: ratios of wall time to L1, `COPY BINARY` of both raw tables to nowhere.

    python bench/comparison.py [rows] [rounds]

Interleaved rounds, medians; ratios, never seconds. Both platforms are scratch databases of this checkout's servers.
"""

import resource
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tests.conftest  # isort: skip  # noqa: F401 - takes the servers and sets Django up, before anything else

import psycopg

from backfills.domain import spec as specs
from core.comparison import Plan, Segment
from portal.adapters.comparison import DuckComparison
from tests import databases

SPEC = """
format: crossing-mapping/1
entity: customers
version: 1
title: Customers
source:
  system: legacy
  table: cust_mast
  tenant: own_cd
  key: {column: cust_no, type: bigint}
  columns:
    cust_no: {class: public}
    guid: {class: public}
    nm: {class: public}
    mail: {class: public}
    amt: {class: public}
    flag: {class: public}
    day: {class: public}
    clock: {class: public}
    zone: {class: public}
    city: {class: public}
    qty: {class: public}
target: {table: clean.customer, tenant: owner, key: id}
time_zones: [America/New_York, Europe/Berlin]
columns:
  id: {is: int(cust_no), type: bigint, required: true, class: public}
  guid: {is: lower(guid), type: text, class: public}
  name: {is: nfc(trim(nm)), type: text, class: public}
  email: {is: lower(mail), type: text, class: public}
  cents: {is: "decimal(amt) * 100", type: "numeric(14,2)", class: public}
  active: {is: yes_no(flag), type: boolean, class: public}
  begins_at: {is: "at_local(date(day), hhmm(clock), zone)", type: timestamptz, class: public}
  city: {is: "coalesce(city, 'unknown')", type: text, class: public}
  quantity: {is: int(qty), type: integer, class: public}
"""
LEGACY = """
CREATE TABLE cust_mast (own_cd text, cust_no bigint PRIMARY KEY, guid text, nm text, mail text, amt text, flag char(1),
    day text, clock text, zone text, city text, qty text);
INSERT INTO cust_mast SELECT 'A', n, upper(md5(n::text)), '  Customer ' || n || ' ', 'Person' || n || '@Example.COM',
    round(n * 1.37 % 100000, 2)::text, CASE WHEN n % 3 = 0 THEN 'Y' ELSE 'N' END,
    to_char(date '2013-01-01' + (n % 365)::int, 'YYYYMMDD'),
    to_char(time '00:00' + (n % 1440) * interval '1 min', 'HH24MI'),
    CASE WHEN n % 2 = 0 THEN 'America/New_York' ELSE 'Europe/Berlin' END,
    CASE WHEN n % 10 = 0 THEN NULL ELSE 'City ' || n % 500 END, (n % 1000)::text FROM generate_series(1, {rows}) AS n;
GRANT SELECT ON cust_mast TO legacy_reader;
ANALYZE cust_mast;
"""
NEW = """
CREATE SCHEMA clean;
CREATE TABLE clean.customer (owner text, id bigint PRIMARY KEY, guid text, name text, email text, cents numeric(14,2),
    active boolean, begins_at timestamptz, city text, quantity integer);
INSERT INTO clean.customer SELECT 'a', n, md5(n::text), 'Customer ' || n, 'person' || n || '@example.com',
    round(n * 1.37 % 100000, 2) * 100, n % 3 = 0,
    (date '2013-01-01' + (n % 365)::int + (n % 1440) * interval '1 min') AT TIME ZONE
        CASE WHEN n % 2 = 0 THEN 'America/New_York' ELSE 'Europe/Berlin' END,
    CASE WHEN n % 10 = 0 THEN 'unknown' ELSE 'City ' || n % 500 END, n % 1000 FROM generate_series(1, {rows}) AS n;
GRANT USAGE ON SCHEMA clean TO new_loader;
GRANT SELECT ON clean.customer TO new_loader;
ANALYZE clean.customer;
"""


def l1(pair: databases.Platforms) -> float:
    """Read both raw tables to nowhere."""
    started = time.perf_counter()
    for url, table in ((pair.legacy_reader, "cust_mast"), (pair.new_loader, "clean.customer")):
        copied = f"COPY {table} TO STDOUT (FORMAT binary)"
        with psycopg.connect(url) as connection, connection.cursor().copy(copied) as copy:
            for _ in copy:
                pass
    return time.perf_counter() - started


def ours(comparison: DuckComparison, plan: Plan, *, wanted: int) -> float:
    """Compare once, and insist on the right answer."""
    found = []
    started = time.perf_counter()
    comparison.compare(plan, segment=Segment(), report=found.append)
    took = time.perf_counter() - started
    assert len(found) == wanted, (len(found), wanted)
    return took


def main(rows: int, rounds: int) -> None:
    loaded = specs.load_set({"customers": SPEC})
    plan = Plan("customers", loaded["customers"], loaded, legacy_tenant="A", new_tenant="a")
    with databases.platforms(kind="bench") as pair:
        for url, ddl in ((pair.legacy_owner, LEGACY), (pair.new_owner, NEW)):
            with psycopg.connect(url) as connection:
                connection.execute(ddl.replace("{rows}", str(rows)))
        comparison = DuckComparison(legacy=pair.legacy_reader, new=pair.new_loader, settle=0)
        print(f"{rows:,} rows, {rounds} rounds, memory limit {comparison.memory_limit}")
        print("differ   wall / L1   (least, most)")
        for differing in (0, 100, rows // 100):
            with psycopg.connect(pair.new_owner, autocommit=True) as connection:
                connection.execute("UPDATE clean.customer SET quantity = mod(id, 1000) + (id <= %s)::int", [differing])
                connection.execute("VACUUM FULL clean.customer")
            ratios = []
            for _ in range(rounds):
                reference = l1(pair)
                ratios.append(ours(comparison, plan, wanted=differing) / reference)
            print(
                f"{differing:>6}   {statistics.median(ratios):9.1f}   ({min(ratios):.1f}, {max(ratios):.1f})",
                flush=True,
            )
        print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
