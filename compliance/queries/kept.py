"""What is kept of an account's move, for what, and until when."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from compliance.domain.datasets import GONE, KEPT, Dataset
from compliance.models import Deletion
from core import holds, readiness
from cutover.domain.phases import Phase
from cutover.queries import cutovers


@dataclass(frozen=True, slots=True)
class Kept:
    """One dataset: `until` is None before the move is done, `deleted_at` where an attestation says that it went.

    Where it is kept past its end, `why` says what stands against its deletion, as the check found last.
    """

    dataset: Dataset
    until: datetime | None
    is_held: bool
    is_ordered: bool
    deleted_at: datetime | None
    why: str = ""


def kept(*, tenant_id: UUID, at: datetime) -> list[Kept]:
    """Return every dataset with its end, as our own records tell it: no platform is asked whether rows are there."""
    done = cutovers.of_many(tenant_ids=[tenant_id]).filter(phase=Phase.DONE).first()
    until = done.phase_since + KEPT if done else None
    is_held = holds.is_legally_held(tenant_id=tenant_id, at=at)
    ended: dict[str, datetime | None] = dict(
        Deletion.objects.filter(tenant_id=tenant_id).order_by("requested_at").values_list("dataset", "done_at")
    )
    answer = readiness.latest(tenant_id=tenant_id).get(GONE)
    told = answer.finding.evidence.get("kept", ()) if answer else ()
    why = {one["dataset"]: f"{one['why']} {one['what_to_do']}".strip() for one in told}
    return [
        Kept(
            dataset=dataset,
            until=until,
            is_held=is_held,
            is_ordered=dataset in ended and ended[dataset] is None,
            deleted_at=ended.get(dataset),
            why=why.get(dataset, "") if until and until <= at else "",
        )
        for dataset in Dataset
    ]
