"""What a tenant was promised: a plan of comparison per entity of the mapping."""

import hashlib
from collections.abc import Mapping
from uuid import UUID

from accounts.queries import tenants
from backfills.queries import mapping
from core import pseudonyms
from core.comparison import Plan
from parity_reports.domain.redaction import Exposure


def plans(*, tenant_id: UUID) -> list[Plan]:
    """Return a plan per entity, in the order in which entities depend on each other."""
    tenant, specs = tenants.get(tenant_id=tenant_id), mapping.specs()
    return [
        Plan(entity, spec, specs, legacy_tenant=tenant.legacy_ref, new_tenant=str(tenant.pk))
        for entity, spec in specs.items()
    ]


def exposures(plan: Plan) -> Mapping[str, Exposure]:
    """Return per column of the new platform whether its values may be shown; what the spec does not open is closed."""
    return {column.name: Exposure.PUBLIC if column.public else Exposure.INTERNAL for column in plan.spec.columns}


def secret(*, tenant_id: UUID) -> bytes:
    """Return the key of the tenant's record names: never stored, another one for every tenant."""
    return pseudonyms.secret(tenant_id=tenant_id)


def digest(promised: list[Plan]) -> str:
    """Return the SHA-256 over the digests of all specs: two reports with the same one were judged alike."""
    return hashlib.sha256("\n".join(sorted(plan.spec.digest for plan in promised)).encode()).hexdigest()
