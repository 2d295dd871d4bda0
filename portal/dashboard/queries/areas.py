"""The columns of the programme's dashboard: every check belongs to one area, and an area stands as its worst check."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from core.readiness import CHECKS, Line, Standing
from portal.dashboard.queries.checks import STATES


@dataclass(frozen=True, slots=True)
class Area:
    """A subject that people ask about as one (“how is SSO?”): the checks whose ids begin like this."""

    id: str
    title: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """How one area of one tenant stands: a state of the components, and words that need no colour."""

    area: Area
    state: str
    words: str


AREAS = (
    Area("access", "Domains and SSO", ("accounts.",)),
    Area("plan", "Plan and billing", ("entitlements.",)),
    Area("data", "Data parity", ("backfills.", "parity_reports.")),
    Area("ux", "UX parity", ("parity_reports.workflows",)),
    Area("integrations", "Integrations", ("integrations.",)),
    Area("comms", "Comms and support", ("comms.",)),
    Area("promises", "Obligations", ("compliance.",)),
    Area("runbook", "Runbook and window", ("runbooks.", "cutover.")),
)
"""In the order of the charter's columns; a check belongs to the area with the longest beginning of its id."""

_WORST_FIRST = (
    Standing.BLOCKED,
    Standing.UNKNOWN,
    Standing.EXPIRED,
    Standing.MISSING,
    Standing.COVERED,
    Standing.WARNED,
    Standing.PASSED,
)
_WORDS = {
    Standing.UNKNOWN: "Unknown",
    Standing.EXPIRED: "Out of date",
    Standing.MISSING: "Not asked",
    Standing.COVERED: "Excepted",
    Standing.WARNED: "Review",
    Standing.PASSED: "Ready",
}


@cache
def area_of(check_id: str) -> Area | None:
    """Return the area a check belongs to."""
    fitting = [(len(prefix), area) for area in AREAS for prefix in area.prefixes if check_id.startswith(prefix)]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def check_ids(area: Area) -> list[str]:
    """Return the checks of an area."""
    return [check_id for check_id in CHECKS if area_of(check_id) is area]


def shown() -> list[Area]:
    """Return the areas that have checks here."""
    return [area for area in AREAS if check_ids(area)]


def cells(lines: Iterable[Line]) -> list[Cell]:
    """Return how each area with checks stands, in order."""
    by_area: dict[str, list[Line]] = {}
    for line in lines:
        if (area := area_of(line.check_id)) is not None:
            by_area.setdefault(area.id, []).append(line)
    return [_cell(area, by_area[area.id]) for area in AREAS if area.id in by_area]


def _cell(area: Area, lines: list[Line]) -> Cell:
    worst = min((line.standing for line in lines), key=_WORST_FIRST.index)
    blocked = sum(line.standing is Standing.BLOCKED for line in lines)
    words = f"{blocked} open" if blocked else _WORDS[worst]
    return Cell(area, STATES[worst], words)
