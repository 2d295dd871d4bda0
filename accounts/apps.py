"""Accounts as a Django app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Tenants, members, roles; domains and sign-in."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "accounts"

    def ready(self) -> None:
        """Listen to allauth."""
        from accounts import security_events

        security_events.listen()
