"""`manage.py demo_dns`: the demo's DNS server and its provider's console, until interrupted."""

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.demo.dns import zone_file
from portal.demo.dns_console import Console
from portal.demo.dns_server import Resolver, Server


class Command(BaseCommand):
    """Answers on loopback from the demo's zone file, as it is at each question."""

    help = "Serve the demo's DNS (UDP and TCP) and the page of its provider (make demo does this)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the ports; by default those that the portal was told."""
        parser.add_argument("--port", type=int, default=_port(settings.DNS_RESOLVER))
        parser.add_argument("--console-port", type=int, default=_port(settings.DEMO_DNS_CONSOLE))

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGINT or SIGTERM."""
        if not settings.DEMO:
            raise CommandError("This is not the demo (CROSSING_DEMO is off).")
        port, console_port = options["port"], options["console_port"]
        if not port or not console_port:
            raise CommandError("Give --port and --console-port, or set DNS_RESOLVER and DEMO_DNS_CONSOLE.")
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        zones = zone_file()
        try:
            with Server(Resolver(zones.read), port=port), Console(zones, port=console_port) as console:
                threading.Thread(target=console.serve_forever, daemon=True).start()
                self.stdout.write(f"DNS on 127.0.0.1:{port}, its provider on http://127.0.0.1:{console_port}/")
                stopped.wait()
                console.shutdown()
        except OSError as error:
            raise CommandError(f"Cannot listen on port {port} or {console_port}: {error.strerror}.") from error


def _port(address: str) -> int:
    """Return the port of `host:port` or of a web address, 0 without one."""
    tail = address.rstrip("/").rpartition(":")[2]
    return int(tail) if tail.isdigit() else 0
