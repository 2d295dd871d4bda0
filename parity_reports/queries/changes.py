"""What changed, as its pages show it: the matrix of workflows, the guides of a reader, what a search found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.actor import Actor
from parity_reports.domain import guides
from parity_reports.domain.guides import Guide
from parity_reports.domain.workflows import Parity, Workflow
from parity_reports.queries import catalogue
from parity_reports.queries.catalogue import Declared

STATES: Mapping[Parity, tuple[str, str]] = {
    Parity.SAME: ("pass", "Same"),
    Parity.MOVED: ("info", "Moved"),
    Parity.CHANGED: ("warn", "Changed"),
    Parity.PLANNED: ("queued", "Planned"),
    Parity.RETIRED: ("stopped", "Retired"),
}
"""How each parity looks among the components, and its word."""


@dataclass(frozen=True, slots=True)
class Row:
    """One workflow as a line of the matrix."""

    workflow: Workflow
    is_yours: bool
    guides: Sequence[Guide] = ()

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


@dataclass(frozen=True, slots=True)
class Screen:
    """The page: what concerns this reader first, and how much there is besides."""

    rows: Sequence[Row]
    guides: Sequence[Guide]
    rows_of_others: int
    guides_of_others: int

    @property
    def of_others(self) -> int:
        """How much is shown only when everything is asked for."""
        return self.rows_of_others + self.guides_of_others


def role_of(by: Actor) -> str:
    """Return the tenant role of a member."""
    return next(iter(sorted(by.roles)), "")


def read(*, segment: str, role: str, question: str = "", everything: bool = False) -> Screen:
    """Return the matrix and the guides for a reader, narrowed by a question; in the order of what fits it best."""
    declared = catalogue.read()
    rows = [row(declared, one, role=role, segment=segment) for one in declared.workflows.of_segment(segment)]
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
        rows_of_others=len(rows) - len(mine),
        guides_of_others=len(written) - len(for_me),
    )


def row(declared: Declared, workflow: Workflow, *, role: str, segment: str) -> Row:
    """Return a workflow with the guides that tell of it, those of the reader's role first."""
    found = sorted(declared.guides_of(workflow, segment=segment), key=lambda guide: role not in guide.roles)
    return Row(workflow, role in workflow.roles, found)


def lead(path: str, *, segment: str, role: str) -> tuple[str, str] | None:
    """Return where an address of the old platform leads: `("guide", slug)` or `("workflow", id)`; None if unknown."""
    declared = catalogue.read()
    workflow = declared.workflows.was_at(path, segment=segment)
    if workflow is None:
        return None
    found = row(declared, workflow, role=role, segment=segment).guides
    return ("guide", found[0].slug) if found else ("workflow", workflow.id)


def _ranked[Found](best: Mapping[tuple[str, str], int], items: Mapping[tuple[str, str], Found]) -> list[Found]:
    return [items[key] for key in sorted(items.keys() & best.keys(), key=lambda key: best[key])]
