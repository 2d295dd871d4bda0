"""The floor as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    """The floor: what every app stands on."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "core"

    def ready(self) -> None:
        """Watch every connection from the first one on, and finish migrations as the owner."""
        from core import tenancy  # noqa: F401  (its import connects the signal that greets connections)
        from core.owner import finish_migration

        post_migrate.connect(finish_migration, sender=self, dispatch_uid="core.owner")
