"""How each dataset is counted and deleted, and when it may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from accounts.queries import identity_map
from accounts.services.identity_map import erasure
from backfills.queries import kept as rows
from backfills.queries import runs
from backfills.services import erasure as erase_rows
from compliance.domain.datasets import Dataset
from compliance.models import Deletion
from compliance.queries import acceptance
from core import holds, ports, readiness
from core.actor import Actor
from core.errors import UseCaseError
from cutover.domain.phases import Phase
from cutover.queries import cutovers
from entitlements.queries import kept as contracts
from entitlements.services import erasure as erase_contracts
from integrations.queries import kept as messages
from integrations.services import erasure as erase_messages
from parity_reports.queries import kept as findings
from parity_reports.services import erasure as erase_findings

PAST_CUTOVER = frozenset({Phase.STABILISE, Phase.DECOMMISSION, Phase.DONE})
NO_WAY_BACK = frozenset({Phase.DECOMMISSION, Phase.DONE})
"""Phases from which no tenant goes back to the legacy platform: its map is needed until then."""


class UnableToDelete(UseCaseError):
    """The dataset cannot be deleted now."""


@dataclass(frozen=True, slots=True)
class Handled:
    """What is done with a dataset: `require` raises UnableToDelete; `delete` returns what is left, counted anew.

    `delete` raises `holds.LegallyHeld`, and deletes nothing, where a legal hold was placed meanwhile.
    """

    require: Callable[[UUID, datetime], None]
    count: Callable[[UUID], Mapping[str, int]]
    delete: Callable[[UUID, Actor, datetime], Mapping[str, int]]
    verified: str
    nothing: str


def _require_moved(tenant_id: UUID, at: datetime) -> None:
    if cutovers.phase_of(tenant_id) not in PAST_CUTOVER:
        raise UnableToDelete(
            "Stage data are needed until the account is past its cutover.",
            fix="Order the deletion once the account stabilises.",
        )
    if not acceptance.compared(tenant_id=tenant_id, at=at).is_accepted:
        raise UnableToDelete(
            "No comparison shows both platforms equal, and nobody signed or excepted what differs.",
            fix=_excepting(acceptance.PARITY, acceptance.INVARIANTS),
        )
    if runs.moves(tenant_id=tenant_id).is_active:
        raise UnableToDelete("A run is under way.", fix="Wait for its end, or end it early on “Your data”.")
    if waiting := acceptance.rejected(tenant_id=tenant_id, at=at).open:
        raise UnableToDelete(
            f"Rejected rows ({waiting:,}) have not moved, and nobody signed or excepted that they stay behind.",
            fix=f"Put them right and try them again on “Your data”. {_excepting(acceptance.REJECTED)}",
        )


def _excepting(*check_ids: str) -> str:
    titles = " and ".join(f"“{readiness.title_of(check_id)}”" for check_id in check_ids)
    return f"Our data lead requests an exception from {titles}, and somebody else approves it."


def _require_no_way_back(tenant_id: UUID, at: datetime) -> None:
    if cutovers.phase_of(tenant_id) not in NO_WAY_BACK:
        raise UnableToDelete(
            "This is needed while there is a way back to legacy.",
            fix="Order the deletion once the account's legacy platform is decommissioned.",
        )


def _require_no_stage(tenant_id: UUID, at: datetime) -> None:
    _require_no_way_back(tenant_id, at)
    stage = Deletion.objects.filter(tenant_id=tenant_id, dataset=Dataset.STAGE, done_at=None)
    if stage.exclude(begun_at=None).exists():
        raise UnableToDelete(
            "The deletion of stage data is under way, and this is what allows it.",
            fix="Wait for its attestation; order it again where its job was given up.",
        )
    if any(ports.mover().staged(account_id=tenant_id).values()):
        raise UnableToDelete(
            "Stage data are there still, and this is what allows to delete them.",
            fix="Delete the stage data first.",
        )


def _forget_stage(tenant_id: UUID, by: Actor, at: datetime) -> Mapping[str, int]:
    committing = partial(holds.none_standing, tenant_id=tenant_id, at=at)
    return ports.mover().forget(account_id=tenant_id, committing=committing)


def _erased(
    erase: Callable[..., None], count: Callable[..., Mapping[str, int]]
) -> Callable[[UUID, Actor, datetime], Mapping[str, int]]:
    """Return what erases and counts again."""

    def delete(tenant_id: UUID, by: Actor, at: datetime) -> Mapping[str, int]:
        erase(tenant_id=tenant_id, by=by, at=at)
        return count(tenant_id=tenant_id)

    return delete


def _ours(
    count: Callable[..., Mapping[str, int]],
    erase: Callable[..., None],
    *,
    verified: str,
    nothing: str,
    require: Callable[[UUID, datetime], None] = _require_no_way_back,
) -> Handled:
    """Handle what stands in our own tables."""
    return Handled(
        require=require,
        count=lambda tenant_id: count(tenant_id=tenant_id),
        delete=_erased(erase, count),
        verified=verified,
        nothing=nothing,
    )


_COUNTED_AGAIN = "every table was counted again after the deletion, in a transaction of its own"
HANDLED: Mapping[Dataset, Handled] = {
    Dataset.STAGE: Handled(
        require=_require_moved,
        count=lambda tenant_id: ports.mover().staged(account_id=tenant_id),
        delete=_forget_stage,
        verified="every table was counted again after the deletion, on a new connection",
        nothing="Nothing is staged for this account: there is nothing to delete.",
    ),
    Dataset.MOVES: _ours(
        rows.count,
        erase_rows.erase,
        verified="what still holds a key or a value was counted again after the deletion, in a transaction of its own",
        nothing="Neither a rejected row nor a key or an example is kept of this account: there is nothing to erase.",
        require=_require_no_stage,
    ),
    Dataset.PEOPLE: _ours(
        identity_map.named,
        erasure.erase,
        verified="what still names somebody was counted again after the deletion, in a transaction of its own",
        nothing="Nobody is named in this account's identity map: there is nothing to erase.",
    ),
    Dataset.FINDINGS: _ours(
        findings.count,
        erase_findings.erase,
        verified=_COUNTED_AGAIN,
        nothing="Nothing was compared for this account: there is nothing to erase.",
        require=_require_no_stage,
    ),
    Dataset.CONTRACTS: _ours(
        contracts.count,
        erase_contracts.erase,
        verified=_COUNTED_AGAIN,
        nothing="Nothing is kept of this account's contract: there is nothing to erase.",
    ),
    Dataset.MESSAGES: _ours(
        messages.count,
        erase_messages.erase,
        verified=_COUNTED_AGAIN,
        nothing="No test message of this account is kept: there is nothing to erase.",
    ),
}


__all__ = ["HANDLED", "Handled", "UnableToDelete"]
