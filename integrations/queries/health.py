"""How the integrations of tenants are, in one word, for dashboards and the admin."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone

from integrations.models import Endpoint, HarnessRun, Item
from integrations.queries import endpoints as listed


class State(StrEnum):
    """The state's name among the components."""

    HEALTHY = "pass"
    FAILING = "fail"
    UNTRIED = "none"


@dataclass(frozen=True, slots=True)
class Health:
    """A tenant's integrations in figures."""

    items: int = 0
    undecided: int = 0
    endpoints: int = 0
    verified: int = 0
    """Whose receiver passed the harness in the last seven days."""
    silent: int = 0
    """Where nothing arrives at present."""

    @property
    def state(self) -> State:
        """The state in one word: anything silent or failing counts for the whole."""
        if self.silent or self.undecided:
            return State.FAILING
        if self.verified < self.endpoints:
            return State.UNTRIED
        return State.HEALTHY

    @property
    def words(self) -> str:
        """The state in words."""
        if self.silent:
            return f"{self.silent} silent"
        if self.undecided:
            return f"{self.undecided} of {self.items} undecided"
        if self.endpoints:
            return f"{self.verified} of {self.endpoints} verified"
        return "no endpoint" if self.items else "not read"


def of(*, tenant_id: UUID, at: datetime | None = None) -> Health:
    """Return a tenant's health."""
    return of_many(tenant_ids=[tenant_id], at=at).get(tenant_id, Health())


def of_many(*, tenant_ids: Collection[UUID], at: datetime | None = None) -> dict[UUID, Health]:
    """Return the health of each tenant that has anything, in three queries for all of them."""
    at = at or timezone.now()
    items = Item.objects.filter(tenant_id__in=tenant_ids, gone_at=None).order_by().values("tenant_id")
    items = items.annotate(known=Count("pk"), undecided=Count("pk", filter=Q(fate="")))
    counted = {row["tenant_id"]: (row["known"], row["undecided"]) for row in items}
    on = Endpoint.objects.filter(tenant_id__in=tenant_ids, off_at=None).order_by().values("tenant_id")
    on = on.annotate(known=Count("pk"), silent=Count("pk", filter=Q(failing_since__isnull=False)))
    standing = {row["tenant_id"]: (row["known"], row["silent"]) for row in on}
    latest = HarnessRun.objects.filter(
        tenant_id__in=tenant_ids, endpoint__off_at=None, finished_at__gt=at - listed.RUN_HOLDS
    )
    latest = latest.order_by("endpoint_id", "-requested_at").distinct("endpoint_id").select_related("endpoint")
    verified: Counter[UUID] = Counter()
    for run in latest.defer("results"):
        verified[run.tenant_id] += bool(run.has_passed) and listed.counts(run.endpoint, run, at=at)
    return {
        tenant_id: _health(counted.get(tenant_id, (0, 0)), standing.get(tenant_id, (0, 0)), verified[tenant_id])
        for tenant_id in {*counted, *standing}
    }


def _health(items: tuple[int, int], endpoints: tuple[int, int], verified: int) -> Health:
    return Health(items[0], items[1], endpoints[0], verified, endpoints[1])
