"""The demo's contracts: set up on the new platform as promised, and one of them typed in by hand, wrongly."""

import os
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from django.utils import timezone

from accounts.queries import tenants
from core import ports, tenancy
from core.actor import Actor
from core.subscriptions import Provision
from entitlements.queries import previews
from entitlements.services import snapshots, subscriptions
from portal.demo import newplatform
from portal.demo.airlines import AIRLINES, Airline, Story

BY = Actor.system("loader")
MISTYPED = 20_000
"""Cents a month that American would be billed too much."""


def set_up(*, report: Callable[[str], None]) -> None:
    """Set the subscriptions up and compare both platforms for the airlines with a story. Safe to repeat."""
    with tenancy.staff_scope(by=BY, reason="demo: find the airlines"):
        ids = {tenant.legacy_ref: tenant.pk for tenant in tenants.every()}
    for airline in AIRLINES:
        tenant_id = ids[airline.code]
        if airline.story is Story.WAITING:
            continue
        with tenancy.scope(tenant_id=tenant_id):
            if previews.latest(tenant_id=tenant_id) is None:
                _set_up(airline, tenant_id)
    report("Three airlines have their subscription on the new platform; one was typed in by hand, wrongly.")


def _set_up(airline: Airline, tenant_id: UUID) -> None:
    at = timezone.now()
    if airline.story is not Story.BLOCKED:
        subscriptions.provision(tenant_id=tenant_id, by=BY, at=at)
        return
    _type_by_hand(airline, tenant_id)
    newplatform.forbid(os.environ["DEMO_NEW_OWNER_URL"], account_id=tenant_id, policy="report-exports")
    snapshots.take(tenant_id=tenant_id, by=BY, at=at)


def _type_by_hand(airline: Airline, tenant_id: UUID) -> None:
    """Do what happens in real billing departments: type a subscription in, past Crossing, at a wrong price."""
    contracts = ports.legacy_contracts()
    laid = previews.lay(
        legacy=contracts.subscription(tenant_ref=airline.code),
        use=contracts.use(tenant_ref=airline.code),
        decided={},
        at=timezone.now(),
    )
    if laid.draft is not None:
        typed = replace(laid.draft, price=laid.draft.price + MISTYPED)
        ports.billing().provision(Provision(tenant_id, airline.name, airline.code, typed))
