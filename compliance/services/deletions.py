"""Deleting what was copied or kept for the move: ordered, carried out, counted again, attested."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from compliance import verifier
from compliance.domain import attestations
from compliance.domain.datasets import GRACE, KEPT, Dataset
from compliance.models import Attestation, Deletion
from compliance.queries import acceptance
from compliance.services.datasets import HANDLED, UnableToDelete
from core import holds, ledger, queue, tenancy
from core.actor import Actor
from core.approvals import seals
from core.permissions import Permission
from cutover.domain.phases import Phase
from cutover.queries import cutovers
from parity_reports.queries import reports

__all__ = ["Overdue", "UnableToDelete", "carry_out", "due_erasures", "order", "overdue"]

CARRY_OUT = "compliance.tasks.carry_out"


@dataclass(frozen=True, slots=True)
class Overdue:
    """Something of a move that should be gone by now, why it is not, and what to do."""

    dataset: Dataset
    why: str
    fix: str
    is_held: bool = False
    """A legal hold keeps it, as it should."""


def order(*, tenant_id: UUID, by: Actor, at: datetime, dataset: Dataset = Dataset.STAGE) -> Deletion:
    """Order the deletion of a dataset of an account, which a job then carries out and attests.

    Stage data only past the cutover, once all that differs between both platforms and every rejected row was accepted
    (`acceptance`); the others once there is no way back to legacy, findings and rejected rows after the stage data that
    they allow to delete; nothing under a legal hold (`holds.LegallyHeld`). One order of each stands at a time: ordered
    again, the one that stands is carried out if its job was given up.
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
    """Delete what was ordered, count again, and seal the attestation.

    Safe to repeat and to be killed at any instruction: what is attested is the same. Under a legal hold that was placed
    since, also while this works, nothing is deleted and the order waits: `holds.LegallyHeld`.
    """
    by.require(Permission.MANAGE_OBLIGATIONS, tenant_id=tenant_id)
    tenancy.forbid_transaction("Deleting a dataset")
    row = Deletion.objects.filter(tenant_id=tenant_id, pk=deletion_id, done_at=None).first()
    if row is None:
        return None
    dataset = Dataset(row.dataset)
    left = HANDLED[dataset].count(tenant_id)
    is_left = any(left.values())  # else an attempt before this one deleted them, and only the attestation is missing
    if is_left:
        _allowed(tenant_id, dataset, at=at)
    if is_left or row.begun_at is None:
        _begin(row, by=by, at=at)
    if is_left:
        left = HANDLED[dataset].delete(tenant_id, by, at)
    if any(left.values()):
        raise UnableToDelete("Rows were left after the deletion.", fix="A run may have begun meanwhile; end it first.")
    return _attest(row, left=left, by=by, at=at)


def due_erasures(*, at: datetime, dataset: Dataset = Dataset.PEOPLE) -> list[UUID]:
    """Return the accounts whose move was over a quarter ago, and that have such rows still; needs a staff scope.

    So are those whose order stands: its job may have been killed for good between deleting and attesting.
    """
    over = cutovers.every().filter(phase=Phase.DONE, phase_since__lte=at - KEPT)
    held = holds.legally_held(at=at)
    tenant_ids = over.exclude(tenant_id__in=held).values_list("tenant_id", flat=True)
    ordered = set(Deletion.objects.filter(dataset=dataset, done_at=None).values_list("tenant_id", flat=True))
    return [one for one in tenant_ids if one in ordered or any(HANDLED[dataset].count(one).values())]


def overdue(*, tenant_id: UUID, at: datetime) -> list[Overdue]:
    """Return what of an account should have gone by itself by now, and did not. Asks the new platform, too."""
    if not cutovers.of_many(tenant_ids=[tenant_id]).filter(phase=Phase.DONE, phase_since__lte=at - KEPT - GRACE):
        return []
    return [one for dataset in Dataset if (one := _why_there(tenant_id, dataset, at=at))]


def _why_there(tenant_id: UUID, dataset: Dataset, *, at: datetime) -> Overdue | None:
    """Say why something is there still, or not attested; None where it is not, or goes with the next order."""
    try:
        if any(HANDLED[dataset].count(tenant_id).values()):
            _allowed(tenant_id, dataset, at=at)
    except holds.LegallyHeld as held:
        return Overdue(dataset, held.message, held.fix, is_held=True)
    except UnableToDelete as refusal:
        return Overdue(dataset, refusal.message, refusal.fix)
    ordered = Deletion.objects.filter(tenant_id=tenant_id, dataset=dataset, done_at=None)
    if not ordered.filter(requested_at__lte=at - GRACE).exists():
        return None
    return Overdue(
        dataset,
        "Its deletion is ordered, and is not done days later.",
        "Our legal and privacy lead looks at the deletion's job, which says why, and has it tried again.",
    )


def _begin(row: Deletion, *, by: Actor, at: datetime) -> None:
    """Write down what the attestation will say, before anything goes; from now on the database lets go of rows."""
    row.begun_at, row.parity_sha256 = at, _judged_by(row.tenant_id, at=at)
    if row.dataset == Dataset.STAGE:
        row.accepted = dict(acceptance.told(tenant_id=row.tenant_id, at=at))
    begun = {"begun_at": row.begun_at, "parity_sha256": row.parity_sha256, "accepted": row.accepted}
    with transaction.atomic(durable=True):
        if Deletion.objects.filter(pk=row.pk, done_at=None).update(**begun):
            data = {
                "dataset": row.dataset,
                "rows": sum(row.counted.values()),
                "parity_sha256": row.parity_sha256,
                "accepted": row.accepted,
            }
            ledger.record("compliance.deletion.begun", by=by, at=at, tenant_id=row.tenant_id, subject=row, data=data)


def _judged_by(tenant_id: UUID, *, at: datetime) -> str:
    """Return the digest of the comparison that the move is judged by, also once it was deleted."""
    told = Deletion.objects.filter(tenant_id=tenant_id).exclude(parity_sha256="").order_by("-begun_at").first()
    if told is not None and reports.latest(tenant_id=tenant_id) is None:
        return told.parity_sha256
    return acceptance.compared(tenant_id=tenant_id, at=at).sha256


def _attest(row: Deletion, *, left: Mapping[str, int], by: Actor, at: datetime) -> Attestation | None:
    dataset, tenant_id, attestation_id = Dataset(row.dataset), row.tenant_id, uuid4()
    body = attestations.deletion(
        attestation_id=attestation_id,
        tenant_id=tenant_id,
        dataset=row.dataset,
        purpose=dataset.purpose,
        deleted=row.counted,
        left=left,
        verified=HANDLED[dataset].verified,
        deleted_at=row.begun_at or at,
        requested_by=row.requested_by,
        parity_sha256=row.parity_sha256,
        accepted=row.accepted,
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


def _allowed(tenant_id: UUID, dataset: Dataset, *, at: datetime) -> None:
    holds.demand_none(tenant_id=tenant_id, at=at)
    HANDLED[dataset].require(tenant_id, at)
