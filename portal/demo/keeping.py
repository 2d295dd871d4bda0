"""The demo's standing catch-up: at JetBlue people go on working in legacy, and the new platform follows."""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import psycopg
from django.utils import timezone

from accounts.queries import tenants
from backfills.queries import movements
from backfills.queries import standing as queries
from backfills.services import standing
from core import tenancy
from core.actor import Actor
from portal.demo.airlines import Story, of_story

BY = Actor.system("loader")
FOR = timedelta(days=30)
PATIENCE = 60.0


def begin(*, report: Callable[[str], None]) -> list[UUID]:
    """Switch it on for the ready airlines, and let it begin; return them. Safe to repeat: what is on stays on."""
    with tenancy.staff_scope(by=BY, reason="demo: find the airlines"):
        ids = {tenant.legacy_ref: tenant.pk for tenant in tenants.every()}
    begun = []
    for airline in of_story(Story.READY):
        tenant_id, at = ids[airline.code], timezone.now()
        with tenancy.scope(tenant_id=tenant_id):
            now = queries.of_tenant(tenant_id=tenant_id, at=at)
            if not now.is_on:
                standing.switch_on(tenant_id=tenant_id, every=now.pace.every, until=at + FOR, by=BY, at=at)
                report(f"{airline.name}: what changes in legacy is brought over every {now.pace.every} minutes.")
            standing.catch_up(tenant_id=tenant_id, by=BY, at=at)
        begun.append(tenant_id)
    return begun


def wait(begun: list[UUID]) -> None:
    """Wait until these are caught up, so that the preflight finds it; not for long, since it goes on by itself."""
    until = time.monotonic() + PATIENCE
    for tenant_id in begun:
        with tenancy.scope(tenant_id=tenant_id):
            while movements.is_moving(tenant_id=tenant_id) and time.monotonic() < until:
                time.sleep(0.25)


def correct(code: str) -> str:
    """Do what a dispatcher does in legacy: correct the distance of a flight, taken at random; say which."""
    with psycopg.connect(os.environ["DEMO_LEGACY_OWNER_URL"]) as connection:
        row = connection.execute(
            "UPDATE flt_hist SET dist_mi = dist_mi + 1 WHERE carr_cd = %(code)s AND flt_seq = (SELECT flt_seq"
            " FROM flt_hist WHERE carr_cd = %(code)s ORDER BY random() LIMIT 1) RETURNING flt_seq, dist_mi",
            {"code": code},
        ).fetchone()
    return f"flight {row[0]} is {row[1]:,} miles long now" if row else ""
