"""Compliance as a Django app."""

from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    """What was promised and how it is shown: obligations, evidence packs, attestations."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "compliance"
