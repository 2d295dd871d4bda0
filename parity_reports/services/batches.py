"""What a reconciliation says to the new platform: objects, and the source rows that they come from as they are now."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import batched
from uuid import UUID, uuid4

from accounts.queries import tenants
from backfills.domain.language import Call, Ref, Type
from backfills.domain.spec import Spec
from backfills.queries import mapping
from core import holds, ports
from core.moving import LoadOrder, SourceRows
from core.reconciling import Foreseen, Repair

BATCH = 200
"""Records of one transaction on the new platform."""


def order(*, tenant_id: UUID, entity: str, run_id: UUID, at: datetime) -> LoadOrder:
    """Return in whose name objects of an entity are changed: the reconciliation's id stands for the run's."""
    tenant = tenants.get(tenant_id=tenant_id)
    return LoadOrder(
        run_id=run_id,
        account_id=tenant.pk,
        account_name=tenant.name,
        tenant_ref=tenant.legacy_ref,
        entity=entity,
        specs=mapping.specs(),
        at=at,
        preserves=holds.is_legally_held(tenant_id=tenant.pk, at=at),
    )


def gather(
    order: LoadOrder,
    *,
    marks: Mapping[str, str],
    keep_until: datetime,
    removable: frozenset[str] = frozenset(),
    merges: Mapping[str, str] | None = None,
) -> Repair:
    """Find the source rows of the objects in `marks`; one that has none known is left out, unless it may be removed.

    Whatever else has no known source row is moved by a run, which reads them all.
    """
    spec, asked = order.spec, list(marks)

    def read(wanted: Sequence[str]) -> SourceRows:
        return ports.legacy().read_keys(spec=spec, tenant_ref=order.tenant_ref, keys=wanted)

    origins = ports.mover().origins(account_id=order.account_id, spec=spec, keys=asked, read=read)
    sources = {key: origin.source_key for key, origin in origins.items() if not origin.supplied}
    if _takes_key_over(spec):
        sources |= {key: key for key in asked if key not in origins}
    found = {key: mark for key, mark in marks.items() if key in sources or key in removable}
    rows = read([source for key, source in sources.items() if key in found])
    return Repair(order, found, rows, keep_until=keep_until, sources=sources, removable=removable, merges=merges or {})


def foresee(*, tenant_id: UUID, entity: str, marks: Mapping[str, str], at: datetime) -> Mapping[str, Foreseen]:
    """Say what merging would make of each object, column by column; nothing is changed."""
    told: dict[str, Foreseen] = {}
    for some in batched(marks, BATCH):
        named = order(tenant_id=tenant_id, entity=entity, run_id=uuid4(), at=at)
        batch = gather(named, marks={key: marks[key] for key in some}, keep_until=at, merges=dict.fromkeys(some, ""))
        told |= ports.reconciler().foresee(batch)
    return told


def _takes_key_over(spec: Spec) -> bool:
    """Whether an object's key is its source row's."""
    key = Ref(spec.key_column, Type.TEXT)
    return spec.column(spec.target_key).expression in (key, Call("int", (key,), Type.INT))
