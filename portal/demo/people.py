"""The demo's people on the new platform: set up by their directories, a little differently from how legacy knows them.

At each airline one person goes by another user name there, and two are not there yet. At American, besides, an
administrator typed somebody in a second time.
"""

import os
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import psycopg
from django.utils import timezone

from accounts.queries import identity_map, tenants
from accounts.services.identity_map import runs
from core import tenancy
from core.actor import Actor
from entitlements.queries import matrix
from portal.demo import legacy
from portal.demo.airlines import AIRLINES, Airline, Story

BY = Actor.system("loader")
PATIENCE = 60.0
RENAMED, TWICE, NOT_YET = 6, 9, (7, 8)
"""Numbers in legacy of the people who are not there as they were."""

type Row = tuple[UUID, str, str | None, str, str, str, str]


def set_up(*, report: Callable[[str], None]) -> list[UUID]:
    """Fill the new platform's people for the airlines with a story, and have all mapped. Safe to repeat."""
    with tenancy.staff_scope(by=BY, reason="demo: find the airlines"):
        ids = {tenant.legacy_ref: tenant.pk for tenant in tenants.every()}
    begun = [airline for airline in AIRLINES if airline.story is not Story.WAITING]
    fill(os.environ["DEMO_NEW_OWNER_URL"], [row for airline in begun for row in rows(airline, ids[airline.code])])
    for airline in begun:
        with tenancy.scope(tenant_id=ids[airline.code]):
            if identity_map.standing(tenant_id=ids[airline.code]).newest is None:
                runs.request(tenant_id=ids[airline.code], by=BY, at=timezone.now())
    report(f"{len(begun)} airlines have people on the new platform; who is who is being mapped.")
    return [ids[airline.code] for airline in begun]


def wait(begun: list[UUID]) -> None:
    """Wait until everybody of these is mapped, so that the go/no-go finds it; not for long, it goes on by itself."""
    until = time.monotonic() + PATIENCE
    for tenant_id in begun:
        with tenancy.scope(tenant_id=tenant_id):
            while identity_map.standing(tenant_id=tenant_id).last is None and time.monotonic() < until:
                time.sleep(0.25)


def fill(url: str, people: list[Row]) -> None:
    """Do what the customers' directories do on the new platform, unless they did. `url` is the administrator's."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO platform.person (account_id, key, external_id, user_name, email, name, role)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            people,
        )


def rows(airline: Airline, account_id: UUID) -> Iterator[Row]:
    """Yield an airline's people as its directory sets them up."""
    becomes = {code: role.to for code, role in matrix.declared().roles.items()}
    for number, login, name, role, active in legacy.people(airline):
        if active == "N" or number in NOT_YET:
            continue
        key, told = f"p-{number:04}", (login, name, becomes[role])
        user_name = login.replace(".", "_", 1) if number == RENAMED else login
        yield account_id, key, f"00u{airline.code}{number}", user_name, *told
        if number == TWICE and airline.story is Story.BLOCKED:
            yield account_id, f"{key}-2", None, user_name, *told
