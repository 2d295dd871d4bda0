"""The harness: send a receiver what it must take and what it must refuse, and keep how it did."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from core import ledger, outbox, ports, queue
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from integrations.domain import probes, signing
from integrations.domain.probes import Probe, Result
from integrations.models import Endpoint, HarnessRun
from integrations.queries.endpoints import HARNESS_TASK
from integrations.services import endpoints, messages

EVENT = "crossing.harness"
STALE_BY = 2 * signing.TOLERANCE


class UnableToRun(UseCaseError):
    """The harness cannot run now."""


@dataclass(frozen=True, slots=True)
class _Sending:
    """One message of the harness as it goes out."""

    probe: Probe
    body: str
    headers: dict[str, str]


def request(*, endpoint: Endpoint, by: Actor, at: datetime) -> HarnessRun:
    """Put a run into the queue; one that waits or was interrupted is the one, and is asked for again."""
    by.require(Permission.MANAGE_INTEGRATIONS, tenant_id=endpoint.tenant_id)
    if endpoint.off_at is not None:
        raise UnableToRun("This endpoint is switched off.", fix="Register the address again.")
    with transaction.atomic(durable=True):
        run, is_new = HarnessRun.objects.get_or_create(
            tenant_id=endpoint.tenant_id,
            endpoint=endpoint,
            finished_at=None,
            defaults={"requested_at": at, "requested_by": by.known_id},
        )
        queue.enqueue(HARNESS_TASK, tenant_id=endpoint.tenant_id, key=str(run.pk), by=by, run_id=run.pk)
        if is_new:
            ledger.record(
                "integrations.harness.requested", by=by, at=at, tenant_id=endpoint.tenant_id, subject=endpoint
            )
    return run


def run(*, run_id: UUID, by: Actor, at: datetime, job_id: UUID | None = None) -> HarnessRun | None:
    """Send every probe, one after the other, and keep the results; a finished run is left alone.

    Safe to repeat: an interrupted run begins again with new ids.
    """
    row = HarnessRun.objects.filter(pk=run_id).select_related("endpoint").first()
    if row is None or row.finished_at is not None:
        return row
    by.require(Permission.MANAGE_INTEGRATIONS, tenant_id=row.tenant_id)
    if row.endpoint.off_at is not None:  # switched off while the run waited: nothing more is sent there
        return _finish(row, [], by=by, at=at, job_id=job_id)
    results: list[Result] = []
    known = endpoints.secrets_of(row.endpoint, at=timezone.now())
    is_rotating = len(known) > 1
    total = len(probes.planned(is_rotating=is_rotating))
    for number, sending in enumerate(_sendings(known)):
        queue.progress(job_id, number, total, probes.judge(sending.probe, status=None).title)
        results.append(_try(row.endpoint, sending))
        if sending.probe is Probe.GENUINE and results[0].outcome is not probes.Outcome.PASS:
            results += probes.not_tried(is_rotating=is_rotating)
            break
    return _finish(row, results, by=by, at=max(at, timezone.now()), job_id=job_id)


def _sendings(known: Sequence[str]) -> Iterator[_Sending]:
    """Yield the messages in their order, each signed at the moment it goes out, by all secrets of the endpoint.

    The stale one has an id of its own: a captured message may come back once its id is forgotten, and then only the
    timestamp tells. The repeated one is the genuine one, byte for byte.
    """
    genuine = _signed(Probe.GENUINE, known)
    yield genuine
    if len(known) > 1:
        yield _signed(Probe.NEW_SECRET, known[-1:])
    yield _Sending(Probe.REPEATED, genuine.body, genuine.headers)
    yield _signed(Probe.STALE, known, late=STALE_BY)
    taken = _signed(Probe.TAMPERED, known)
    yield _Sending(Probe.TAMPERED, taken.body.replace('"test":true', '"test":false'), taken.headers)
    yield _signed(Probe.FORGED, [endpoints.new_secret() for _ in known])
    plain = _signed(Probe.UNSIGNED, known)
    yield _Sending(Probe.UNSIGNED, plain.body, {"content-type": plain.headers["content-type"]})


def _signed(probe: Probe, secrets: Sequence[str], *, late: timedelta = timedelta(0)) -> _Sending:
    at = timezone.now() - late
    body = messages.body_of(EVENT, at=at)
    return _Sending(probe, body, signing.headers(secrets=secrets, message_id=messages.new_id(), at=at, body=body))


def _try(endpoint: Endpoint, sending: _Sending) -> Result:
    try:
        reply = ports.outbound().post(endpoint.url, body=sending.body.encode(), headers=sending.headers)
    except (ports.Unavailable, ports.Rejected) as error:
        return probes.judge(sending.probe, status=None, trouble=str(error))
    return probes.judge(sending.probe, status=reply.status, took_ms=reply.took_ms)


def _finish(row: HarnessRun, results: list[Result], *, by: Actor, at: datetime, job_id: UUID | None) -> HarnessRun:
    has_passed = probes.has_passed(results)
    with transaction.atomic():
        queue.progress(job_id, 1, 1)
        changed = HarnessRun.objects.filter(pk=row.pk, finished_at=None).update(
            finished_at=at, has_passed=has_passed, results=[asdict(result) for result in results]
        )
        if changed:
            outbox.publish("integrations.endpoints.changed", tenant_id=row.tenant_id)
            ledger.record(
                "integrations.harness.finished",
                by=by,
                at=at,
                tenant_id=row.tenant_id,
                subject=row.endpoint,
                data={
                    "passed": has_passed,
                    "outcomes": {result.probe.value: result.outcome.value for result in results},
                },
            )
    row.refresh_from_db()
    return row
