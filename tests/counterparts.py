"""Everything outside the portal, real and on loopback: two platforms with an airline's real data, a DNS provider,
the customers' webhook receivers.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.test import override_settings

from portal.demo import legacy, newplatform
from portal.demo.airlines import Airline
from portal.demo.dns import ZoneFile
from portal.demo.dns_console import Console
from portal.demo.dns_server import Resolver, Server
from portal.demo.idp import IdentityProvider
from portal.demo.idp_pages import SignInServer
from portal.demo.receiver import Receiver, ReceiverFile
from tests import databases
from tests.databases import Platforms
from tests.ports import free_port
from tests.serving import serving


@dataclass(frozen=True)
class Counterparts:
    """Where the outside is: the platforms' databases, DNS data and its provider's page, the identity provider, and
    the customers' webhook receivers.
    """

    platforms: Platforms
    zones: ZoneFile
    console: str
    sign_in: IdentityProvider
    receivers: ReceiverFile
    receiver: str


@contextmanager
def running(airlines: list[Airline], *, folder: Path) -> Iterator[Counterparts]:
    """Fill legacy with these airlines' real data, serve their domains, and let the ports' adapters talk to all that."""
    zones, port, console_port, idp_port = ZoneFile(folder / "dns.json"), free_port(), free_port(), free_port()
    for airline in airlines:
        zones.register(airline.domain)
    sign_in = f"http://127.0.0.1:{idp_port}/"
    provider = IdentityProvider(
        folder / "idp", address=sign_in, portals=lambda: (settings.PUBLIC_URL, settings.FAILOVER_URL)
    )
    receivers = ReceiverFile(folder / "receiver.json")
    receiver = Receiver(receivers, port=0)
    servers = (Console(zones, port=console_port), SignInServer(provider, port=idp_port), receiver)
    with databases.platforms() as platforms, Server(Resolver(zones.read), port=port), ExitStack() as running:
        legacy.fill(platforms.legacy_owner, report=lambda what, done, total: None, airlines=airlines)
        newplatform.create(platforms.new_owner)
        for server in servers:
            running.enter_context(serving(server))
        address, received = f"http://127.0.0.1:{console_port}/", f"http://127.0.0.1:{receiver.server_port}/"
        with override_settings(
            ADAPTERS=_adapters(platforms, f"127.0.0.1:{port}", receiver.server_port),
            DEMO_DNS_CONSOLE=address,
            DEMO_IDENTITY_PROVIDER=sign_in,
            DEMO_RECEIVER=received,
        ):
            yield Counterparts(platforms, zones, address, provider, receivers, received)


def _adapters(platforms: Platforms, resolver: str, receiver_port: int) -> dict[str, dict[str, object]]:
    """Return the real adapters with these addresses."""
    options: dict[str, dict[str, object]] = {
        "dns": {"resolver": resolver},
        "outbound": {"loopback_ports": [receiver_port]},
        "inventory": {"url": platforms.legacy_reader},
        "legacy": {"url": platforms.legacy_reader},
        "legacy_contracts": {"url": platforms.legacy_reader},
        "billing": {"url": platforms.new_loader},
        "people": {"legacy": platforms.legacy_reader, "new": platforms.new_loader},
        "mover": {"url": platforms.new_loader},
        "reconciler": {"url": platforms.new_loader},
        "inspector": {"url": platforms.new_loader},
        # Nothing is in flight that would have to settle first, and two threads for a few hundred rows only wait.
        "comparison": {"legacy": platforms.legacy_reader, "new": platforms.new_loader, "settle": 0, "threads": 1},
        "checksummer": {"url": platforms.new_loader},
    }
    return {
        port: {**adapter, "OPTIONS": {**adapter.get("OPTIONS", {}), **options.get(port, {})}}
        for port, adapter in settings.ADAPTERS.items()
    }
