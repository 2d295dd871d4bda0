"""The inventory of a tenant."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from core.inventory import Integration, Kind
from integrations.domain import fates
from integrations.domain.fates import Proposal
from integrations.models import Item


@dataclass(frozen=True, slots=True)
class Line:
    """An item with what we would do."""

    item: Item
    proposal: Proposal

    @property
    def kind(self) -> str:
        """The kind, as a customer says it."""
        return TITLES[Kind(self.item.kind)]


TITLES = {
    Kind.WEBHOOK: "Webhook",
    Kind.API_KEY: "API key",
    Kind.ETL: "Data feed (ETL)",
    Kind.SIEM: "Security log (SIEM)",
    Kind.SSO: "Single sign-on",
    Kind.CONNECTOR: "Connector",
}


def lines(*, tenant_id: UUID, on: date) -> list[Line]:
    """Return every item, those that wait for a decision first."""
    found = [Line(item, fates.propose(_facts(item), on=on)) for item in Item.objects.filter(tenant_id=tenant_id)]
    return sorted(found, key=lambda line: (line.item.gone_at is not None, bool(line.item.fate), line.item.kind))


def find(*, tenant_id: UUID, item_id: UUID) -> Item | None:
    """Return an item."""
    return Item.objects.filter(tenant_id=tenant_id, pk=item_id).first()


def waiting(*, tenant_id: UUID) -> list[Item]:
    """Return the items of legacy whose fate is not stated."""
    return list(Item.objects.filter(tenant_id=tenant_id, fate="", gone_at=None))


def fates_of(*, tenant_id: UUID) -> dict[str, str]:
    """Return the fate of every item that legacy has, by kind and key."""
    rows = Item.objects.filter(tenant_id=tenant_id, gone_at=None).values_list("kind", "key", "fate")
    return {f"{kind}:{key}": fate for kind, key, fate in rows}


def webhooks(*, tenant_id: UUID) -> list[Item]:
    """Return the webhooks that go on, and so need an endpoint."""
    rows = Item.objects.filter(tenant_id=tenant_id, kind=Kind.WEBHOOK.value, gone_at=None)
    return list(rows.exclude(fate=fates.Fate.RETIRED.value))


def _facts(item: Item) -> Integration:
    return Integration(
        Kind(item.kind), item.key, item.name, item.address, tuple(item.scopes), item.last_used_on, item.is_active
    )
