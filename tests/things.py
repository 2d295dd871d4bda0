"""An entity whose mapping both databases can evaluate, with a column of every kind that they digest."""

from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg

from backfills.domain import spec as specs
from core.comparison import Plan

THINGS = """
format: crossing-mapping/1
entity: things
version: 1
title: Things
source:
  system: legacy
  table: thing_mast
  tenant: own_cd
  key: {column: seq, type: bigint}
  columns:
    seq: {class: public}
    nm: {class: public}
    qty: {class: public}
    fee: {class: public}
    flag: {class: public}
    day: {class: public}
    clock: {class: public}
    ref: {class: public}
    state: {class: public}
target: {table: clean.thing, tenant: owner, key: id}
time_zones: [America/New_York]
let:
  minutes: hhmm(clock)
columns:
  id: {is: int(seq), type: bigint, required: true, class: public}
  name: {is: trim(nm), type: text, class: public}
  quantity: {is: int(qty), type: integer, class: public}
  fee: {is: "decimal(fee) * 100", type: "numeric(12,2)", class: public}
  active: {is: yes_no(flag), type: boolean, class: public}
  on_day: {is: date(day), type: date, class: public}
  begins_at: {is: "at_local(date(day), minutes, 'America/New_York')", type: timestamptz, class: public}
  reference: {is: ref, type: text, class: public}
  nothing: {is: "None", type: text, class: public}
rules:
  - {name: archived, when: state == 'A', then: drop, because: Archived things stay behind.}
  - {name: contested, when: state == 'Q', then: quarantine, because: Two say otherwise., fix: Settle it.}
"""
LABELS = """
format: crossing-mapping/1
entity: labels
version: 1
title: Labels
source:
  system: legacy
  table: thing_mast
  tenant: own_cd
  key: {column: seq, type: bigint}
  columns: {seq: {class: public}, nm: {class: public}, fee: {class: public}}
target: {table: clean.label, tenant: owner, key: code}
columns:
  code: {is: "concat('L-', nm)", type: text, required: true, class: public}
  fee: {is: decimal(fee), type: "numeric(12,2)", class: public}
duplicates: {name: same_label, then: merge, because: One label per name.}
supplements:
  name: added
  because: Legacy lacks it.
  rows: [{code: L-none, fee: 0}]
"""
SPECS = specs.load_set({"things": THINGS, "labels": LABELS})
DDL_LEGACY = """
CREATE TABLE thing_mast (own_cd text, seq bigint, nm text, qty text, fee text, flag text, day text, clock text,
                         ref text, state text);
GRANT SELECT ON thing_mast TO legacy_reader;
"""
DDL_NEW = """
CREATE SCHEMA IF NOT EXISTS clean;
CREATE TABLE clean.thing (owner text, id bigint, name {name}, quantity integer, fee numeric(12,2), active boolean,
                          on_day date, begins_at timestamptz, reference uuid, nothing text);
CREATE TABLE clean.label (owner text, code text, fee numeric(12,2));
GRANT USAGE ON SCHEMA clean TO new_loader;
GRANT SELECT ON ALL TABLES IN SCHEMA clean TO new_loader;
"""


def make(legacy_owner: str, new_owner: str, *, name: str = "text") -> None:
    """Make the tables anew; `name` is the type of that column on the new platform."""
    for url, tables, ddl in (
        (legacy_owner, "thing_mast", DDL_LEGACY),
        (new_owner, "clean.thing, clean.label", DDL_NEW.format(name=name)),
    ):
        with psycopg.connect(url) as connection:
            connection.execute(f"DROP TABLE IF EXISTS {tables} CASCADE".encode())
            connection.execute(ddl.encode())


REFERENCE = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"


def legacy_thing(seq, nm="Ann", **changed):
    return {
        "own_cd": "B6", "seq": seq, "nm": nm, "qty": "7", "fee": "1.5", "flag": "Y", "day": "20130701",
        "clock": "0930", "ref": REFERENCE, "state": None,
    } | changed  # fmt: skip


def new_thing(number, name="Ann", **changed):
    return {
        "owner": "t1", "id": number, "name": name, "quantity": 7, "fee": Decimal("150.00"), "active": True,
        "on_day": date(2013, 7, 1), "begins_at": datetime(2013, 7, 1, 13, 30, tzinfo=UTC), "reference": REFERENCE,
        "nothing": None,
    } | changed  # fmt: skip


def plan(entity="things"):
    return Plan(entity, SPECS[entity], SPECS, legacy_tenant="B6", new_tenant="t1")
