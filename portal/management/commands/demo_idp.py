"""`manage.py demo_idp`: the demo's identity provider, until interrupted."""

import signal
import threading
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.demo import idp
from portal.demo.idp_pages import SignInServer


class Command(BaseCommand):
    """Signs people of the demo's airlines in, on loopback."""

    help = "Serve the demo's identity provider (make demo does this)."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGINT or SIGTERM."""
        address = settings.DEMO_IDENTITY_PROVIDER
        port = urlsplit(address).port
        if not settings.DEMO or not port:
            raise CommandError("This is not the demo (CROSSING_DEMO is off, or DEMO_IDENTITY_PROVIDER is not set).")
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        provider = idp.of_checkout(address=address, portals=lambda: (settings.PUBLIC_URL, settings.FAILOVER_URL))
        try:
            with SignInServer(provider, port=port) as server:
                threading.Thread(target=server.serve_forever, daemon=True).start()
                self.stdout.write(f"Identity provider on {address}")
                stopped.wait()
                server.shutdown()
        except OSError as error:
            raise CommandError(f"Cannot listen on port {port}: {error.strerror}.") from error
