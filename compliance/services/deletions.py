"""Deleting what was copied or kept for the move: ordered, carried out, counted again, attested."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from compliance import verifier
from compliance.domain import attestations
from compliance.domain.datasets import Dataset
from compliance.models import Attestation, Deletion
from compliance.services.datasets import HANDLED, UnableToDelete
from core import holds, ledger, queue, tenancy
from core.actor import Actor
from core.approvals import seals
from core.permissions import Permission
from cutover.domain.phases import Phase
from cutover.queries import cutovers
from parity_reports.queries import reports

__all__ = ["NAMES_KEPT", "UnableToDelete", "carry_out", "due_erasures", "order"]

CARRY_OUT = "compliance.tasks.carry_out"
NAMES_KEPT = timedelta(days=90)
"""For how long after the move what is kept of it stays; then it is erased unless the vendor did so earlier."""


def order(*, tenant_id: UUID, by: Actor, at: datetime, dataset: Dataset = Dataset.STAGE) -> Deletion:
    """Order the deletion of a dataset of an account, which a job then carries out and attests.

    Stage data only past the cutover, once both platforms were shown to be equal and no rejected row waits; the others
    once there is no way back to legacy, findings after the stage data that they allow to delete; nothing under a legal
    hold. One order of each stands at a time: ordered again, the one that stands is carried out if its job was given up.
    """
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=tenant_id)
    _allowed(tenant_id, dataset, at=at)
    standing = Deletion.objects.filter(tenant_id=tenant_id, dataset=dataset, done_at=None).first()
    if standing is not None:
        return _resume(standing, by=by)
    counted = dict(HANDLED[dataset].count(tenant_id))
    if not any(counted.values()):
        raise UnableToDelete(HANDLED[dataset].nothing)
    try:
        with transaction.atomic(durable=True):
            row = Deletion.objects.create(
                tenant_id=tenant_id, dataset=dataset, counted=counted, requested_at=at, requested_by=by.known_id
            )
            data = {"dataset": dataset.value, "rows": sum(counted.values())}
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
    tenancy.forbid_transaction("Deleting a dataset")
    row = Deletion.objects.filter(tenant_id=tenant_id, pk=deletion_id, done_at=None).first()
    if row is None:
        return None
    dataset = Dataset(row.dataset)
    _allowed(tenant_id, dataset, at=at)
    report = reports.latest(tenant_id=tenant_id)  # it may go itself
    left = HANDLED[dataset].delete(tenant_id, by, at)
    if any(left.values()):
        raise UnableToDelete("Rows were left after the deletion.", fix="A run may have begun meanwhile; end it first.")
    attestation_id = uuid4()
    body = attestations.deletion(
        attestation_id=attestation_id,
        tenant_id=tenant_id,
        dataset=row.dataset,
        purpose=dataset.purpose,
        deleted=row.counted,
        left=left,
        verified=HANDLED[dataset].verified,
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


def due_erasures(*, at: datetime, dataset: Dataset = Dataset.PEOPLE) -> list[UUID]:
    """Return the accounts whose move was over a quarter ago, and that have such rows still; needs a staff scope."""
    over = cutovers.every().filter(phase=Phase.DONE, phase_since__lte=at - NAMES_KEPT)
    held = holds.legally_held(at=at)
    tenant_ids = over.exclude(tenant_id__in=held).values_list("tenant_id", flat=True)
    return [tenant_id for tenant_id in tenant_ids if any(HANDLED[dataset].count(tenant_id).values())]


def _resume(row: Deletion, *, by: Actor) -> Deletion:
    """Have an order carried out that nobody works on: its job was refused or given up, as under a legal hold."""
    if any(not job.is_over for job in queue.jobs(row.tenant_id, task=CARRY_OUT, key=str(row.pk), limit=1)):
        raise UnableToDelete("This deletion is ordered already and under way.")
    with transaction.atomic(durable=True):
        _enqueue(row, by=by)
    return row


def _enqueue(row: Deletion, *, by: Actor) -> None:
    queue.enqueue(CARRY_OUT, tenant_id=row.tenant_id, key=str(row.pk), by=by, deletion_id=row.pk)


def _allowed(tenant_id: UUID, dataset: Dataset, *, at: datetime) -> None:
    HANDLED[dataset].require(tenant_id)
    if holds.is_legally_held(tenant_id=tenant_id, at=at):
        raise UnableToDelete(
            "A legal hold stands on this account: nothing of it may be deleted.",
            fix="The legal and privacy lead releases the hold when it no longer applies.",
        )
