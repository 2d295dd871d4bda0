"""Names of a tenant's records whose keys may not be shown: the same on every page and in every report."""

from uuid import UUID

from django.utils.crypto import salted_hmac

from core.domain.pseudonyms import pseudonym


def secret(*, tenant_id: UUID) -> bytes:
    """Return the key of the tenant's record names: never stored, another one for every tenant."""
    # Named after where it was first used; another name would rename every record of reports that are kept.
    return salted_hmac("parity_reports.record", str(tenant_id), algorithm="sha256").digest()


__all__ = ["pseudonym", "secret"]
