"""`manage.py demo_export`: a customer's records as the demo's new platform would export them."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.queries import tenants
from backfills.queries import mapping
from core import tenancy
from core.actor import Actor
from portal.demo import newplatform


class Command(BaseCommand):
    """Stands for the new platform's own export, which the demo's has no page for; to try the verifier of reports on."""

    help = "Write an entity of a demo customer as CSV, for example: manage.py demo_export jetblue flights > flights.csv"

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the tenant and the entity."""
        parser.add_argument("slug")
        parser.add_argument("entity")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the CSV to standard output."""
        if not settings.DEMO:
            raise CommandError("This is not the demo (CROSSING_DEMO is off).")
        specs = mapping.specs()
        if options["entity"] not in specs:
            raise CommandError(f"There is no such entity; there are {', '.join(specs)}.")
        with tenancy.staff_scope(by=Actor.system("demo"), reason="export a demo customer's records"):
            found = tenants.every().filter(slug=options["slug"]).first()
        if found is None:
            raise CommandError("There is no such customer.")
        spec = specs[options["entity"]]
        for part in newplatform.export(
            settings.NEW_DATABASE_URL, table=spec.target_table, tenant=spec.target_tenant, account_id=found.pk
        ):
            self.stdout.write(part, ending="")
