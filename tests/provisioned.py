"""Directories that provision by SCIM, for pages that show what they did."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import ProvisioningCall
from accounts.services.provisioning import switch
from core import queue, tenancy
from tests.customers import Customer
from tests.scim import Directory


def provision(ready: Customer, blocked: Customer) -> None:
    """Both have connected their directory: one is enabled with a thousand calls, the other is on trial and refused."""
    for customer in (ready, blocked):
        directory = Directory(customer.owner)
        domain = customer.airline.domain
        people = [directory.user(f"{name}@{domain}", displayName=name.title())["id"] for name in ("kai", "leilani")]
        directory.group("Flight operations of the whole of the airline", *people)
        directory.user("outside@elsewhere.example", externalId="x")
        directory.call("POST", "Users", {"userName": f"KAI@{domain}"})
        directory.told("DELETE", f"Users/{people[1]}", status=204)
    with tenancy.scope(tenant_id=ready.tenant.pk):
        switch.enable(tenant_id=ready.tenant.pk, by=ready.by_owner, at=timezone.now())
        call = ProvisioningCall.objects.all()[0]
        ProvisioningCall.objects.bulk_create(
            ProvisioningCall(
                tenant_id=call.tenant_id, token_id=call.token_id, method="GET", kind="User", status=200,
                about="userName", called_at=call.called_at - timedelta(seconds=number), was_trial=True,
            )
            for number in range(1_000)
        )  # fmt: skip
    queue.run_pending()
