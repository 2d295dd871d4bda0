"""Cutover as a Django app."""

from django.apps import AppConfig


class CutoverConfig(AppConfig):
    """Phases, waves, gates, go/no-go and rollback."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "cutover"
