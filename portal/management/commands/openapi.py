"""`manage.py openapi`: write docs/openapi.yaml from the endpoints, or check that it is fresh."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.reference import description


class Command(BaseCommand):
    """Generate the API's description."""

    help = "Write docs/openapi.yaml (--check: fail if it is stale)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take `--check`."""
        parser.add_argument("--check", action="store_true", help="Change nothing; exit 1 if the file is stale.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or compare the file."""
        path, text = settings.BASE_DIR / "docs" / "openapi.yaml", description.text()
        if not options["check"]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise CommandError("docs/openapi.yaml is stale: run `make fix`, or `manage.py openapi`.")
