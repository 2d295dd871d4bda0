"""`manage.py doctor`: look at everything the portal stands on, and say how to mend what is not well."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.doctor import cluster, database, examine, machine, platforms

EXAMINATIONS = (
    machine.python,
    machine.configuration,
    machine.signing,
    machine.paper,
    machine.disk,
    machine.static_files,
    database.server,
    database.roles,
    database.row_security,
    database.migrations,
    database.backups,
    platforms.legacy,
    platforms.new,
    cluster.cluster,
    machine.shared_cache,
    machine.broker,
    machine.names,
    machine.mail,
)


class Command(BaseCommand):
    """Changes nothing; safe in production."""

    help = "Say what is missing or misconfigured, and what to do about it. Exits 1 if anything is."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --quiet."""
        parser.add_argument("--quiet", action="store_true", help="only what needs mending")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per finding; the fix follows a colon."""
        count = 0
        for symptom in examine(*EXAMINATIONS):
            count += not symptom.is_well
            if not symptom.is_well:
                self.stdout.write(self.style.WARNING(f"MEND {symptom.what}: {symptom.fix}"))
            elif not options["quiet"]:
                self.stdout.write(f"ok   {symptom.what}")
        if count:
            raise CommandError(f"{count} {'thing needs' if count == 1 else 'things need'} mending.")
