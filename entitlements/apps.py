"""Entitlements as a Django app."""

from django.apps import AppConfig


class EntitlementsConfig(AppConfig):
    """What a tenant may use: plans, limits, add-ons and terms, old and new; who may do what, and why not."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "entitlements"
