"""Integrations as a Django app."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """What a tenant has connected: inventory, the harness that tries it, webhooks and tokens."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "integrations"
