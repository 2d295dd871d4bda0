"""The demo's drift: somebody goes on working in legacy after the comparison, and it is seen.

At JetBlue they took it back since, so it is over; at American it waits for the next run.
"""

import os
from collections.abc import Callable
from uuid import UUID

import psycopg
from django.utils import timezone

from accounts.queries import tenants
from core import tenancy
from core.actor import Actor
from parity_reports.queries import drift as queries
from parity_reports.services import drift as services
from portal.demo.airlines import Airline, Story, of_story

BY = Actor.system("loader")


def drift(*, report: Callable[[str], None]) -> None:
    """Add seats to an aircraft of two airlines in legacy and look again. Safe to repeat: it is done once."""
    with tenancy.staff_scope(by=BY, reason="demo: find the airlines"):
        ids = {tenant.legacy_ref: tenant.pk for tenant in tenants.every()}
    for airline in (*of_story(Story.READY), *of_story(Story.BLOCKED)):
        tenant_id = ids[airline.code]
        with tenancy.scope(tenant_id=tenant_id):
            if queries.standing(tenant_id=tenant_id, at=timezone.now()).watches:
                continue
            _seats(airline, more=2)
            _look(tenant_id)
            if airline.story is Story.READY:
                _seats(airline, more=-2)
                _look(tenant_id)
            found = queries.standing(tenant_id=tenant_id, at=timezone.now()).differing
            says = "is told" if found else "was told, and is equal again"
            report(f"{airline.name}: an aircraft that was changed in legacy after the comparison {says}.")


def _seats(airline: Airline, *, more: int) -> None:
    """Do what a dispatcher does in legacy: correct the seats of the airline's first aircraft."""
    with psycopg.connect(os.environ["DEMO_LEGACY_OWNER_URL"]) as connection:
        connection.execute(
            "UPDATE eqp_mast SET seat_cnt = (seat_cnt::integer + %s)::text WHERE carr_cd = %s"
            " AND tail_no = (SELECT min(tail_no) FROM eqp_mast WHERE carr_cd = %s)",
            [more, airline.code, airline.code],
        )


def _look(tenant_id: UUID) -> None:
    if queries.standing(tenant_id=tenant_id, at=timezone.now()).watches:
        services.request(tenant_id=tenant_id, by=BY, at=timezone.now())
    services.recheck(tenant_id=tenant_id, by=BY, now=timezone.now, is_last_attempt=True)
