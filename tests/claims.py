"""Domains in every state that a page can show: proven, wrong, handed on by a link, asked for by another account."""

from django.utils import timezone

from accounts.models import Domain
from accounts.services import domain_links, domain_transfers, domains
from core import tenancy
from portal.demo.dns import ZoneFile
from tests import make
from tests.customers import Customer


def claim(customer: Customer, zones: ZoneFile, *, right: bool) -> None:
    """Claim a customer's domain with its record, or with that of an earlier token, and another one that waits."""
    at, tenant_id = timezone.now(), customer.tenant.pk
    with tenancy.scope(tenant_id=tenant_id):
        domain = domains.claim(tenant_id=tenant_id, typed=customer.airline.domain, by=customer.by_owner, at=at)
        record = domains.challenge_of(domain).txt
        zones.publish(record.host, record.value)
        if not right:
            domains.renew(domain=domain, by=customer.by_owner, at=at)
        domains.check(domain=domain, by=customer.by_owner, at=at)
        domains.claim(tenant_id=tenant_id, typed=f"ops.{customer.airline.domain}", by=customer.by_owner, at=at)


def link(ready: Customer, blocked: Customer) -> dict[str, str]:
    """Send links for a proven domain, for one that waits and for one whose record is wrong; return their secrets."""
    secrets = {}
    for name, customer, domain in (
        ("proven", ready, ready.airline.domain),
        ("waiting", ready, f"ops.{ready.airline.domain}"),
        ("wrong", blocked, blocked.airline.domain),
    ):
        with tenancy.scope(tenant_id=customer.tenant.pk):
            found = Domain.objects.get(name=domain)
            _, secrets[f"link_{name}"] = domain_links.make(domain=found, by=customer.by_owner, at=timezone.now())
    return secrets


def contest(holder: Customer, asking: Customer, zones: ZoneFile) -> None:
    """Let a customer ask for another's domain and prove it afresh, and the holder be told."""
    tenant_id, by = asking.tenant.pk, asking.by_owner
    with tenancy.scope(tenant_id=tenant_id):
        domain = domains.claim(tenant_id=tenant_id, typed=holder.airline.domain, by=by, at=timezone.now())
        for step in ("shown", "asked"):
            record = domains.challenge_of(domain).txt
            zones.publish(record.host, record.value)
            domains.check(domain=domain, by=by, at=timezone.now())
            if step == "shown":
                domain_transfers.ask(domain=domain, reason="We bought it.", by=by, at=timezone.now())
    with make.arranging():
        domain_transfers.tell_holders(by=make.SYSTEM, at=timezone.now())
