"""Backfills as a Django app."""

from django.apps import AppConfig


class BackfillsConfig(AppConfig):
    """Mapping spec, checkpointed runs, dead letters, conservation ledger."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "backfills"
