"""Subscriptions: set up on the new platform exactly as the matrix promises."""

from datetime import datetime
from uuid import UUID

from accounts.queries import tenants
from core import ledger, ports
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from core.subscriptions import Provision
from entitlements.domain import records
from entitlements.models import Snapshot
from entitlements.queries import previews
from entitlements.services import snapshots


class UnableToProvision(UseCaseError):
    """The subscription cannot be set up now."""


def provision(*, tenant_id: UUID, by: Actor, at: datetime) -> Snapshot:
    """Give the tenant's account the subscription that was promised, look at both platforms again, and return that.

    Safe to repeat. What is promised is worked out from legacy as it is now and the choices that stand; the order
    enters the ledger before the new platform is told. Raises UnableToProvision while something is not mapped or
    not chosen, and for what the new platform does not sell.
    """
    by.require(Permission.PROVISION_SUBSCRIPTION, tenant_id=tenant_id)
    tenant = tenants.get(tenant_id=tenant_id)
    legacy = ports.legacy_contracts().subscription(tenant_ref=tenant.legacy_ref)
    use = ports.legacy_contracts().use(tenant_ref=tenant.legacy_ref)
    laid = previews.lay(legacy=legacy, use=use, decided=previews.decided(tenant_id=tenant_id), at=at)
    if laid.promise is None:
        raise UnableToProvision(
            "What the customer gets is not settled yet.",
            fix="Map what the matrix does not know, and let the customer make the choices on their page.",
        )
    ledger.append(
        "entitlements.subscription.ordered",
        by=by,
        at=at,
        tenant_id=tenant_id,
        subject=tenant,
        data={"subscription": records.of_subscription(laid.promise)},
    )
    try:
        ports.billing().provision(Provision(tenant_id, tenant.name, tenant.legacy_ref, laid.promise))
    except (ports.Rejected, ports.Unavailable) as error:
        raise UnableToProvision(str(error), fix="Nothing has changed on the new platform.") from error
    return snapshots.take(tenant_id=tenant_id, by=by, at=at)
