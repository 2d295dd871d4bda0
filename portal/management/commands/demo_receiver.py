"""`manage.py demo_receiver`: the demo's webhook receivers with their page, until interrupted."""

import signal
import threading
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.demo.receiver import Receiver, receiver_file


class Command(BaseCommand):
    """Receives on loopback what the portal sends to the demo's customers."""

    help = "Serve the demo's webhook receivers and their page (make demo does this)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the port; by default the one that the portal was told."""
        parser.add_argument("--port", type=int, default=urlsplit(settings.DEMO_RECEIVER).port)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGINT or SIGTERM."""
        if not settings.DEMO:
            raise CommandError("This is not the demo (CROSSING_DEMO is off).")
        port = options["port"]
        if not port:
            raise CommandError("Give --port, or set DEMO_RECEIVER.")
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        try:
            with Receiver(receiver_file(), port=port) as receiver:
                threading.Thread(target=receiver.serve_forever, daemon=True).start()
                self.stdout.write(f"Webhook receivers on http://127.0.0.1:{port}/")
                stopped.wait()
                receiver.shutdown()
        except OSError as error:
            raise CommandError(f"Cannot listen on port {port}: {error.strerror}.") from error
