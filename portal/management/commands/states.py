"""`manage.py states`: write docs/states.md from the tables of transitions, or check that it is fresh."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import states


class Command(BaseCommand):
    """Generate the page of state machines."""

    help = "Write docs/states.md (--check: fail if it is stale)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take `--check`."""
        parser.add_argument("--check", action="store_true", help="Change nothing; exit 1 if the page is stale.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or compare the page."""
        path, page = settings.BASE_DIR / "docs" / "states.md", states.page()
        if not options["check"]:
            path.write_text(page, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != page:
            raise CommandError("docs/states.md is stale: run `make fix`, or `manage.py states`.")
