"""How cutover's ledger entries are told, to follow the name of who did it."""

from collections.abc import Mapping
from typing import Any

from core.ledger import sentences
from cutover.domain.go_no_go import SEAT_NAMES
from cutover.domain.phases import Phase


def _signed(data: Mapping[str, Any]) -> str:
    return f"signed the go/no-go as {SEAT_NAMES.get(data['seat'], data['seat']).lower()}"


def _moved(data: Mapping[str, Any]) -> str:
    return f"moved the account from {Phase(data['source']).label} to {Phase(data['target']).label}"


sentences(
    {
        "cutover.cutover.opened": "opened the cutover",
        "cutover.window.set": "set the cutover window",
        "cutover.approver.named": "changed who approves the cutover",
        "cutover.runbook_owner.assigned": "assigned the runbook owner",
        "cutover.wave.changed": "put the account into wave {value}",
        "cutover.phase.changed": _moved,
        "core.approval.requested": "froze the evidence and asked for the go/no-go",
        "core.approval.signed": _signed,
        "core.approval.approved": "completed the go/no-go",
        "core.approval.vetoed": "vetoed the go/no-go",
        "core.approval.voided": "ended the go/no-go, because its evidence no longer holds",
        "core.approval.exported": "downloaded the evidence pack",
    }
)
