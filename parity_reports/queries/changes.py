"""What changed, as its pages show it: the matrix of workflows, the guides of a reader, what a search found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.actor import Actor
from parity_reports.domain import guides
from parity_reports.domain.guides import Guide
from parity_reports.domain.trials import Trial
from parity_reports.domain.workflows import Parity, Workflow
from parity_reports.queries import catalogue, marks, reliances
from parity_reports.queries.catalogue import Declared
from parity_reports.queries.reliances import Relied

STATES: Mapping[Parity, tuple[str, str]] = {
    Parity.SAME: ("pass", "Same"),
    Parity.MOVED: ("info", "Moved"),
    Parity.CHANGED: ("warn", "Changed"),
    Parity.PLANNED: ("queued", "Planned"),
    Parity.RETIRED: ("stopped", "Retired"),
}
"""How each parity looks among the components, and its word."""

TRIALS: Mapping[Trial, tuple[str, str]] = {
    Trial.TRIED: ("pass", "Tried"),
    Trial.ACCEPTED: ("covered", "Accepted"),
    Trial.BRIDGED: ("covered", "Old way kept"),
    Trial.TO_TRY: ("block", "To be tried"),
    Trial.MISSING: ("block", "Missing"),
}
_SHOWN_NEWS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One workflow as a line of the matrix."""

    workflow: Workflow
    is_yours: bool
    guides: Sequence[Guide] = ()
    relied: Relied | None = None

    @property
    def state(self) -> str:
        """How its parity looks."""
        return STATES[self.workflow.parity][0]

    @property
    def words(self) -> str:
        """Its parity in a word."""
        return STATES[self.workflow.parity][1]

    @property
    def more(self) -> int:
        """How many differences the line leaves to the workflow's page."""
        return max(0, len(self.workflow.differences) - 1)

    @property
    def trial(self) -> tuple[str, str] | None:
        """How it stands with a customer who relies on it: a state, and words; None where nobody does."""
        return TRIALS[self.relied.trial] if self.relied else None


@dataclass(frozen=True, slots=True)
class News:
    """The guides that a reader has not put aside: the first few, and how many there are."""

    guides: Sequence[Guide]
    total: int


@dataclass(frozen=True, slots=True)
class Screen:
    """The page: what concerns this reader first, and how much there is besides."""

    rows: Sequence[Row]
    guides: Sequence[Guide]
    read: frozenset[str]
    """The slugs of what this reader has read."""
    rows_of_others: int
    guides_of_others: int
    forgotten: Sequence[Relied]
    """What is relied on and no longer described."""

    @property
    def of_others(self) -> int:
        """How much is shown only when everything is asked for."""
        return self.rows_of_others + self.guides_of_others


def role_of(by: Actor) -> str:
    """Return the tenant role of a member."""
    return next(iter(sorted(by.roles)), "")


def read(
    *, tenant_id: UUID, segment: str, by: Actor, at: datetime, question: str = "", everything: bool = False
) -> Screen:
    """Return the matrix and the guides for a reader, narrowed by a question; in the order of what fits it best."""
    declared, role = catalogue.read(), role_of(by)
    relied = reliances.of_tenant(tenant_id=tenant_id, at=at)
    marked = marks.of_person(tenant_id=tenant_id, user_id=by.known_id)
    rows = [
        row(declared, one, role=role, segment=segment, relied=relied.get(one.id))
        for one in declared.workflows.of_segment(segment)
    ]
    written = [guide for guide in declared.published if segment in guide.segments]
    if question:
        best = {key: place for place, key in enumerate(declared.index.find(question))}
        rows = _ranked(best, {("workflow", one.workflow.id): one for one in rows})
        written = _ranked(best, {("guide", guide.slug): guide for guide in written})
    mine = [one for one in rows if one.is_yours]
    for_me = guides.for_reader(written, role=role, segment=segment)
    return Screen(
        rows=rows if everything else mine,
        guides=written if everything else for_me,
        read=frozenset(slug for slug, mark in marked.items() if mark == "read"),
        rows_of_others=len(rows) - len(mine),
        guides_of_others=len(written) - len(for_me),
        forgotten=[one for one in relied.values() if one.workflow is None],
    )


def news(*, tenant_id: UUID, segment: str, by: Actor) -> News:
    """Return the first guides that are news to a reader."""
    found = marks.unread(tenant_id=tenant_id, user_id=by.known_id, role=role_of(by), segment=segment)
    return News(found[:_SHOWN_NEWS], len(found))


def row(declared: Declared, workflow: Workflow, *, role: str, segment: str, relied: Relied | None = None) -> Row:
    """Return a workflow with the guides that tell of it, those of the reader's role first."""
    found = sorted(declared.guides_of(workflow, segment=segment), key=lambda guide: role not in guide.roles)
    return Row(workflow, role in workflow.roles, found, relied)


def lead(path: str, *, segment: str, role: str) -> tuple[str, str] | None:
    """Return where an address of legacy leads: `("guide", slug)` or `("workflow", id)`; None if unknown."""
    declared = catalogue.read()
    workflow = declared.workflows.was_at(path, segment=segment)
    if workflow is None:
        return None
    found = row(declared, workflow, role=role, segment=segment).guides
    return ("guide", found[0].slug) if found else ("workflow", workflow.id)


def _ranked[Found](best: Mapping[tuple[str, str], int], items: Mapping[tuple[str, str], Found]) -> list[Found]:
    return [items[key] for key in sorted(items.keys() & best.keys(), key=lambda key: best[key])]


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One workflow as the vendor's people see it: the roles of whom no guide tells."""

    row: Row
    unguided: Sequence[str]


def segments() -> list[str]:
    """Return every segment that has workflows."""
    return sorted({segment for one in catalogue.read().workflows.workflows.values() for segment in one.segments})


def matrix(*, segment: str) -> list[StaffRow]:
    """Return the whole matrix of a segment, with what is missing in its guides."""
    declared = catalogue.read()
    found = declared.workflows.of_segment(segment)
    missing: dict[str, list[str]] = {}
    for workflow, role in guides.uncovered(found, guides=declared.published, segment=segment):
        missing.setdefault(workflow.id, []).append(role)
    return [StaffRow(row(declared, one, role="", segment=segment), missing.get(one.id, ())) for one in found]
