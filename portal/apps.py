"""The roof as a Django app: it opens the house by letting every app contribute."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

CONTRIBUTIONS = (
    "tasks",
    "subscribers",
    "readiness",
    "evidence",
    "stop_the_line",
    "risk",
    "sentences",
    "navigation",
    "barriers",
    "stages",
    "abilities",
    "api",
    "banners",
    "panels",
)


class PortalConfig(AppConfig):
    """Stands last in INSTALLED_APPS, so that everything it discovers is loaded."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "portal"

    def ready(self) -> None:
        """Import each app's contribution modules where they exist."""
        import portal.celery  # noqa: F401  (binds the Celery app, so that tasks find their broker)

        autodiscover_modules(*CONTRIBUTIONS)
        _keep_our_pages_only()
        _sign_in_at_one_place()


def _keep_our_pages_only() -> None:
    """Take the packages' own pages out of the admin: they show sessions and second factors past our permissions."""
    from django.contrib.admin import site

    from core.admin import StaffAdmin

    for model, page in list(site._registry.items()):
        if not isinstance(page, StaffAdmin):
            site.unregister(model)


def _sign_in_at_one_place() -> None:
    """Send the admin's sign-in to the portal's, which knows rate limits and second factors."""
    from allauth.account.decorators import secure_admin_login
    from django.contrib.admin import site

    site.login = secure_admin_login(site.login)  # type: ignore[method-assign]  # as allauth documents it
