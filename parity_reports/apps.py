"""ParityReports as a Django app."""

from django.apps import AppConfig
from django.core import checks


class ParityReportsConfig(AppConfig):
    """Invariants, comparisons, reports and drift; the workflow catalogue and the guides to what changed."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "parity_reports"
    verbose_name = "Parity"

    def ready(self) -> None:
        """Let `check --deploy` and `doctor` read what is declared."""
        checks.register(catalogue_is_readable, deploy=True)


def catalogue_is_readable(**_: object) -> list[checks.CheckMessage]:
    """Say which file and line of the workflows, the guides or the shadow reads is wrong, before a customer meets it."""
    from parity_reports.queries import catalogue, reads  # models may be imported only once apps are ready

    return [
        *(
            checks.Error(f"What changed cannot be shown: {problem}", id="parity_reports.E001")
            for problem in catalogue.problems()
        ),
        *(
            checks.Error(f"Shadow reads cannot be made: {problem}", id="parity_reports.E002")
            for problem in reads.problems()
        ),
    ]
