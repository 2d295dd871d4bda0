"""Entitlements as a Django app."""

from django.apps import AppConfig
from django.core import checks

from core.domain.declared import SpecError


class EntitlementsConfig(AppConfig):
    """What a tenant may use: plans, limits, add-ons and terms, old and new; who may do what, and why not."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "entitlements"

    def ready(self) -> None:
        """Let `check --deploy` and `doctor` read the matrix and the abilities."""
        checks.register(files_are_readable, deploy=True)


def files_are_readable(**_: object) -> list[checks.CheckMessage]:
    """Say which line of the matrix or of the abilities is wrong, before anybody relies on it."""
    from entitlements.queries import abilities, matrix

    found: list[checks.CheckMessage] = []
    for what, read in (("entitlement matrix", matrix.declared), ("list of abilities", abilities.product)):
        try:
            read()
        except (SpecError, OSError) as error:
            found.append(checks.Error(f"The {what} cannot be read: {error}", id="entitlements.E001"))
    return found
