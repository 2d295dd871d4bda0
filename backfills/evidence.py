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
    kept = versions.kept([row.stands.spec for row in moves.rows if row.stands and row.is_of_earlier_mapping])
    return {
        "conserved": moves.is_conserved,
        "source_rows": moves.total,
        "accounted_rows": moves.accounted,
        "entities": [
            {
                "entity": row.spec.entity,
                "spec": row.stands.spec if row.stands else row.spec.label,
                "spec_sha256": _digest(row, kept),
                "run": row.stands.pk if row.stands else None,
                "state": row.stands.state if row.stands else None,
                "source_rows": row.total,
                **({"held_objects": row.held} if row.held else {}),
                "outcomes": [{"fate": one.fate, "rule": one.rule, "rows": one.count} for one in row.outcomes],
            }
            for row in moves.rows
        ],
    }


def _digest(row: runs.EntityRow, kept: Mapping[str, Any]) -> str:
    """Return the digest of the spec by which the rows moved; empty where nobody kept its text."""
    if row.stands is None or not row.is_of_earlier_mapping:
        return row.spec.digest
    return kept[row.stands.spec].sha256 if row.stands.spec in kept else ""
