"""`manage.py demo_change`: somebody of a demo customer works in legacy, so that it is seen to arrive."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.queries import tenants
from core import tenancy
from core.actor import Actor
from portal.demo import keeping


class Command(BaseCommand):
    """Stands for the legacy platform's own pages, which the demo's has none of."""

    help = "Correct a flight of a demo customer in legacy, for example: manage.py demo_change jetblue"

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the tenant."""
        parser.add_argument("slug")

    def handle(self, *args: Any, **options: Any) -> None:
        """Change one row."""
        if not settings.DEMO:
            raise CommandError("This is not the demo (CROSSING_DEMO is off).")
        with tenancy.staff_scope(by=Actor.system("demo"), reason="find a demo customer"):
            found = tenants.every().filter(slug=options["slug"]).first()
        said = keeping.correct(found.legacy_ref) if found else ""
        if not said:
            raise CommandError("There is no such customer, or it has no flights.")
        self.stdout.write(f"In legacy, {said}. See “Your data” of {found}: it arrives by itself.")
