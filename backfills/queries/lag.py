"""How far behind legacy a tenant's rows are, entity by entity."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from backfills import barriers
from backfills.domain import lag
from backfills.domain.lag import Lag, Reading
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
    def blind_spot(self) -> str:
        """Why what a long transaction of legacy changed may be passed over, if it may be and that matters."""
        return "" if self.shut else next((one.blind_spot for one in self.counted if one.blind_spot), "")

    @property
    def outcome(self) -> Outcome:
        """What a check says of it."""
        return self.worst.outcome(at=self.at) if self.worst else Outcome.PASS

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
        since, read_at, blind_spot = known.get(spec.entity, _UNKNOWN)
        told = Lag(
            spec.entity,
            spec.title,
            since,
            is_followed=spec.changed is not None,
            read_at=read_at,
            is_exported=spec.exported is not None,
            blind_spot=blind_spot,
        )
        lags.append(_told(told, spec, tenant_id=tenant_id, at=at) if read_at else told)
    # People work on the new platform in part: every minute behind legacy counts.
    counted = lag.counted(lags, traffic_moves=stages.stage(tenant_id=tenant_id) is Stage.RAMP)
    return Behind(lags, counted, at, barriers.why_shut(tenant_id=tenant_id))


def of_many(tenant_ids: Collection[UUID], *, at: datetime) -> dict[UUID, timedelta]:
    """Return how far behind the entities of many tenants are that can be caught up, where that still matters."""
    found, shut = {}, barriers.shut(tenant_ids)
    for tenant_id, known in _known([one for one in tenant_ids if one not in shut]).items():
        followed = [spec for spec in _specs() if spec.changed and not spec.frozen]
        since = [known.get(spec.entity, _UNKNOWN)[0] for spec in followed]
        if since and None not in since:
            found[tenant_id] = max(at - moment for moment in since if moment)
    return found


def _told(found: Lag, spec: Spec, *, tenant_id: UUID, at: datetime) -> Lag:
    """Add what the mapping says of a source that no clock tells of: that it is frozen, or nothing."""
    if spec.frozen:
        begin = datetime.combine(spec.frozen.since, time(), tzinfo=UTC)
        runs = Run.objects.filter(tenant_id=tenant_id, entity=spec.entity, spec=spec.label, state__in=_ACCOUNTED)
        read = runs.filter(started_at__gte=begin).order_by("requested_at", "id")
        reason = lag.why_not_frozen(
            [
                Reading(run.started_at, run.source_version, run.source_total, run.changed + run.removed)
                for run in read
                if run.started_at
            ]
        )
        if not reason:  # what was read then is what there is
            return replace(found, since=at, read_at=at)
        said = f"{spec.title} are declared frozen in legacy since {spec.frozen.since:%Y-%m-%d}, but {reason}"
        return replace(found, trouble=said, fix="Move them once more in full, or have the mapping say otherwise.")
    if found.since is None:
        said = f"Nothing in the file of {spec.title.lower()} tells how old it is, so nobody knows"
        return replace(found, trouble=said, fix=_TELLING)
    return found


_TELLING = (
    "Let the mapping say as of when the file is (“exported”), and move a file of now; or, should people know that it is"
    " complete, have a policy exception approved."
)


def _specs() -> Collection[Spec]:
    return mapping.specs().values()


type _Known = tuple[datetime | None, datetime | None, str]
"""Up to when everything has arrived, when that was read, and what may have been passed over."""

_UNKNOWN: _Known = (None, None, "")


def _known(tenant_ids: Collection[UUID]) -> dict[UUID, dict[str, _Known]]:
    """Return what the last run tells that accounts for every row, by tenant and entity."""
    runs = Run.objects.filter(tenant_id__in=tenant_ids, state__in=_ACCOUNTED, started_at__isnull=False)
    latest = runs.order_by("tenant_id", "entity", "-requested_at", "-id").distinct("tenant_id", "entity")
    found: dict[UUID, dict[str, _Known]] = {}
    for run in latest.only("tenant_id", "entity", "started_at", "source_version", "watermark", "as_of", "blind_spot"):
        found.setdefault(run.tenant_id, {})[run.entity] = (run.arrived_until, run.started_at, run.blind_spot)
    return found
