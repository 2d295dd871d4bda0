"""Comms as a Django app."""

from django.apps import AppConfig


class CommsConfig(AppConfig):
    """What people are told and what they ask: the ladder of messages, banners, the support queue."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "comms"
