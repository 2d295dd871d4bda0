"""Fills the demo's `legacy` database with real flights, as an old operations product would store them."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from portal.demo import flights2013
from portal.demo.airlines import AIRLINES, Airline, Story
from portal.demo.flights2013 import known

DDL = Path(__file__).with_name("legacy.sql")
TELEX = ("TTY-FAX", "Telex and fax", 1, "7500")
type Row = tuple[object, ...]
type Report = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and out of how much."""

_FIRST = (
    "Ada",
    "Ben",
    "Chloe",
    "Diego",
    "Elif",
    "Femi",
    "Grace",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Liam",
    "Maya",
    "Noor",
)
_LAST = (
    "Abara",
    "Berg",
    "Castillo",
    "Dvorak",
    "Evans",
    "Fontaine",
    "Garcia",
    "Haddad",
    "Ito",
    "Jensen",
    "Kowalski",
    "Lund",
)
_SEATS = {"major": 60, "national": 25, "regional": 12}
_PLANS = {
    "major": ("OPS-ENT", "Operations Enterprise", 250, None),
    "national": ("OPS-PRO", "Operations Pro", 60, 150_000),
    "regional": ("OPS-STD", "Operations Standard", 25, 60_000),
}


def fill(url: str, *, report: Report, airlines: Collection[Airline] = AIRLINES) -> None:
    """Create and fill the tables in one transaction, unless they are there already.

    `url` is the vendor's own administrator's: Crossing itself only reads this database. `airlines` limits whose data
    are loaded.
    """
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT to_regclass('public.flt_hist')").fetchone() != (None,):
            return
        connection.execute(DDL.read_bytes())
        planes = {row["tailnum"]: row for row in flights2013.table("planes")}
        stations = list(flights2013.table("airports"))
        names = {row["faa"]: row["name"] for row in stations}
        _date(connection, "timestamptz '2014-01-01 00:00 UTC'")
        _copy(
            connection,
            "carr_mast",
            ((a.code, a.name.upper(), a.time_zone, a.segment[0].upper(), "Y") for a in airlines),
        )
        _copy(connection, "stn_mast", (_station(airline.code, row) for airline in airlines for row in stations))
        fleets: dict[str, set[str]] = defaultdict(set)
        loaded = {airline.code for airline in airlines}
        _copy(connection, "flt_hist", _watched(_flights(loaded, names, fleets), report))
        _copy(connection, "eqp_mast", (_aircraft(code, planes[tail]) for code in sorted(fleets)
                                       for tail in sorted(fleets[code]) if tail in planes))  # fmt: skip
        _date(connection, "now()")
        for airline in airlines:
            _account(connection, airline, flights=len(fleets[airline.code]))
        connection.execute("ANALYZE")


def _date(connection: psycopg.Connection, moment: str) -> None:
    """Let rows that come now have changed last at a moment: those of 2013 have not been touched for long."""
    for table in ("stn_mast", "eqp_mast", "flt_hist"):
        connection.execute(f"ALTER TABLE {table} ALTER upd_ts SET DEFAULT {moment}".encode())


def _copy(connection: psycopg.Connection, table: str, rows: Iterable[Row]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(sql.Identifier(table)))
        columns = [sql.Identifier(column.name) for column in cursor.description or () if column.name != "upd_ts"]
    copied = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), sql.SQL(", ").join(columns))
    with connection.cursor() as cursor, cursor.copy(copied) as copy:
        for row in rows:
            copy.write_row(row)


def _watched(rows: Iterable[Row], report: Report, *, total: int = 336_776) -> Iterator[Row]:
    for done, row in enumerate(rows, start=1):
        if done % 20_000 == 0 or done == total:
            report("Loading flights of 2013 into legacy", done, total)
        yield row


def _station(carrier: str, row: dict[str, str]) -> Row:
    return (
        carrier,
        row["faa"],
        row["name"],
        known(row["lat"]),
        known(row["lon"]),
        known(row["alt"]),
        known(row["tzone"]),
        row["dst"],
    )


def _aircraft(carrier: str, row: dict[str, str]) -> Row:
    columns = ("year", "type", "manufacturer", "model", "engines", "seats", "speed", "engine")
    return (carrier, row["tailnum"], *(known(row[column]) for column in columns))


def _hhmm(value: str) -> str | None:
    text = known(value)
    return text.zfill(4) if text else None


