"""The inventory: read it from legacy, state what becomes of each item."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.queries import tenants
from core import ledger, outbox, ports
from core.actor import Actor
from core.errors import UseCaseError
from core.inventory import Integration
from core.permissions import Permission
from integrations.domain import fates
from integrations.domain.fates import Fate
from integrations.models import Item
from integrations.queries import inventory


class UnableToRead(UseCaseError):
    """Legacy cannot be read now."""


class UnableToDecide(UseCaseError):
    """The fate cannot be stated like this."""


def read(*, tenant_id: UUID, by: Actor, at: datetime) -> int:
    """Read what is connected to legacy and return how many items are new or changed; a stated fate stays.

    What legacy no longer has stays on the list and says so. Safe to repeat.
    """
    by.require(Permission.MANAGE_INTEGRATIONS, tenant_id=tenant_id)
    try:
        found = ports.inventory().integrations(tenant_ref=tenants.get(tenant_id=tenant_id).legacy_ref)
    except ports.Unavailable as outage:
        raise UnableToRead("The legacy platform does not answer just now.", fix="Try again soon.") from outage
    except ports.Rejected as refusal:
        raise UnableToRead("The legacy platform refused the question.", fix="We look into it.") from refusal
    with transaction.atomic(durable=True):
        known = {(item.kind, item.key): item for item in Item.objects.filter(tenant_id=tenant_id).select_for_update()}
        changed = sum(
            _keep(one, known.pop((one.kind.value, one.key), None), tenant_id=tenant_id, at=at) for one in found
        )
        changed += Item.objects.filter(pk__in=[item.pk for item in known.values()], gone_at=None).update(gone_at=at)
        if changed:
            outbox.publish("integrations.inventory.changed", tenant_id=tenant_id)
            ledger.record(
                "integrations.inventory.read",
                by=by,
                at=at,
                tenant_id=tenant_id,
                subject=("accounts.tenant", tenant_id),
                data={"items": len(found), "changed": changed},
            )
    return changed


def decide(*, item: Item, fate: str, reason: str, by: Actor, at: datetime) -> Item:
    """State what becomes of an item; what is retired says why. Deciding the same again changes nothing."""
    by.require(Permission.MANAGE_INTEGRATIONS, tenant_id=item.tenant_id)
    if fate not in {known.value for known in Fate}:
        raise UnableToDecide("Choose what becomes of it.")
    reason = " ".join(reason.replace("\0", "").split())[:300]
    if fates.needs_reason(Fate(fate)) and not reason:
        raise UnableToDecide(f"Say why {item.name} is retired.", fix="A few words are enough.")
    if (item.fate, item.reason) == (fate, reason):
        return item
    with transaction.atomic(durable=True):
        outbox.publish("integrations.inventory.changed", tenant_id=item.tenant_id)
        _decide(item, Fate(fate), reason, by=by, at=at)
    item.refresh_from_db()
    return item


def accept_all(*, tenant_id: UUID, by: Actor, at: datetime) -> int:
    """Take our proposal for every item without a fate, and return for how many. Safe to repeat."""
    by.require(Permission.MANAGE_INTEGRATIONS, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        lines = [line for line in inventory.lines(tenant_id=tenant_id, on=at.date()) if not line.item.fate]
        open_lines = [line for line in lines if line.item.gone_at is None]
        if open_lines:
            outbox.publish("integrations.inventory.changed", tenant_id=tenant_id)
        for line in open_lines:
            reason = line.proposal.reason if fates.needs_reason(line.proposal.fate) else ""
            _decide(line.item, line.proposal.fate, reason, by=by, at=at)
    return len(open_lines)


def _decide(item: Item, fate: Fate, reason: str, *, by: Actor, at: datetime) -> None:
    changed = Item.objects.filter(pk=item.pk, tenant_id=item.tenant_id, fate=item.fate).update(
        fate=fate.value, reason=reason, decided_at=at, decided_by=by.known_id
    )
    if not changed:
        raise UnableToDecide("Someone decided this a moment ago.", fix="Look at it again.")
    ledger.record(
        "integrations.item.decided",
        by=by,
        at=at,
        tenant_id=item.tenant_id,
        subject=item,
        data={"kind": item.kind, "key": item.key, "fate": fate.value},
    )


def _keep(one: Integration, item: Item | None, *, tenant_id: UUID, at: datetime) -> bool:
    """Write what legacy says about an item; say whether that is new."""
    told = {
        "name": one.name[:300],
        "address": one.address[:2048],
        "scopes": list(one.scopes),
        "last_used_on": one.last_used_on,
        "is_active": one.is_active,
        "gone_at": None,
    }
    if item is None:
        Item.objects.create(tenant_id=tenant_id, kind=one.kind.value, key=one.key, found_at=at, **told)
        return True
    if all(getattr(item, name) == value for name, value in told.items()):
        return False
    Item.objects.filter(pk=item.pk).update(**told)
    return True
