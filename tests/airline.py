"""A small airline on a pair of empty demo platforms, for tests that move real rows."""

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql
from pytest_django import Settings

from portal.demo import legacy, newplatform
from tests.databases import Platforms

CODE = "ZZ"
AIRPORTS = {"JFK": "America/New_York", "LAX": "America/Los_Angeles", "ORD": "America/Chicago"}
PLANE = {
    "carr_cd": CODE,
    "tail_no": "N1ZZ",
    "mfr_yr": "2001",
    "eqp_typ": "Fixed wing multi engine",
    "mfr_nm": "AIRBUS INDUSTRIE",
    "mdl_nm": "A320-232",
    "eng_cnt": "2",
    "seat_cnt": "200",
    "eng_typ": "Turbo-fan",
}
FLIGHT = {
    "carr_cd": CODE,
    "flt_no": "0007",
    "flt_dt": "20130115",
    "leg_no": "1",
    "org_stn": "JFK",
    "dst_stn": "LAX",
    "tail_no": "N1ZZ",
    "sch_dep": "0900",
    "sch_arr": "1220",
    "act_dep": "0905",
    "act_arr": "1215",
    "dep_dly": 5,
    "arr_dly": -5,
    "air_min": 340,
    "dist_mi": 2475,
    "can_flg": "N",
}


def create(platforms: Platforms) -> None:
    """Create both schemas."""
    with psycopg.connect(platforms.legacy_owner, autocommit=True) as connection:
        connection.execute(legacy.DDL.read_bytes())
    newplatform.create(platforms.new_owner)


def refill(platforms: Platforms) -> None:
    """Empty both platforms; put into legacy the airline's airports and two aircraft of one type."""
    with psycopg.connect(platforms.legacy_owner, autocommit=True) as connection:
        connection.execute("TRUNCATE stn_mast, eqp_mast, flt_hist")
    empty_new(platforms)
    insert(platforms, "stn_mast", [_station(code, zone) for code, zone in AIRPORTS.items()])
    insert(platforms, "eqp_mast", [PLANE, {**PLANE, "tail_no": "N2ZZ", "mfr_nm": "AIRBUS", "mfr_yr": None}])


def empty_new(platforms: Platforms) -> None:
    """Empty the new platform, Crossing's own rows there included."""
    with psycopg.connect(platforms.new_owner, autocommit=True) as connection:
        connection.execute("TRUNCATE platform.provenance, platform.account CASCADE")
    with psycopg.connect(platforms.new_loader, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS crossing_stage.run, crossing_stage.batch, crossing_stage.outcome,"
                           " crossing_stage.total, crossing_stage.seen, crossing_stage.range, crossing_stage.touched,"
                           " crossing_stage.dead_letter, crossing_stage.former, crossing_stage.held,"
                           " crossing_stage.preserved CASCADE")  # fmt: skip


def _station(code: str, zone: str) -> dict[str, Any]:
    return {"carr_cd": CODE, "stn_cd": code, "stn_nm": code, "lat_txt": "40.1", "lon_txt": "-73.9", "elev_ft": "13",
            "tz_nm": zone, "dst_flg": "A"}  # fmt: skip


def insert(platforms: Platforms, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Put rows into legacy, as the vendor's own administrator."""
    with psycopg.connect(platforms.legacy_owner) as connection, connection.cursor() as cursor:
        for row in rows:
            cursor.execute(
                sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    sql.Identifier(table),
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join(sql.Placeholder() * len(row)),
                ),
                list(row.values()),
            )


def flights(platforms: Platforms, count: int, **different: Any) -> None:
    """Put flights into legacy, numbered on from those that are there; `different` columns differ from the usual."""
    first = legacy_value(platforms, "SELECT coalesce(max(flt_seq), 0) + 1 FROM flt_hist")
    insert(
        platforms,
        "flt_hist",
        (
            {**FLIGHT, "flt_seq": number, "flt_no": f"{number:04}", **different}
            for number in range(first, first + count)
        ),
    )


def legacy_value(platforms: Platforms, query: str, *params: Any) -> Any:
    """Ask legacy for one value."""
    with psycopg.connect(platforms.legacy_owner) as connection:
        row = connection.execute(query, params).fetchone()  # type: ignore[call-overload]  # a test's own query
    return row[0] if row else None


def legacy_do(platforms: Platforms, statement: str, *params: Any) -> None:
    """Change legacy, as the customer would."""
    with psycopg.connect(platforms.legacy_owner) as connection:
        connection.execute(statement, params)  # type: ignore[call-overload]  # a test's own statement


def new_rows(platforms: Platforms, query: str, *params: Any) -> list[tuple[Any, ...]]:
    """Ask the new platform for rows."""
    with psycopg.connect(platforms.new_owner) as connection:
        return connection.execute(query, params).fetchall()  # type: ignore[call-overload]  # a test's own query


def new_do(platforms: Platforms, statement: str, *params: Any) -> None:
    """Change the new platform behind everybody's back."""
    with psycopg.connect(platforms.new_owner) as connection:
        connection.execute(statement, params)  # type: ignore[call-overload]  # a test's own statement


def lose_notes(platforms: Platforms) -> None:
    """Let all runs be of a release that noted nothing of what is looked up."""
    with psycopg.connect(platforms.new_loader) as connection:
        connection.execute("UPDATE crossing_stage.run SET looked = NULL, looked_from = NULL")


def use(platforms: Platforms, settings: Settings) -> None:
    """Let the ports' real adapters talk to this pair of platforms."""
    settings.ADAPTERS = {
        **settings.ADAPTERS,
        "legacy": {**settings.ADAPTERS["legacy"], "OPTIONS": {"url": platforms.legacy_reader}},
        "inspector": {**settings.ADAPTERS["inspector"], "OPTIONS": {"url": platforms.new_loader}},
        "reconciler": {
            **settings.ADAPTERS["reconciler"],
            "OPTIONS": {**settings.ADAPTERS["reconciler"]["OPTIONS"], "url": platforms.new_loader},
        },
        "mover": {
            **settings.ADAPTERS["mover"],
            "OPTIONS": {**settings.ADAPTERS["mover"]["OPTIONS"], "url": platforms.new_loader},
        },
    }


def station(code: str, **different: Any) -> dict[str, Any]:
    """Return an airport's row in legacy."""
    return {"carr_cd": CODE, "stn_cd": code, "stn_nm": code, "lat_txt": "40.1", "lon_txt": "-73.9",
            "elev_ft": "13", "tz_nm": "America/New_York", **different}  # fmt: skip


def plane(tail: str, **different: Any) -> dict[str, Any]:
    """Return an aircraft's row in legacy."""
    return {**PLANE, "cruise_spd": None, "tail_no": tail, **different}


def flight(number: int, **different: Any) -> dict[str, Any]:
    """Return a flight's row in legacy."""
    return {**FLIGHT, "flt_seq": number, "flt_no": f"{number:04}", "tail_no": None, **different}


def compare_with(platforms: Platforms, settings: Settings) -> None:
    """Let the real comparison read this pair of platforms, without waiting for what is in flight."""
    settings.ADAPTERS = {
        **settings.ADAPTERS,
        "comparison": {
            "BACKEND": "portal.adapters.comparison.DuckComparison",
            "OPTIONS": {
                "legacy": platforms.legacy_reader,
                "new": platforms.new_loader,
                "settle": 0,
                "threads": 1,
            },
        },
        "checksummer": {
            "BACKEND": "portal.adapters.comparison.checksums.PostgresChecksummer",
            "OPTIONS": {"url": platforms.new_loader},
        },
    }
