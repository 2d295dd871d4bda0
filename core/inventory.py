"""What a tenant has connected to the legacy platform, as facts: shared by the port, its adapters and the use cases."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """What an integration is."""

    WEBHOOK = "webhook"
    API_KEY = "api_key"
    ETL = "etl"
    SIEM = "siem"
    SSO = "sso"
    CONNECTOR = "connector"


@dataclass(frozen=True, slots=True)
class Integration:
    """One thing that is connected to legacy; never its secret."""

    kind: Kind
    key: str
    """What legacy calls it; one of a kind per tenant."""
    name: str
    address: str = ""
    scopes: tuple[str, ...] = ()
    """What it is told or may ask: events of a webhook, scopes of a key, feeds of a job."""
    last_used_on: date | None = None
    is_active: bool = True
