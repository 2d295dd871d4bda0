"""`manage.py verify_pack`: prove or refute an evidence pack, without any database."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.approvals import seals
from core.evidence import verifier


class Command(BaseCommand):
    """Verify an evidence pack offline."""

    help = "Proves or refutes an evidence pack offline; fails unless it is proven."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--server-key", metavar="HEX", help="the server key that must have sealed it (default: ours)"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Verify the file and print every finding."""
        try:
            data = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"Cannot read {options['file']}: {error.strerror}.") from error
        try:
            key = bytes.fromhex(options["server_key"]) if options["server_key"] else seals.public_key()
        except ValueError as error:
            raise CommandError("A server key is 64 hexadecimal digits.") from error
        report = verifier.verify(data, server_key=key)
        for line in report.proven:
            self.stdout.write(f"  {line}")
        if not report.holds:
            raise CommandError("The pack does NOT hold:\n  " + "\n  ".join(report.problems))
        self.stdout.write("The pack holds.")
