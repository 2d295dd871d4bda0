"""The demo's shadow reads of Virgin America in ramp: somebody corrects seats meanwhile, and takes it back."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
from django.utils import timezone

from core.actor import Actor
from parity_reports.services import shadow
from portal.demo.airlines import Airline

BY = Actor.system("loader")
ROUNDS, APART = 5, timedelta(minutes=4)
"""Rounds of one act, and the time that lies between them in the story: it is told within seconds."""


def ramp(airline: Airline, tenant_id: UUID) -> None:
    """Let an airline's reads be made for an hour that lies just behind: alike, then some not, then alike again."""
    moment = timezone.now() - 3 * ROUNDS * APART
    shadow.switch_on(
        tenant_id=tenant_id,
        until=timezone.now() + timedelta(days=14),
        reason="We want to see what our people see until everybody has moved.",
        by=BY,
        at=moment,
    )
    for more in (0, 2, -2):
        _seats(airline, more=more)
        for _ in range(ROUNDS):
            moment += APART
            shadow.advance(tenant_id=tenant_id, by=BY, now=_always(moment))


def _always(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def _seats(airline: Airline, *, more: int) -> None:
    """Do what a dispatcher does in legacy: correct the seats of some aircraft."""
    if not more:
        return
    with psycopg.connect(os.environ["DEMO_LEGACY_OWNER_URL"]) as connection:
        connection.execute(
            "UPDATE eqp_mast SET seat_cnt = (seat_cnt::integer + %s)::text WHERE carr_cd = %s AND tail_no LIKE '%%2%%'",
            [more, airline.code],
        )
