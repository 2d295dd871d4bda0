"""A table of customers outside of the demo, every thousandth row bad in one of ten ways.

Five kinds are mended by a new version of the mapping, the others by correcting the row in legacy.
"""

import psycopg

from portal.demo import newplatform
from tests.databases import Platforms

EVERY = 1000
KINDS = 10
"""Kinds of bad rows; every thousandth row is one of them when the source is poisoned."""

SPEC = """
format: crossing-mapping/1
entity: customers
version: 1
title: Customers
batch: {batch}
stop_above_percent: 0.1
source:
  system: legacy
  table: cust_mast
  tenant: own_cd
  key: {{column: cust_no, type: bigint}}
  columns:
    cust_no: {{class: public}}
    guid: {{class: public}}
    nm: {{class: public}}
    mail: {{class: public}}
    amt: {{class: public}}
    flag: {{class: public}}
    day: {{class: public}}
    clock: {{class: public}}
    zone: {{class: public}}
    city: {{class: public}}
    qty: {{class: public}}
    kind: {{class: public}}
target: {{table: clean.customer, tenant: account_id, key: id}}
time_zones: [America/New_York, Europe/Berlin]
tables:
  kinds: {{P: person, O: organisation}}
sets:
  zones: [America/New_York, Europe/Berlin]
let:
  since: date(day)
  minutes: hhmm(clock)
rules:
  - {{name: no_such_zone, when: "not one_of(zone, 'zones')", then: quarantine, column: zone, because: Odd., fix: Mend.}}
  - {{name: too_much, when: "int(qty) > 5000", then: quarantine, column: qty, because: Too many., fix: Correct it.}}
columns:
  id: {{is: int(cust_no), type: bigint, required: true, class: public}}
  guid: {{is: lower(guid), type: text, required: true, max: 32, class: public}}
  name: {{is: nfc(trim(nm)), type: text, required: true, class: public}}
  email: {{is: lower(mail), type: text, required: true, class: public}}
  cents: {{is: "decimal(amt) * 100", type: "numeric(14,2)", required: true, class: public}}
  active: {{is: yes_no(flag), type: boolean, required: true, class: public}}
  begins_at: {{is: "at_local(since, minutes, zone)", type: timestamptz, required: true, class: public}}
  city: {{is: "coalesce(city, 'unknown')", type: text, required: true, class: public}}
  quantity: {{is: int(qty), type: smallint, required: true, class: public}}
  kind: {{is: "value(kind, 'kinds')", type: text, required: true, class: public}}
"""
MENDED = {
    "version: 1": "version: 2",
    "required: true, max: 32": "required: true, max: 40",
    "nfc(trim(nm))": "\"coalesce(nfc(trim(nm)), 'unknown')\"",
    "then: quarantine, column: zone, because: Odd., fix: Mend.": "then: keep, because: Taken to be in Berlin.",
    '"at_local(since, minutes, zone)"': '"at_local(since, minutes, home)"',
    "  minutes: hhmm(clock)": "  minutes: hhmm(clock)\n  home: when(one_of(zone, 'zones'), zone, 'Europe/Berlin')",
    "int(qty) > 5000": "int(qty) > 10000",
    "O: organisation": "O: organisation, Z: other",
}
"""What the second version of the mapping says instead of the first."""
LEGACY = """
CREATE TABLE cust_mast (own_cd text, cust_no bigint PRIMARY KEY, guid text, nm text, mail text, amt text, flag char(1),
    day text, clock text, zone text, city text, qty text, kind text);
INSERT INTO cust_mast SELECT 'A', n, upper(md5(n::text)), '  Customer ' || n || ' ', 'Person' || n || '@Example.COM',
    round(n * 1.37 % 100000, 2)::text, CASE WHEN n % 3 = 0 THEN 'Y' ELSE 'N' END,
    to_char(date '2013-01-01' + (n % 365)::int, 'YYYYMMDD'),
    to_char(time '00:00' + (n % 1440) * interval '1 min', 'HH24MI'),
    CASE WHEN n % 2 = 0 THEN 'America/New_York' ELSE 'Europe/Berlin' END,
    CASE WHEN n % 10 = 0 THEN NULL ELSE 'City ' || n % 500 END, (n % 1000)::text,
    CASE WHEN n % 7 = 0 THEN 'O' ELSE 'P' END FROM generate_series(1, {rows}) AS n;
GRANT SELECT ON cust_mast TO legacy_reader;
"""
POISON = """
UPDATE cust_mast SET
    guid = CASE k WHEN 0 THEN guid || 'x' ELSE guid END, nm = CASE k WHEN 1 THEN NULL ELSE nm END,
    amt = CASE k WHEN 2 THEN '12,50' WHEN 3 THEN '999999999999999' ELSE amt END,
    flag = CASE k WHEN 4 THEN '?' ELSE flag END, day = CASE k WHEN 5 THEN '20130230' ELSE day END,
    clock = CASE k WHEN 6 THEN '2561' ELSE clock END, zone = CASE k WHEN 7 THEN 'Mars/Olympus' ELSE zone END,
    qty = CASE k WHEN 8 THEN '6000' ELSE qty END, kind = CASE k WHEN 9 THEN 'Z' ELSE kind END
FROM (SELECT cust_no AS n, cust_no / {every} % {kinds} AS k FROM cust_mast WHERE cust_no % {every} = 0) AS bad
WHERE cust_no = n;
"""
CORRECTED = """
UPDATE cust_mast SET
    amt = CASE amt WHEN '12,50' THEN '12.50' WHEN '999999999999999' THEN '9.99' ELSE amt END,
    flag = CASE flag WHEN '?' THEN 'Y' ELSE flag END, day = CASE day WHEN '20130230' THEN '20130228' ELSE day END,
    clock = CASE clock WHEN '2561' THEN '2051' ELSE clock END
WHERE cust_no %% {every} = 0;
"""
"""What the customer puts right in legacy."""
NEW = """
CREATE SCHEMA clean;
CREATE TABLE clean.customer (account_id uuid NOT NULL, id bigint, guid text NOT NULL,
    name text NOT NULL, email text NOT NULL, cents numeric(14,2) NOT NULL, active boolean NOT NULL,
    begins_at timestamptz NOT NULL, city text NOT NULL, quantity smallint NOT NULL, kind text NOT NULL,
    PRIMARY KEY (account_id, id));
CREATE TABLE clean.raw (own_cd text, cust_no bigint, guid text, nm text, mail text, amt text, flag char(1), day text,
    clock text, zone text, city text, qty text, kind text);
GRANT USAGE ON SCHEMA clean TO new_loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA clean TO new_loader;
"""
REASONS = {
    0: ("value_too_long", "22001", "guid"),
    1: ("missing_value", "23502", "nm"),
    2: ("unreadable_value", "22P02", "amt"),
    3: ("value_out_of_range", "22003", "amt"),
    4: ("unreadable_value", "22P02", "flag"),
    5: ("unreadable_value", "22P02", "day"),
    6: ("unreadable_value", "22P02", "clock"),
    7: ("no_such_zone", "23514", "zone"),
    8: ("too_much", "23514", "qty"),
    9: ("unreadable_value", "22P02", "kind"),
}
"""Why each kind is rejected by the first version: rule, SQLSTATE, source column."""
BY_SPEC = frozenset({0, 1, 7, 8, 9})
"""Kinds that the second version of the mapping mends."""


def kind(number: int) -> int:
    """Return which kind of bad row a customer's number stands for; of every thousandth one."""
    return number // EVERY % KINDS


def spec(version: int, *, batch: int) -> str:
    """Return the first or the second version of the mapping."""
    text = SPEC.format(batch=batch)
    for was, now in MENDED.items() if version > 1 else ():
        assert text.count(was) == 1, was
        text = text.replace(was, now)
    return text


def create(platforms: Platforms, *, rows: int) -> None:
    """Fill legacy, poison it, and make the new platform's tables."""
    newplatform.create(platforms.new_owner)
    for url, *statements in (
        (platforms.legacy_owner, LEGACY.replace("{rows}", str(rows)), POISON.format(every=EVERY, kinds=KINDS)),
        (platforms.new_owner, NEW),
    ):
        with psycopg.connect(url) as connection:
            for statement in statements:
                connection.execute(statement.encode())
