"""People to map for a portal in which every page has something to show."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.domain.identity_map.decisions import Kind
from accounts.models import LegacyPerson
from accounts.services.access import decisions as access_decisions
from accounts.services.access import reviews as access_reviews
from accounts.services.identity_map import checkpoints, decisions, runs
from core import queue, tenancy
from portal.demo import people
from portal.demo.airlines import Story
from tests import make
from tests.counterparts import Counterparts
from tests.customers import Customer


def map_people(outside: Counterparts, ready: Customer, blocked: Customer) -> dict[str, Any]:
    """Map the people of both: one is only to be confirmed at the ready one, the blocked one has a conflict.

    Some of the ready one's are decided about, one waits for a second person, and there is a checkpoint.
    """
    for customer, story in ((ready, Story.READY), (blocked, Story.BLOCKED)):
        airline = replace(customer.airline, story=story)
        people.fill(outside.platforms.new_owner, list(people.rows(airline, customer.tenant.pk)))
        with tenancy.scope(tenant_id=customer.tenant.pk):
            runs.request(tenant_id=customer.tenant.pk, by=make.SYSTEM, at=timezone.now())
        queue.run_pending()
    with tenancy.scope(tenant_id=blocked.tenant.pk):
        conflict = LegacyPerson.objects.filter(outcome="conflict").earliest("key").pk
    with tenancy.scope(tenant_id=ready.tenant.pk):
        return {"person": _decide(ready), "conflict": conflict, "access_review": _review(ready)}


def _review(ready: Customer) -> Any:
    """Begin a review of everybody's access, and decide about whom the owner may decide."""
    at = timezone.now()
    begun = access_reviews.begin(
        tenant_id=ready.tenant.pk, due_on=at.date() + timedelta(days=14), by=ready.by_owner, at=at
    )
    access_decisions.attest(review=begun, line_ids=None, by=ready.by_owner, at=at)
    return begun.pk


def _decide(ready: Customer) -> Any:
    tenant_id, at = ready.tenant.pk, timezone.now()
    found = {row.key: row.pk for row in LegacyPerson.objects.filter(tenant_id=tenant_id)}
    checkpoints.take(tenant_id=tenant_id, reason="Before anybody decides", by=ready.by_owner, at=at)
    for key, kind, reason in (
        ("7", Kind.DROP, "She left the company in spring, and nobody had told the legacy platform"),
        ("10", Kind.APART, "The account is shared by the night shift; each gets one of their own"),
        ("1", Kind.APART, "The owner will be another person on the new platform"),
    ):
        decisions.decide(
            tenant_id=tenant_id, asked=[decisions.Asked(found[key], kind)], reason=reason, by=ready.by_owner, at=at
        )
    return found["7"]
