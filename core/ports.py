"""The outside systems Crossing talks to, one Protocol each; implementations live in `portal/adapters/`.

An adapter is chosen by `settings.ADAPTERS` (`{"dns": {"BACKEND": "dotted.path", "OPTIONS": {…}}}`), in the
manner of Django's CACHES. Every adapter refuses to be called inside a transaction
(`tenancy.forbid_transaction()`), and raises only the two errors below.
"""

from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from core.dns import DnsAnswer


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


class Dns(Protocol):
    """The public domain name system."""

    def txt(self, name: str) -> DnsAnswer:
        """Ask for the TXT records of a name, following at most `MAX_CNAME_HOPS` aliases; never raises for an outage."""
        ...


def dns() -> Dns:
    """Return the configured way to ask DNS."""
    found: Dns = adapter("dns")
    return found


__all__ = ["Dns", "Rejected", "Unavailable", "adapter", "dns"]
