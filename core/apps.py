"""The floor as a Django app."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """The floor: what every app stands on."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "core"
