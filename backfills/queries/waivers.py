"""Waivers: named groups of rejected rows that stay behind by a policy exception, until that expires."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import BooleanField, Case, Count, Q, Value, When

from backfills.models import UNRESOLVED, DeadLetter
from core import readiness
from core.readiness import Cover

CHECK = "backfills.dead_letters"
"""The check that rejected rows keep shut; an exception from it lets them stay behind."""

type Standing = Mapping[UUID, list[Cover]]


def standing(*, tenant_ids: Collection[UUID], at: datetime) -> Standing:
    """Return per tenant the exceptions that let rejected rows stay behind."""
    found = {}
    for tenant_id, covers in readiness.covers(tenant_ids=tenant_ids, at=at).items():
        if ours := [cover for cover in covers if cover.check_id == CHECK]:
            found[tenant_id] = ours
    return found


def item(*, entity: str, rule: str, column: str) -> str:
    """Return the name under which the check blocks on the rows that were rejected by one rule."""
    return f"{entity}:{rule}:{column}"


def reach(newest: datetime) -> str:
    """Return how far such rows go: whoever was rejected later is another one."""
    return newest.astimezone(UTC).isoformat(timespec="microseconds")


def of_entity(covers: Iterable[Cover], entity: str) -> list[Cover]:
    """Return the exceptions that name rows of an entity, the last to expire first."""
    named = [cover for cover in covers if any(one.startswith(f"{entity}:") for one in cover.items)]
    return sorted(named, key=lambda cover: cover.expires_at, reverse=True)


def is_waived(waivers: Standing) -> Case:
    """Return an expression on rejected rows: whether an exception names them."""
    waived = Q()
    for tenant_id, covers in waivers.items():
        for name, upto in (pair for cover in covers for pair in cover.items.items()):
            entity, rule, column = name.split(":", 2)
            waived |= Q(tenant_id=tenant_id, entity=entity, rule=rule, column=column, first_at__lte=upto)
    cases = [When(waived, then=Value(True))] if waived else []
    return Case(*cases, default=Value(False), output_field=BooleanField())


def count_waived(*, tenant_id: UUID, at: datetime) -> Counter[str]:
    """Count, per entity of a tenant, the rejected rows that exceptions let stay behind; two queries at most."""
    waivers = standing(tenant_ids=[tenant_id], at=at)
    if not waivers:
        return Counter()
    letters = DeadLetter.objects.filter(tenant_id=tenant_id, state__in=UNRESOLVED).alias(is_waived=is_waived(waivers))
    counted = letters.filter(is_waived=True).order_by().values_list("entity").annotate(count=Count("pk"))
    return Counter(dict(counted))
