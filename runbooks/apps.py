"""Runbooks as a Django app."""

from django.apps import AppConfig


class RunbooksConfig(AppConfig):
    """Runbooks, steps and sign-off, exceptions and freeze."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "runbooks"
