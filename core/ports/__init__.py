"""The outside systems Crossing talks to, one Protocol each; implementations live in `portal/adapters/`.

An adapter is chosen by `settings.ADAPTERS` (`{"dns": {"BACKEND": "dotted.path", "OPTIONS": {…}}}`), in the
manner of Django's CACHES. Every adapter refuses to be called inside a transaction
(`tenancy.forbid_transaction()`), and raises only the two errors below.
"""

from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from core.ports.counterparts import Billing, Dns, IdentityProvider, Inventory, LegacyContracts, Mail, Outbound, People
from core.ports.data import (
    Checksummer,
    Committing,
    Comparison,
    DataMover,
    InspectionSession,
    Inspector,
    LegacyPlatform,
    Reconciler,
    ShadowReader,
)

__all__ = [
    "Billing",
    "Checksummer",
    "Committing",
    "Comparison",
    "DataMover",
    "Dns",
    "IdentityProvider",
    "InspectionSession",
    "Inspector",
    "Inventory",
    "LegacyContracts",
    "LegacyPlatform",
    "Mail",
    "Outbound",
    "People",
    "Reconciler",
    "Rejected",
    "ShadowReader",
    "Unavailable",
    "adapter",
    "billing",
    "checksummer",
    "cluster",
    "comparison",
    "dns",
    "identity_provider",
    "inspector",
    "inventory",
    "legacy",
    "legacy_contracts",
    "mail",
    "mover",
    "outbound",
    "people",
    "reconciler",
    "shadow_reader",
]


class Unavailable(Exception):
    """The other system did not answer, or not in time: try again later. The text is safe to show."""


class Rejected(Exception):
    """The other system refused: trying again will not help. The text is safe to show."""


@cache
def adapter(name: str) -> Any:
    """Return the configured adapter of a port; built once per process."""
    config = settings.ADAPTERS[name]
    return import_string(config["BACKEND"])(**config.get("OPTIONS", {}))


def _forget(*, setting: str, **_: object) -> None:
    if setting == "ADAPTERS":
        adapter.cache_clear()


setting_changed.connect(_forget)


def legacy() -> LegacyPlatform:
    """Return the configured legacy platform."""
    found: LegacyPlatform = adapter("legacy")
    return found


def mover() -> DataMover:
    """Return the configured loading side of the new platform."""
    found: DataMover = adapter("mover")
    return found


def inspector() -> Inspector:
    """Return the configured way to judge rows without moving them."""
    found: Inspector = adapter("inspector")
    return found


def comparison() -> Comparison:
    """Return the configured comparison engine."""
    found: Comparison = adapter("comparison")
    return found


def cluster() -> Comparison | None:
    """Return the configured comparison engine of many machines, for what one would not compare in time; if any."""
    return adapter("cluster") if "cluster" in settings.ADAPTERS else None


def checksummer() -> Checksummer:
    """Return the configured way to sum what the new platform holds."""
    found: Checksummer = adapter("checksummer")
    return found


def reconciler() -> Reconciler:
    """Return the configured repairing side of the new platform."""
    found: Reconciler = adapter("reconciler")
    return found


def shadow_reader() -> ShadowReader:
    """Return the configured way to make people's reads of both platforms."""
    found: ShadowReader = adapter("shadow_reader")
    return found


def dns() -> Dns:
    """Return the configured way to ask DNS."""
    found: Dns = adapter("dns")
    return found


def outbound() -> Outbound:
    """Return the configured sender to addresses that customers gave."""
    found: Outbound = adapter("outbound")
    return found


def mail() -> Mail:
    """Return the configured way out for mails."""
    found: Mail = adapter("mail")
    return found


def identity_provider() -> IdentityProvider:
    """Return the configured way to speak SAML."""
    found: IdentityProvider = adapter("identity_provider")
    return found


def inventory() -> Inventory:
    """Return the configured way to read what is connected to legacy."""
    found: Inventory = adapter("inventory")
    return found


def people() -> People:
    """Return the configured reader of both platforms' people."""
    found: People = adapter("people")
    return found


def legacy_contracts() -> LegacyContracts:
    """Return the configured reader of legacy contracts."""
    found: LegacyContracts = adapter("legacy_contracts")
    return found


def billing() -> Billing:
    """Return the configured billing side of the new platform."""
    found: Billing = adapter("billing")
    return found
