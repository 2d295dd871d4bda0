"""Everything outside the portal, real and on loopback: two platforms with an airline's real data, a DNS provider."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.test import override_settings

from portal.demo import legacy, newplatform
from portal.demo.airlines import Airline
from portal.demo.dns import ZoneFile
from portal.demo.dns_console import Console
from portal.demo.dns_server import Resolver, Server
from tests import databases
from tests.databases import Platforms
from tests.ports import free_port


@dataclass(frozen=True)
class Counterparts:
    """Where the outside is: the platforms' databases, the DNS data, and the page of the DNS provider."""

    platforms: Platforms
    zones: ZoneFile
    console: str


@contextmanager
def running(airlines: list[Airline], *, folder: Path) -> Iterator[Counterparts]:
    """Fill legacy with these airlines' real data, serve their domains, and let the ports' adapters talk to all that."""
    zones, port, console_port = ZoneFile(folder / "dns.json"), free_port(), free_port()
    for airline in airlines:
        zones.register(airline.domain)
    console = Console(zones, port=console_port)
    with databases.platforms() as platforms, Server(Resolver(zones.read), port=port), console:
        legacy.fill(platforms.legacy_owner, report=lambda what, done, total: None, airlines=airlines)
        newplatform.create(platforms.new_owner)
        serving = threading.Thread(target=console.serve_forever, daemon=True)
        serving.start()
        address = f"http://127.0.0.1:{console_port}/"
        with override_settings(ADAPTERS=_adapters(platforms, f"127.0.0.1:{port}"), DEMO_DNS_CONSOLE=address):
            yield Counterparts(platforms, zones, address)
        console.shutdown()
        serving.join()


def _adapters(platforms: Platforms, resolver: str) -> dict[str, dict[str, object]]:
    """Return the real adapters with these addresses."""
    options = {
        "dns": {"resolver": resolver},
        "legacy": {"url": platforms.legacy_reader},
        "mover": {"url": platforms.new_loader},
        "comparison": {"legacy": platforms.legacy_reader, "new": platforms.new_loader},
    }
    return {
        port: {**adapter, "OPTIONS": {**adapter.get("OPTIONS", {}), **options.get(port, {})}}
        for port, adapter in settings.ADAPTERS.items()
    }
