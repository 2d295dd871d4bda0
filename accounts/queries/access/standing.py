"""Everybody's access as it stands now, read by one statement (`standing.sql`): counted, streamed, frozen.

The domain alone says how roles compare. It is asked once for each set of roles that occurs, not for each person, and
its answers are handed back to the database to sort and freeze by: no list of people is ever held in memory.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import get_hashers
from django.db import DatabaseError, connection

from accounts.domain.access import DIFFERENCES, Access, Difference, Standing, Way, shown
from accounts.models import LegacyPerson, Member, NewPerson
from accounts.queries import sso

EVERYBODY = Path(__file__).with_name("standing.sql").read_text(encoding="utf-8")
"""What a statement about everybody's access begins with; `facts` fills it in."""
_COUNTS = """
SELECT old_role, platform_role, role, is_old_owner, is_platform_owner, count(*),
       count(*) FILTER (WHERE member_id IS NOT NULL AND ways = '{}')
  FROM everybody GROUP BY old_role, platform_role, role, is_old_owner, is_platform_owner
"""
_LISTED = """
SELECT old_role, platform_role, role, is_old_owner, is_platform_owner, name, email, ways, seen_at,
       member_id, legacy_id, new_id
  FROM sorted ORDER BY number
"""
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Counts:
    """How many people have access, how it differs from before, and how many members cannot sign in."""

    by_difference: dict[Difference, int]
    stuck: int

    @property
    def people(self) -> int:
        """How many there are."""
        return sum(self.by_difference.values())


def are_few(*, tenant_id: UUID, most: int) -> bool:
    """Say whether Crossing and both platforms each know at most so many people, most of whom are the same."""
    rows = (model.objects.filter(tenant_id=tenant_id) for model in (Member, LegacyPerson, NewPerson))
    return all(some[: most + 1].count() <= most for some in rows)


def counts(*, tenant_id: UUID) -> Counts:
    """Return how many stand how; what needs a look comes first."""
    told, stuck = dict.fromkeys(DIFFERENCES, 0), 0
    for standing, count, without in _kinds(_facts(tenant_id)):
        told[standing.difference] += count
        stuck += without
    return Counts(told, stuck)


def everybody(*, tenant_id: UUID) -> Iterator[Access]:
    """Yield everybody who has access on either platform or in Crossing, in batches; what needs a look comes first."""
    known = facts(tenant_id=tenant_id)
    with connection.chunked_cursor() as cursor:
        with hashed():
            cursor.execute(EVERYBODY + _LISTED, known)
        while rows := cursor.fetchmany(_AT_ONCE):
            yield from map(_access, rows)


@contextmanager
def hashed() -> Iterator[None]:
    """Have what is read inside joined by hashing: of people just read in, the database knows no numbers yet."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_nestloop = off")
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:  # a transaction that failed undoes it itself
            cursor.execute("RESET enable_nestloop")


def facts(*, tenant_id: UUID) -> dict[str, Any]:
    """Return what the statement asks for: the tenant, the ways in that are open in it at all, and how roles compare."""
    known, order = _facts(tenant_id), list(DIFFERENCES)
    told = [
        {
            "old_role": held.old_role, "platform_role": held.platform_role, "role": held.role,
            "is_old_owner": held.is_old_owner, "is_platform_owner": held.is_platform_owner,
            "difference": held.difference.value, "rank": order.index(held.difference),
        }
        for held, _, _ in _kinds(known)
    ]  # fmt: skip
    return known | {"differences": json.dumps(told)}


def _kinds(known: dict[str, Any]) -> list[tuple[Standing, int, int]]:
    """Return every set of roles that occurs, with how many hold it, and how many of those cannot sign in."""
    with hashed(), connection.cursor() as cursor:
        cursor.execute(EVERYBODY + _COUNTS, known)
        return [(Standing(*row[:5]), row[5], row[6]) for row in cursor.fetchall()]


def _facts(tenant_id: UUID) -> dict[str, Any]:
    """Return what the statement asks for: the tenant, and which ways in are open in it at all."""
    company = sso.of_tenant(tenant_id=tenant_id)
    works = [] if _is_sso_only(tenant_id) else [hasher.algorithm for hasher in get_hashers()]
    connected = company is not None and company.is_connected
    return {"tenant": tenant_id, "connected": connected, "algorithms": works, "differences": "[]"}


def _is_sso_only(tenant_id: UUID) -> bool:
    """Ask what decides at sign-in too: whether a password opens nothing of this tenant."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT crossing.sso_only(%s)", [tenant_id])
        return bool(cursor.fetchone()[0])


def _access(row: tuple[Any, ...]) -> Access:
    *held, name, email, ways, seen_at, member_id, legacy_id, new_id = row
    return Access(
        standing=Standing(*held), name=shown(name), email=shown(email), ways=tuple(map(Way, ways)), seen_at=seen_at,
        member_id=member_id, legacy_id=legacy_id, new_id=new_id,
    )  # fmt: skip
