"""The outside systems Crossing talks to, one Protocol each; implementations live in `portal/adapters/`.

An adapter is chosen by `settings.ADAPTERS` (`{"dns": {"BACKEND": "dotted.path", "OPTIONS": {…}}}`), in the
manner of Django's CACHES. Every adapter refuses to be called inside a transaction
(`tenancy.forbid_transaction()`), and raises only the two errors below.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from core.comparison import Difference, Findings, Measures, Plan, Segment
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


class Comparison(Protocol):
    """An engine that compares the legacy platform's raw rows, mapped as promised, with the new platform's."""

    def divide(self, plan: Plan, *, size: int) -> tuple[Segment, ...]:
        """Divide an entity into segments of about `size` records; at least one."""
        ...

    def compare(self, plan: Plan, *, segment: Segment, report: Callable[[Difference], None]) -> Findings:
        """Compare one segment; each record that differs goes to `report`. Raises rather than answer in part."""
        ...

    def measure(self, plan: Plan) -> Measures:
        """Count on the platforms' own servers, apart from any comparison."""
        ...


def comparison() -> Comparison:
    """Return the configured comparison engine."""
    found: Comparison = adapter("comparison")
    return found


__all__ = ["Comparison", "Dns", "Rejected", "Unavailable", "adapter", "comparison", "dns"]
