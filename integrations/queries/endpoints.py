"""The endpoints of tenants, with how they do."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from core import queue
from integrations.domain import rotation
from integrations.domain.probes import Outcome, Probe, Result
from integrations.models import Endpoint, HarnessRun, Message

HARNESS_TASK = "integrations.tasks.run_harness"
RUN_HOLDS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Standing:
    """An endpoint with its latest run and its latest message."""

    endpoint: Endpoint
    run: HarnessRun | None = None
    """The latest that finished."""
    running: HarnessRun | None = None
    job: queue.JobView | None = None
    latest: Message | None = None
    results: list[Result] = field(default_factory=list)
    is_rotating: bool = False
    """Whether an old secret signs beside the present one."""
    counts: bool = True
    """Whether the latest run says how the receiver takes what is signed now."""

    @property
    def state(self) -> str:
        """The state's name among the components."""
        if self.endpoint.off_at:
            return "stopped"
        if self.running:
            return "stuck" if self.is_stuck else "running"
        if self.run is None or not self.counts:
            return "none"
        return "pass" if self.run.has_passed else "fail"

    @property
    def words(self) -> str:
        """The state in words."""
        return {
            "stopped": "Off",
            "stuck": "Stuck",
            "running": "Being tried",
            "none": "Not tried with this secret" if self.run else "Not tried yet",
            "pass": "Harness passed",
            "fail": "Harness failed",
        }[self.state]

    @property
    def is_stuck(self) -> bool:
        """Whether a run waits for a job that nobody does."""
        return self.running is not None and (self.job is None or self.job.is_over)

    @property
    def is_of_old(self) -> bool:
        """Whether the latest run knew another secret than the present one."""
        changed_at = self.endpoint.secret_changed_at
        return bool(self.run and changed_at and self.run.requested_at < changed_at)

    @property
    def takes_new(self) -> bool:
        """Whether the harness has shown that the receiver takes messages by the present secret alone."""
        return bool(self.run and self.run.has_passed) and not self.is_of_old

    def has_passed(self, *, at: datetime) -> bool:
        """Whether the harness passed, lately enough to rely on, and by a secret that still signs."""
        run = self.run
        if run is None or not run.has_passed or run.finished_at is None:
            return False
        return run.finished_at > at - RUN_HOLDS and counts(self.endpoint, run, at=at)


def standing(*, tenant_id: UUID, with_off: bool = True) -> list[Standing]:
    """Return a tenant's endpoints; those switched off last."""
    return standing_of_many(tenant_ids=[tenant_id], with_off=with_off).get(tenant_id, [])


def standing_of_many(*, tenant_ids: Collection[UUID], with_off: bool = False) -> dict[UUID, list[Standing]]:
    """Return the endpoints of many tenants in as many queries as for one; jobs only where something runs."""
    rows = Endpoint.objects.filter(tenant_id__in=tenant_ids).select_related("item")
    if not with_off:
        rows = rows.filter(off_at=None)
    rows = with_latest(rows).prefetch_related(
        Prefetch(
            "messages",
            Message.objects.order_by("endpoint_id", "-requested_at").distinct("endpoint_id"),
            to_attr="latest_messages",
        ),
        Prefetch("runs", HarnessRun.objects.filter(finished_at=None), to_attr="open_runs"),
    )
    found: dict[UUID, list[Standing]] = {}
    for endpoint in sorted(rows, key=lambda row: (row.off_at is not None, row.registered_at)):
        found.setdefault(endpoint.tenant_id, []).append(_standing(endpoint))
    return found


def with_latest(rows: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
    """Read the latest finished run of each endpoint along with it."""
    finished = HarnessRun.objects.exclude(finished_at=None).order_by("endpoint_id", "-requested_at")
    return rows.prefetch_related(Prefetch("runs", finished.distinct("endpoint_id"), to_attr="latest_runs"))


def counts(endpoint: Endpoint, run: HarnessRun, *, at: datetime) -> bool:
    """Tell whether a run says how the receiver takes what is signed at a moment."""
    return rotation.counts(
        asked_at=run.requested_at, changed_at=endpoint.secret_changed_at, old_ends_at=endpoint.old_ends_at, at=at
    )


def told(endpoint: Endpoint) -> str:
    """Say how the latest run of an endpoint read by `with_latest` ended."""
    run = next(iter(endpoint.latest_runs), None)  # type: ignore[attr-defined]  # prefetched
    if run is None:
        return "not tried"
    said = f"{'passed' if run.has_passed else 'failed'} {run.finished_at:%-d %b %H:%M} UTC"
    return said if counts(endpoint, run, at=timezone.now()) else f"{said}, with another secret"


def every(*, tenant_id: UUID) -> QuerySet[Endpoint]:
    """Return a tenant's endpoints, also those switched off."""
    return Endpoint.objects.filter(tenant_id=tenant_id)


def runs(*, tenant_id: UUID) -> QuerySet[HarnessRun]:
    """Return a tenant's harness runs."""
    return HarnessRun.objects.filter(tenant_id=tenant_id)


def find(*, tenant_id: UUID, endpoint_id: UUID) -> Endpoint | None:
    """Return an endpoint."""
    return Endpoint.objects.filter(tenant_id=tenant_id, pk=endpoint_id).first()


def results_of(run: HarnessRun) -> list[Result]:
    """Read the results of a run back; a probe that this release does not know is left out."""
    known = {probe.value for probe in Probe}
    return [
        Result(Probe(row["probe"]), Outcome(row["outcome"]), row["got"], row["fix"], row["took_ms"])
        for row in run.results
        if row["probe"] in known
    ]


def _standing(endpoint: Endpoint) -> Standing:
    run = next(iter(endpoint.latest_runs), None)  # type: ignore[attr-defined]  # prefetched above
    running = next(iter(endpoint.open_runs), None)  # type: ignore[attr-defined]
    job = None
    if running is not None:
        job = next(iter(queue.jobs(endpoint.tenant_id, task=HARNESS_TASK, key=str(running.pk), limit=1)), None)
    latest = next(iter(endpoint.latest_messages), None)  # type: ignore[attr-defined]
    at = timezone.now()
    return Standing(
        endpoint,
        run,
        running,
        job,
        latest,
        results=results_of(run) if run else [],
        is_rotating=rotation.signs(endpoint.old_ends_at, at=at),
        counts=run is None or counts(endpoint, run, at=at),
    )
