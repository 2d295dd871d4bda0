"""The figures of the overview, each beside its target."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import readiness
from core.charts import Goal, Point

PARITY_TARGET = 99.9
"""Charter: dual-run parity error rate at most 0.1 %."""

PARITY_GOAL = Goal(PARITY_TARGET, "target 99.9%")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its value, its target in words, how it stands, and how it came there."""

    label: str
    value: str
    target: str
    state: str = "none"
    words: str = ""
    trend: Sequence[float | None] = ()


def read(*, tenant_id: UUID, blockers: int, at: datetime) -> list[Figure]:
    """Return the figures of a tenant; what was never measured says so."""
    return [_parity(tenant_id), _moved(tenant_id), _blockers(tenant_id, blockers), _age(tenant_id, at)]


def parity_over_time(*, tenant_id: UUID) -> list[Point]:
    """Return the share of equal records of each finished comparison, oldest first."""
    return []


def _parity(tenant_id: UUID) -> Figure:
    return Figure("Record parity", "", "target 99.90%", "none", "Not compared yet")


def _moved(tenant_id: UUID) -> Figure:
    return Figure("Records moved", "", "", "none", "Nothing moved yet")


def _blockers(tenant_id: UUID, blockers: int) -> Figure:
    trend = [float(count) for _, count in readiness.blocked_over_time(tenant_id=tenant_id)]
    return Figure(
        "Open blockers",
        f"{blockers}",
        "target 0",
        "block" if blockers else "pass",
        "In the way" if blockers else "On target",
        trend,
    )


def _age(tenant_id: UUID, at: datetime) -> Figure:
    return Figure("Age of data", "", "limit 5 min", "none", "Nothing moved yet")
