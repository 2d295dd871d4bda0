"""Many records on both platforms of `tests.people`, and corruptions planted among them at random."""

import random
from collections.abc import Callable

import psycopg

from core.comparison import Difference
from tests.people import NEW_YORK, ZONES_MOVED, fill

LEGACY = """
INSERT INTO person_mast SELECT 'B6', n, ' Person ' || n || ' ', round(n * 1.37 %% 10000, 2), CASE WHEN n %% 3 = 0
    THEN 'Y' ELSE 'N' END, to_char(date '2013-01-01' + (n %% 365)::int, 'YYYYMMDD'),
    to_char(time '00:00' + (n %% 1440) * interval '1 min', 'HH24MI'), 'NY', NULL
    FROM generate_series(1, %s::bigint) AS n
"""
NEW = """
INSERT INTO clean.person SELECT 't1', n, 'Person ' || n, round(n * 1.37 %% 10000, 2) * 100, n %% 3 = 0,
    (date '2013-01-01' + (n %% 365)::int + (n %% 1440) * interval '1 min') AT TIME ZONE 'America/New_York', 'NY'
    FROM generate_series(1, %s::bigint) AS n
"""
VALUES = (
    "name = name || ' '",
    "name = upper(name)",
    "fee = fee + 0.01",
    "fee = -fee - 0.01",
    "active = NOT active",
    "begins_at = begins_at + interval '1 microsecond'",
    "begins_at = begins_at + interval '1 hour'",
    "zone = ''",
)
COLUMNS = ("name", "fee", "active", "begins_at", "zone")


def corrupt(connection: psycopg.Connection, *, records: int, corruptions: int, seed: int) -> dict[str, str]:
    """Plant corruptions of every kind at random; return which records then disagree, and how."""
    dice = random.Random(seed)
    keys = iter(dice.sample(range(1, records + 1), 2 * corruptions))
    planted: dict[str, str] = {}

    def change(statement: str, *keys: int) -> None:
        connection.execute(statement.encode(), list(keys))

    for number in range(corruptions):
        key, kind = next(keys), dice.choice(("value", "null", "missing", "extra", "swapped", "duplicated"))
        if kind == "value":
            change(f"UPDATE clean.person SET {dice.choice(VALUES)} WHERE id = %s", key)
            planted[str(key)] = "different"
        elif kind == "null":
            change(f"UPDATE clean.person SET {dice.choice(COLUMNS)} = NULL WHERE id = %s", key)
            planted[str(key)] = "different"
        elif kind == "missing":
            change("DELETE FROM clean.person WHERE id = %s", key)
            planted[str(key)] = "missing"
        elif kind == "extra":
            key += records * (number + 1)
            change("INSERT INTO clean.person SELECT owner, %s, name, fee, active, begins_at, zone FROM clean.person "
                   "WHERE id = %s", key, records // 2 if str(records // 2) not in planted else 1)  # fmt: skip
            planted[str(key)] = "extra"
        elif kind == "swapped":
            other = next(keys)
            change("UPDATE clean.person SET id = %s - id WHERE id IN (%s, %s)", key + other, key, other)
            planted |= {str(key): "different", str(other): "different"}
        else:
            change("INSERT INTO clean.person SELECT * FROM clean.person WHERE id = %s", key)
            planted[str(key)] = "duplicate"
    return planted


def plant(pair: object, *, records: int, corruptions: int, seed: int) -> dict[str, str]:
    """Fill both platforms, corrupt the new one, and return which records then disagree, and how."""
    fill(pair.legacy_owner, {"zone_mast": [NEW_YORK], "person_mast": []})
    fill(pair.new_owner, {"clean.zone": ZONES_MOVED, "clean.person": []})
    with psycopg.connect(pair.legacy_owner) as connection:
        connection.execute(LEGACY, [records])
    with psycopg.connect(pair.new_owner) as connection:
        connection.execute(NEW, [records])
        connection.execute("CREATE INDEX planting ON clean.person (id)")
        planted = corrupt(connection, records=records, corruptions=corruptions, seed=seed)
        connection.execute("DROP INDEX clean.planting")
    assert len(planted) >= corruptions
    return planted


def found_in(found: dict[str, str]) -> Callable[[Difference], None]:
    """Collect differences by key; a key reported twice is one invented."""

    def report(difference: Difference) -> None:
        assert difference.key not in found
        found[difference.key] = difference.kind

    return report
