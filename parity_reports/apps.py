"""ParityReports as a Django app."""

from django.apps import AppConfig
from django.core import checks


class ParityReportsConfig(AppConfig):
    """Invariants, comparisons, reports and drift; the workflow catalogue and the guides to what changed."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "parity_reports"
    verbose_name = "Parity"

    def ready(self) -> None:
        """Let `check --deploy` and `doctor` read the catalogue."""
        checks.register(catalogue_is_readable, deploy=True)


def catalogue_is_readable(**_: object) -> list[checks.CheckMessage]:
    """Say which file and line of the workflows or the guides is wrong, before a customer looks for them."""
    from parity_reports.queries import catalogue  # models may be imported only once apps are ready

    return [
        checks.Error(f"What changed cannot be shown: {problem}", id="parity_reports.E001")
        for problem in catalogue.problems()
    ]
