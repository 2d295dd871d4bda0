"""What is kept of an account's comparisons: reports, drift, reconciliations and shadow reads."""

from collections.abc import Mapping
from uuid import UUID

from parity_reports.models import (
    Drift,
    EntityResult,
    InvariantResult,
    Reconciliation,
    ReconciliationItem,
    Report,
    Sample,
    ShadowMismatch,
    ShadowRound,
    ShadowSample,
    Watch,
)

KEPT = (
    Sample, EntityResult, InvariantResult, ReconciliationItem, Reconciliation, Drift, Watch, Report, ShadowMismatch,
    ShadowRound, ShadowSample,
)  # fmt: skip
"""Each after those that refer to it."""


def count(*, tenant_id: UUID) -> Mapping[str, int]:
    """Count an account's rows by kind."""
    return {model._meta.model_name or "": model.objects.filter(tenant_id=tenant_id).count() for model in KEPT}