def _flights(carriers: Collection[str], names: dict[str, str], fleets: dict[str, set[str]]) -> Iterator[Row]:
    """Yield these carriers' rows of `flt_hist`, and note which aircraft each carrier flew.

    The sequence counts per carrier; the leg tells flights apart that had one number on one day.
    """
    sequence: Counter[str] = Counter()
    legs: Counter[tuple[str, ...]] = Counter()
    for row in flights2013.flights(carriers):
        carrier, tail = row["carrier"], known(row["tailnum"])
        day = f"{row['year']}{row['month']:0>2}{row['day']:0>2}"
        sequence[carrier] += 1
        legs[carrier, row["flight"], day] += 1
        if tail:
            fleets[carrier].add(tail)
        yield (
            carrier,
            sequence[carrier],
            row["flight"].zfill(4),
            day,
            legs[carrier, row["flight"], day],
            row["origin"],
            names.get(row["origin"]),
            row["dest"],
            names.get(row["dest"]),
            tail,
            _hhmm(row["sched_dep_time"]),
            _hhmm(row["sched_arr_time"]),
            _hhmm(row["dep_time"]),
            _hhmm(row["arr_time"]),
            known(row["dep_delay"]),
            known(row["arr_delay"]),
            known(row["air_time"]),
            known(row["distance"]),
            "N" if known(row["dep_time"]) else "Y",
        )


def _secret(*parts: object) -> str:
    return hashlib.sha256("·".join(map(str, parts)).encode()).hexdigest()


def people(airline: Airline) -> Iterator[tuple[int, str, str, str, str]]:
    """Yield (number, login, name, role, active) of an airline's people in legacy; the first four are the personas."""
    for number, role in enumerate(("owner", "admin", "auditor", "member"), start=1):
        yield number, f"{role}@{airline.domain}", f"{airline.name} {role}", role[:3].upper(), "Y"
    for number in range(5, _SEATS[airline.segment] + 1):
        first, last = _FIRST[number * 5 % len(_FIRST)], _LAST[number * 7 % len(_LAST)]
        role = "DSP" if number % 3 else "CRW"
        yield (
            number,
            f"{first}.{last}{number}@{airline.domain}".lower(),
            f"{first} {last}",
            role,
            "YN"[number % 11 == 0],
        )


def _account(connection: psycopg.Connection, airline: Airline, *, flights: int) -> None:
    """Write what an airline has besides flights: people, plan with add-ons, webhook endpoints, API keys."""
    code, host = airline.code, airline.domain
    plan, title, seats, limit = _PLANS[airline.segment]
    # JetBlue's price dates from 2004; the contract keeps it until the end of 2027.
    grandfathered = code == "B6"
    price = {"major": 480_000, "national": 145_000, "regional": 62_000}[airline.segment] - 90_000 * grandfathered
    _copy(connection, "usr_mast", ((code, *person) for person in people(airline)))
    _copy(
        connection,
        "plan_mast",
        [(code, plan, title, seats, limit, str(price), "NY"[grandfathered], "20271231" if grandfathered else None)],
    )
    addons = [("WX-FEED", "Weather feed", 1, "12000"), ("CREW-SMS", "Crew messages", 5_000, "4500")]
    bought = addons[: 1 + (airline.segment != "regional")]
    if airline.story is Story.BLOCKED:  # the only one that still sends telexes, which the new platform does not
        bought.append(TELEX)
    _copy(connection, "plan_addon", ((code, *addon) for addon in bought))
    hooks = [
        (1, f"https://ops.{host}/hooks/flights", "flight.departed,flight.arrived,flight.cancelled"),
        (2, f"https://mx.{host}/hooks/aircraft", "aircraft.assigned"),
    ]
    _copy(connection, "hook_mast", ((code, *hook, _secret(code, "hook", hook[0]), "Y") for hook in hooks))
    keys = [
        (1, "Crew app", "flights:read", _used(days_ago=0)),
        (2, "Data warehouse", "flights:read,aircraft:read", _used(days_ago=1)),
        (3, "Old kiosk", "flights:read", _used(days_ago=317)),
    ]
    _copy(
        connection,
        "api_key",
        (
            (code, number, label, _secret(code, "key", number), scopes, last, "Y")
            for number, label, scopes, last in keys
        ),
    )
    _copy(connection, "intg_mast", ((code, *row) for row in _connected(airline)))


def _connected(airline: Airline) -> Iterator[Row]:
    """Yield what else an airline has connected: its nightly feed, its security log, its connectors."""
    host = airline.domain
    yield 1, "ETL", "Nightly export", f"sftp://etl.{host}/in", "flights,aircraft", _used(days_ago=1), "Y"
    if airline.segment != "regional":
        yield 2, "SIEM", "Security log", f"syslog://siem.{host}", "sign-ins,changes", _used(days_ago=0), "Y"
        yield 3, "CONN", "Crew scheduling", f"https://crew.{host}/legacy", "flights", _used(days_ago=2), "Y"
        yield 4, "CONN", "Fax dispatch", None, "flights", _used(days_ago=900), "N"


def _used(*, days_ago: int) -> str:
    """Return the day something was last used: the flights are of 2013, but people use the product today."""
    return f"{datetime.now(UTC) - timedelta(days=days_ago):%Y%m%d}"
