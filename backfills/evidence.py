"""What backfills put into every evidence pack."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from backfills.queries import runs
from core.evidence import part


@part("backfills.conservation", title="Conservation totals")
def conservation(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return, per entity, how many legacy rows there were and where each of them ended, by rule."""
    moves = runs.moves(tenant_id=tenant_id)
    return {
        "conserved": moves.is_conserved,
        "source_rows": moves.total,
        "accounted_rows": moves.accounted,
        "entities": [
            {
                "entity": row.spec.entity,
                "spec_sha256": row.spec.digest,
                "run": row.run.pk if row.run else None,
                "state": row.run.state if row.run else None,
                "source_rows": row.total,
                "outcomes": [{"fate": one.fate, "rule": one.rule, "rows": one.count} for one in row.outcomes],
            }
            for row in moves.rows
        ],
    }
