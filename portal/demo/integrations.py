"""What the demo's tenants have done about their integrations: fates stated, endpoints registered and tried.

JetBlue's and Virgin America's receivers verify what they get. American's takes everything, which the harness shows.
"""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.queries import tenants
from core import tenancy
from core.actor import Actor
from integrations.queries import endpoints as listed
from integrations.queries import inventory as lines
from integrations.services import endpoints, harness, inventory, messages
from portal.demo.airlines import AIRLINES, Airline, Story
from portal.demo.receiver import ReceiverFile, receiver_file

BY = Actor.system("loader")


def connect(*, report: Callable[[str], None]) -> None:
    """Connect every airline that has begun. Safe to repeat: what stands is left alone."""
    with tenancy.staff_scope(by=BY, reason="demo: find the airlines"):
        ids = {tenant.legacy_ref: tenant.pk for tenant in tenants.every()}
    begun = [airline for airline in AIRLINES if airline.story is not Story.WAITING]
    for airline in begun:
        with tenancy.scope(tenant_id=ids[airline.code]):
            connect_one(
                airline, ids[airline.code], receivers=receiver_file(), verifies=airline.story is not Story.BLOCKED
            )
    report(f"{len(begun)} airlines have registered their webhook receivers, and the harness has tried them.")


def connect_one(airline: Airline, tenant_id: UUID, *, receivers: ReceiverFile, verifies: bool) -> None:
    """State a fate for everything, register an endpoint for each webhook, and try it once; inside its scope."""
    at = timezone.now()
    inventory.read(tenant_id=tenant_id, by=BY, at=at)
    inventory.accept_all(tenant_id=tenant_id, by=BY, at=at)
    standing = {one.endpoint.item_id: one for one in listed.standing(tenant_id=tenant_id, with_off=False)}
    for item in lines.webhooks(tenant_id=tenant_id):
        path = f"/{airline.slug}/{item.address.rpartition('/')[2]}"
        url = settings.DEMO_RECEIVER.rstrip("/") + path
        old = standing.get(item.pk)
        if old is not None and old.endpoint.url == url and old.run is not None:
            continue
        if old is not None:  # the receivers stand at another port since
            endpoints.switch_off(endpoint=old.endpoint, by=BY, at=at)
        endpoint, secret = endpoints.register(tenant_id=tenant_id, url=url, item=item, by=BY, at=at)
        receivers.set_secret(path, secret)
        receivers.verify(path, wanted=verifies)
        run = harness.request(endpoint=endpoint, by=BY, at=at)
        harness.run(run_id=run.pk, by=BY, at=at)
        messages.send_test(endpoint=endpoint, by=BY, at=timezone.now())
