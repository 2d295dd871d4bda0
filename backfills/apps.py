"""Backfills as a Django app."""

from django.apps import AppConfig
from django.core import checks

from core.domain.declared import SpecError


class BackfillsConfig(AppConfig):
    """Mapping spec, checkpointed runs, dead letters, conservation ledger."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "backfills"

    def ready(self) -> None:
        """Let `check --deploy` and `doctor` read the mapping."""
        checks.register(mapping_is_readable, deploy=True)


def mapping_is_readable(**_: object) -> list[checks.CheckMessage]:
    """Say which file and line of the mapping is wrong, before anybody starts a run."""
    from backfills.queries import mapping  # models may be imported only once apps are ready

    try:
        mapping.specs()
    except (SpecError, OSError) as error:
        return [checks.Error(f"The mapping cannot be read: {error}", id="backfills.E001")]
    return []
