"""`manage.py appoint_staff EMAIL NAME ROLE…`: bring in one of the vendor's people, the very first one too."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.urls import reverse
from django.utils import timezone

from accounts.services import imports
from core import tenancy
from core.actor import Actor
from core.permissions import StaffRole

BY = Actor.system("appointment")


class Command(BaseCommand):
    """They set their password by the link for a forgotten one, and a second factor at their first sign-in."""

    help = "Give one of the vendor's people roles; make their account where there is none."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the person and their roles."""
        parser.add_argument("email")
        parser.add_argument("name")
        parser.add_argument("roles", nargs="+", choices=[role.value for role in StaffRole], metavar="ROLE")

    def handle(self, *args: Any, **options: Any) -> None:
        """Appoint the person."""
        try:
            validate_email(options["email"])
        except ValidationError as error:
            raise CommandError(f"{options['email']!r} is not an e-mail address.") from error
        roles = [StaffRole(role) for role in options["roles"]]
        with tenancy.staff_scope(by=BY, reason="appoint staff"):
            imports.staff(
                email=options["email"], name=options["name"], roles=roles, password=None, by=BY, at=timezone.now()
            )
        link = f"{settings.PUBLIC_URL.rstrip('/')}{reverse('account_reset_password')}"
        self.stdout.write(f"Appointed as {', '.join(options['roles'])}. They set their password at {link}")
