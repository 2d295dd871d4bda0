"""Deleting what was copied for the move: ordered, carried out, counted again, attested."""

import hashlib
from datetime import datetime
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from backfills.queries import runs
from compliance import verifier
from compliance.domain import attestations
from compliance.models import Attestation, Deletion
from core import holds, ledger, ports, queue, tenancy
from core.actor import Actor
from core.approvals import seals
from core.errors import UseCaseError
from core.permissions import Permission
from cutover.domain.phases import Phase
from cutover.queries import cutovers
from parity_reports.queries import reports

STAGE = "stage"
"""The dataset: raw rows, outcomes, dead letters and checkpoints that runs keep beside the new platform's data."""

CARRY_OUT = "compliance.tasks.carry_out"
PAST_CUTOVER = frozenset({Phase.STABILISE, Phase.DECOMMISSION, Phase.DONE})


class UnableToDelete(UseCaseError):
    """The dataset cannot be deleted now."""


def order(*, tenant_id: UUID, by: Actor, at: datetime) -> Deletion:
    """Order the deletion of an account's stage data, which a job then carries out and attests.

    Only past the cutover, once both platforms were shown to be equal and no rejected row waits; never under a legal
    hold. One order stands at a time: ordered again, the one that stands is carried out if its job was given up.
    """
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=tenant_id)
    _allowed(tenant_id, at=at)
    standing = Deletion.objects.filter(tenant_id=tenant_id, dataset=STAGE, done_at=None).first()
    if standing is not None:
        return _resume(standing, by=by)
    counted = dict(ports.mover().staged(account_id=tenant_id))
    if not any(counted.values()):
        raise UnableToDelete("Nothing is staged for this account: there is nothing to delete.")
    try:
        with transaction.atomic(durable=True):
            row = Deletion.objects.create(
                tenant_id=tenant_id, dataset=STAGE, counted=counted, requested_at=at, requested_by=by.known_id
            )
            data = {"dataset": STAGE, "rows": sum(counted.values())}
            ledger.record("compliance.deletion.ordered", by=by, at=at, tenant_id=tenant_id, subject=row, data=data)
            _enqueue(row, by=by)
    except IntegrityError as error:
        raise UnableToDelete("This deletion is ordered already and under way.") from error
    return row


def carry_out(*, tenant_id: UUID, deletion_id: UUID, by: Actor, at: datetime) -> Attestation | None:
    """Delete what was ordered, count again, and seal the attestation. Safe to repeat, whatever a kill left half done.

    Under a legal hold that was placed since, nothing is deleted and the order waits: `UnableToDelete`.
    """
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=tenant_id)
    tenancy.forbid_transaction("Deleting stage data")
    row = Deletion.objects.filter(tenant_id=tenant_id, pk=deletion_id, done_at=None).first()
    if row is None:
        return None
    _allowed(tenant_id, at=at)
    left = ports.mover().forget(account_id=tenant_id)
    if any(left.values()):
        raise UnableToDelete("Rows were left after the deletion.", fix="A run may have begun meanwhile; end it first.")
    report = reports.latest(tenant_id=tenant_id)
    attestation_id = uuid4()
    body = attestations.deletion(
        attestation_id=attestation_id,
        tenant_id=tenant_id,
        dataset=row.dataset,
        purpose="moving data to the new platform",
        deleted=row.counted,
        left=left,
        deleted_at=at,
        requested_by=row.requested_by,
        parity_sha256=report.sha256 if report else "",
    )
    with transaction.atomic(durable=True):
        if not Deletion.objects.filter(pk=row.pk, done_at=None).update(done_at=at):
            return None
        made = Attestation.objects.create(
            id=attestation_id,
            tenant_id=tenant_id,
            deletion=row,
            body=body,
            sha256=hashlib.sha256(body).hexdigest(),
            seal=seals.seal(verifier.seal_input(body)),
            public_key=seals.public_key().hex(),
            attested_at=at,
        )
        data = {"dataset": row.dataset, "rows": sum(row.counted.values()), "sha256": made.sha256}
        ledger.record("compliance.deletion.attested", by=by, at=at, tenant_id=tenant_id, subject=made, data=data)
    return made


def _resume(row: Deletion, *, by: Actor) -> Deletion:
    """Have an order carried out that nobody works on: its job was refused or given up, as under a legal hold."""
    if any(not job.is_over for job in queue.jobs(row.tenant_id, task=CARRY_OUT, key=str(row.pk), limit=1)):
        raise UnableToDelete("This deletion is ordered already and under way.")
    with transaction.atomic(durable=True):
        _enqueue(row, by=by)
    return row


def _enqueue(row: Deletion, *, by: Actor) -> None:
    queue.enqueue(CARRY_OUT, tenant_id=row.tenant_id, key=str(row.pk), by=by, deletion_id=row.pk)


def _allowed(tenant_id: UUID, *, at: datetime) -> None:
    if cutovers.phase_of(tenant_id) not in PAST_CUTOVER:
        raise UnableToDelete(
            "Stage data are needed until the account is past its cutover.",
            fix="Order the deletion once the account stabilises.",
        )
    if holds.is_legally_held(tenant_id=tenant_id, at=at):
        raise UnableToDelete(
            "A legal hold stands on this account: nothing of it may be deleted.",
            fix="The legal and privacy lead releases the hold when it no longer applies.",
        )
    report = reports.latest(tenant_id=tenant_id)
    if report is None or report.verdict != "equal":
        raise UnableToDelete(
            "The latest comparison does not show both platforms equal.",
            fix="Compare again; stage data may be deleted once the verdict is equal.",
        )
    moves = runs.moves(tenant_id=tenant_id)
    if moves.rejected or moves.is_active:
        raise UnableToDelete(
            "Rows still wait: a run is under way, or rejected rows are undecided.",
            fix="Finish the runs and settle every rejected row first.",
        )
