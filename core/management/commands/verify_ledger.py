"""`manage.py verify_ledger`: prove or refute an exported chain, without any database."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import chain, ledger


class Command(BaseCommand):
    """Verify an export of the ledger offline."""

    help = "Proves or refutes an exported ledger offline; fails unless it is proven."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--public-key",
            action="append",
            metavar="HEX",
            help="a key you trust (default: ours)",
        )
        parser.add_argument(
            "--witness",
            action="append",
            default=[],
            metavar="HASH",
            help="from a receipt; repeatable",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Print the verdict."""
        try:
            keys = [bytes.fromhex(key) for key in options["public_key"] or [ledger.public_key()]]
            with options["file"].open(encoding="utf-8", newline="\n") as lines:
                verdict = chain.verify(lines, public_keys=keys, witnesses=options["witness"])
        except (OSError, ValueError) as error:
            raise CommandError(f"The export cannot be read: {error}") from error
        self.stdout.write(chain.describe(verdict))
        if not verdict.proven:
            raise CommandError("The ledger is refuted.")
