"""How far behind legacy a tenant's rows are, entity by entity."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from backfills import barriers
from backfills.domain import lag
from backfills.domain.lag import Lag
from backfills.domain.runs import RunState
from backfills.domain.spec import Spec
from backfills.models import Run
from backfills.queries import mapping
from core import stages
from core.findings import Outcome
from core.stages import Stage

_ACCOUNTED = [state.value for state in RunState if state.was_accounted]


@dataclass(frozen=True, slots=True)
class Behind:
    """How far behind legacy a tenant is: as far as the one of its counted entities that is furthest."""

    lags: list[Lag]
    counted: list[Lag]
    at: datetime
    shut: str
    """Why nothing is brought over any more, if nothing is; then it does not matter how far it is."""

    @property
    def worst(self) -> Lag | None:
        """The entity that is furthest behind; None where none counts."""
        return None if self.shut else lag.worst(self.counted)

    @property
    def unread(self) -> Lag | None:
        """The entity of which legacy was not read for the longest time; None where none counts."""
        return None if self.shut else lag.unread(self.counted)

    @property
    def longest(self) -> timedelta | None:
        """How far that is; None where that is not known, or does not matter."""
        return self.worst.behind(at=self.at) if self.worst else None

    @property
    def outcome(self) -> Outcome:
        """What a check says of it."""
        return lag.outcome(self.longest) if self.worst else Outcome.PASS

    @property
    def words(self) -> str:
        """How far that is in words, to begin a sentence with; nothing where it is not known."""
        return lag.words(self.longest) if self.longest is not None else ""

    def words_of(self, entity: str) -> str:
        """Return how far behind one entity is, in words; nothing where that is not known, or does not matter."""
        found = next((one for one in self.lags if one.entity == entity), None)
        length = found.behind(at=self.at) if found and not self.shut else None
        return "" if length is None else lag.words(length)


def behind(*, tenant_id: UUID, at: datetime) -> Behind:
    """Return how far behind legacy a tenant is: since when what changed there may be missing, whatever was read."""
    known = _known([tenant_id]).get(tenant_id, {})
    lags = []
    for spec in _specs():
        since, read_at = known.get(spec.entity, (None, None))
        lags.append(Lag(spec.entity, spec.title, since, spec.changed is not None, read_at))
    # People work on the new platform in part: every minute behind legacy counts.
    counted = lag.counted(lags, traffic_moves=stages.stage(tenant_id=tenant_id) is Stage.RAMP)
    return Behind(lags, counted, at, barriers.why_shut(tenant_id=tenant_id))


def of_many(tenant_ids: Collection[UUID], *, at: datetime) -> dict[UUID, timedelta]:
    """Return how far behind the entities of many tenants are that can be caught up, where that still matters."""
    found, shut = {}, barriers.shut(tenant_ids)
    for tenant_id, known in _known([one for one in tenant_ids if one not in shut]).items():
        since = [known.get(spec.entity, (None, None))[0] for spec in _specs() if spec.changed]
        if since and None not in since:
            found[tenant_id] = max(at - moment for moment in since if moment)
    return found


def _specs() -> Collection[Spec]:
    return mapping.specs().values()


type _Known = tuple[datetime | None, datetime | None]
"""Up to when everything has arrived, and when that was read."""


def _known(tenant_ids: Collection[UUID]) -> dict[UUID, dict[str, _Known]]:
    """Return what the last run tells that accounts for every row, by tenant and entity."""
    runs = Run.objects.filter(tenant_id__in=tenant_ids, state__in=_ACCOUNTED, started_at__isnull=False)
    latest = runs.order_by("tenant_id", "entity", "-requested_at", "-id").distinct("tenant_id", "entity")
    found: dict[UUID, dict[str, _Known]] = {}
    for run in latest.only("tenant_id", "entity", "started_at", "source_version", "watermark"):
        found.setdefault(run.tenant_id, {})[run.entity] = (run.arrived_until, run.started_at)
    return found
