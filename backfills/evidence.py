"""What backfills put into every evidence pack."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from backfills.queries import runs, versions
from core.evidence import part


@part("backfills.conservation", title="Conservation totals")
def conservation(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return, per entity, how many legacy rows there were and where each of them ended, by rule."""
    moves = runs.moves(tenant_id=tenant_id)
    kept = versions.kept([row.run.spec for row in moves.rows if row.run and row.is_of_earlier_mapping])
    return {
        "conserved": moves.is_conserved,
        "source_rows": moves.total,
        "accounted_rows": moves.accounted,
        "entities": [
            {
                "entity": row.spec.entity,
                "spec": row.run.spec if row.run else row.spec.label,
                "spec_sha256": _digest(row, kept),
                "run": row.run.pk if row.run else None,
                "state": row.run.state if row.run else None,
                "source_rows": row.total,
                "outcomes": [{"fate": one.fate, "rule": one.rule, "rows": one.count} for one in row.outcomes],
            }
            for row in moves.rows
        ],
    }


def _digest(row: runs.EntityRow, kept: Mapping[str, Any]) -> str:
    """Return the digest of the spec by which the rows moved; empty where nobody kept its text."""
    if row.run is None or not row.is_of_earlier_mapping:
        return row.spec.digest
    return kept[row.run.spec].sha256 if row.run.spec in kept else ""
