"""ParityReports as a Django app."""

from django.apps import AppConfig


class ParityReportsConfig(AppConfig):
    """Invariants, comparisons, reports and drift."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "parity_reports"
