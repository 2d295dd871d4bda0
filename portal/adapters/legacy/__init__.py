"""The legacy platform, which Crossing only reads; chosen by the scheme of its address."""

from core.ports import LegacyPlatform
from portal.adapters.legacy.postgres import PostgresLegacy
from portal.adapters.postgres import is_postgres

__all__ = ["PostgresLegacy", "by_address"]


def by_address(*, url: str) -> LegacyPlatform:
    """Return the legacy platform at an address, whose scheme says what it is, as `mysql` or `csv` do."""
    if is_postgres(url):
        return PostgresLegacy(url=url)
    from portal.adapters.legacy.engine import EngineLegacy  # loads an engine: where it is needed

    return EngineLegacy(url=url)
