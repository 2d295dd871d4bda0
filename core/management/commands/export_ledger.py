"""`manage.py export_ledger`: write a chain of the ledger to a file that can be verified anywhere."""

import argparse
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core import ledger, tenancy
from core.actor import Actor


class Command(BaseCommand):
    """Export one tenant's chain, or the programme's."""

    help = "Writes the ledger of a tenant (or of the programme) to a file for verify_ledger, sealed to its end."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file", type=Path)
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--tenant", type=UUID, help="the tenant's id")
        whose.add_argument("--slug", help="how the tenant is called in addresses")
        whose.add_argument(
            "--programme",
            action="store_true",
            help="the entries that belong to no tenant",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Write the file."""
        actor, now = Actor.system("export_ledger"), timezone.now()
        with tenancy.staff_scope(by=actor, reason="export_ledger"):
            tenant_id = options["tenant"] or (_tenant(options["slug"]) if options["slug"] else None)
            ledger.append(
                "core.ledger.exported", by=actor, at=now, tenant_id=tenant_id,
                subject=("core.ledger", tenant_id or ledger.PROGRAMME),
            )  # fmt: skip
            with options["file"].open("w", encoding="utf-8", newline="\n") as file:
                count = sum(1 for line in ledger.export(tenant_id=tenant_id, at=now) if file.write(line))
        self.stdout.write(f"Wrote {count} lines to {options['file']}. Public key: {ledger.public_key()}")


def _tenant(slug: str) -> UUID:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM accounts_tenant WHERE slug = %s", [slug])
        row = cursor.fetchone()
    if row is None:
        raise CommandError(f"No tenant is called {slug!r}.")
    return UUID(str(row[0]))
