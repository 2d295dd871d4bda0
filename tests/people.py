"""Two tiny platforms and their mapping, on which comparisons are tried."""

from datetime import UTC, datetime
from decimal import Decimal

import psycopg
from psycopg import sql

from backfills.domain import spec as specs
from core.comparison import Plan
from tests import engines

ZONES = """
format: crossing-mapping/1
entity: zones
version: 1
title: Zones
source:
  system: legacy
  table: zone_mast
  tenant: own_cd
  key: {column: zone_cd, type: text}
  columns: {zone_cd: {class: public}, tz_nm: {class: public}}
target: {table: clean.zone, tenant: owner, key: code}
columns:
  code: {is: zone_cd, type: text, required: true, class: public}
  time_zone: {is: tz_nm, type: text, class: public}
supplements:
  name: added
  because: Legacy lacks it.
  rows: [{code: XX, time_zone: UTC}]
"""
PEOPLE = """
format: crossing-mapping/1
entity: people
version: 1
title: People
after: [zones]
source:
  system: legacy
  table: person_mast
  tenant: own_cd
  key: {column: seq, type: bigint}
  columns:
    seq: {class: public}
    nm: {class: internal}
    fee: {class: public}
    flag: {class: public}
    day: {class: public}
    clock: {class: public}
    zone: {class: public}
    state: {class: public}
target: {table: clean.person, tenant: owner, key: id}
lookups:
  zone: {entity: zones, fields: [time_zone]}
time_zones: [America/New_York, UTC]
let:
  tz: lookup(zone, 'zone', 'time_zone')
columns:
  id: {is: int(seq), type: bigint, required: true, class: public}
  name: {is: trim(nm), type: text, class: internal}
  fee: {is: "decimal(fee) * 100", type: "numeric(12,2)", class: public}
  active: {is: yes_no(flag), type: boolean, required: true, class: public}
  begins_at: {is: "at_local(date(day), hhmm(clock), tz)", type: timestamptz, class: public}
  zone: {is: zone, type: text, references: zone, class: public}
rules:
  - {name: archived, when: state == 'A', then: drop, because: Archived rows stay behind.}
  - {name: contested, when: state == 'Q', then: quarantine, because: Two say otherwise., fix: Settle it.}
"""
INVARIANTS = """
invariants:
  - {name: paying, says: As many people pay on both platforms, count: fee > 0}
  - name: fees
    says: The fees of the active add up
    sum: when(active, fee, 0)
    within: 0.5
  - {name: zone_known, says: Every zone is known, every: zone, has: zones}
  - {name: named, says: Everybody has a name, holds: "not (name == '')"}
  - {name: zone_used, says: Every zone is that of somebody, every: zone, has: {entity: people, column: zone}}
"""
"""Appended to `PEOPLE`, what must hold of people."""
BADGES = """
format: crossing-mapping/1
entity: badges
version: 1
title: Badges
source:
  system: legacy
  table: person_mast
  tenant: own_cd
  key: {column: seq, type: bigint}
  columns: {seq: {class: public}, nm: {class: internal}, fee: {class: public}}
target: {table: clean.badge, tenant: owner, key: code}
columns:
  code: {is: "concat('P-', nm)", type: text, required: true, class: public}
  fee: {is: decimal(fee), type: "numeric(12,2)", class: public}
duplicates: {name: same_badge, then: merge, because: One badge per name.}
"""
SPECS = specs.load_set({"zones.yaml": ZONES, "people.yaml": PEOPLE, "badges.yaml": BADGES})
DDL_LEGACY = """
CREATE TABLE zone_mast (own_cd text, zone_cd text, tz_nm text);
CREATE TABLE person_mast (own_cd text, seq bigint, nm text, fee numeric, flag char(1), day text, clock text, zone text,
                          state text);
GRANT SELECT ON ALL TABLES IN SCHEMA public TO legacy_reader;
"""
DDL_NEW = """
CREATE SCHEMA clean;
CREATE TABLE clean.zone (owner text, code text, time_zone text);
CREATE TABLE clean.person (owner text, id bigint, name text, fee numeric(12,2), active boolean, begins_at timestamptz,
                           zone text);
CREATE TABLE clean.badge (owner text, code text, fee numeric(12,2));
GRANT USAGE ON SCHEMA clean TO new_loader;
GRANT SELECT ON ALL TABLES IN SCHEMA clean TO new_loader;
"""
LEGACY_FILES = {
    "zone_mast": {"own_cd": "VARCHAR", "zone_cd": "VARCHAR", "tz_nm": "VARCHAR"},
    "person_mast": dict.fromkeys(("own_cd", "seq", "nm", "fee", "flag", "day", "clock", "zone", "state"), "VARCHAR"),
}
NEW_FILES = {
    "clean.zone": {"owner": "VARCHAR", "code": "VARCHAR", "time_zone": "VARCHAR"},
    "clean.person": {
        "owner": "VARCHAR", "id": "BIGINT", "name": "VARCHAR", "fee": "DECIMAL(12,2)", "active": "BOOLEAN",
        "begins_at": "TIMESTAMPTZ", "zone": "VARCHAR",
    },
    "clean.badge": {"owner": "VARCHAR", "code": "VARCHAR", "fee": "DECIMAL(12,2)"},
}  # fmt: skip
TABLES = {"legacy": ("zone_mast", "person_mast"), "new": ("clean.zone", "clean.person")}


def legacy_person(seq, nm="Ann", **changed):
    return {
        "own_cd": "B6", "seq": str(seq), "nm": nm, "fee": "1.5", "flag": "Y", "day": "20130701", "clock": "0930",
        "zone": "NY", "state": None,
    } | changed  # fmt: skip


def new_person(number, name="Ann", **changed):
    return {
        "owner": "t1", "id": number, "name": name, "fee": Decimal("150.00"), "active": True,
        "begins_at": datetime(2013, 7, 1, 13, 30, tzinfo=UTC), "zone": "NY",
    } | changed  # fmt: skip


NEW_YORK = {"own_cd": "B6", "zone_cd": "NY", "tz_nm": "America/New_York"}
ZONES_MOVED = [
    {"owner": "t1", "code": "NY", "time_zone": "America/New_York"},
    {"owner": "t1", "code": "XX", "time_zone": "UTC"},
]


def plan(entity="people", known=SPECS):
    return Plan(entity, known[entity], known, legacy_tenant="B6", new_tenant="t1")


def fill(url, tables):
    with psycopg.connect(url) as connection:
        for table, rows in tables.items():
            name = sql.Identifier(*table.split("."))
            connection.execute(sql.SQL("DELETE FROM {}").format(name))
            for row in rows:
                columns = sql.SQL(", ").join(map(sql.Identifier, row))
                marks = sql.SQL(", ").join([sql.Placeholder()] * len(row))
                connection.execute(
                    sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(name, columns, marks), list(row.values())
                )


def in_files(engine, folder, rows, declared):
    """Write tables as files of an engine and return their address."""
    return engines.write(engine, folder, {table: (declared[table], each) for table, each in rows.items()})
