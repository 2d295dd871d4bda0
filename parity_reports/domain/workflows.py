"""The workflow catalogue: who does what, the old way, the new way, and how far the two agree."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from core.domain import declared
from core.domain.declared import NAME, TEXT, Lines, SpecError, closed
from core.permissions import TenantRole

LONGEST_COMPAT = timedelta(days=180)
_PATH = {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*$"}
_SIDE = closed(["place", "path", "way"], place=TEXT, path=_PATH, way=TEXT)
_MANY = {"type": "array", "minItems": 1, "uniqueItems": True}


class Parity(StrEnum):
    """How a workflow of the new platform stands beside the old one."""

    SAME = "same"
    MOVED = "moved"
    CHANGED = "changed"
    PLANNED = "planned"
    RETIRED = "retired"

    @property
    def is_there(self) -> bool:
        """Whether the new platform has it today, so that it can be tried."""
        return self not in (Parity.PLANNED, Parity.RETIRED)

    @property
    def meaning(self) -> str:
        """What it means, for somebody who does the work."""
        return _MEANINGS[self]


_MEANINGS: Mapping[Parity, str] = {
    Parity.SAME: "The same steps in the same place.",
    Parity.MOVED: "The same steps in another place.",
    Parity.CHANGED: "It is there, but done differently.",
    Parity.PLANNED: "Not there yet; it has a date.",
    Parity.RETIRED: "It does not come; there is another way.",
}

SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Crossing workflow catalogue, one area",
    **closed(
        ["format", "area", "title", "workflows"],
        format={"const": "crossing-workflows/1"},
        area=NAME,
        title=TEXT,
        workflows={
            "type": "array",
            "minItems": 1,
            "items": closed(
                ["id", "title", "segments", "roles", "parity", "old"],
                id=NAME,
                title=TEXT,
                segments={**_MANY, "items": NAME},
                roles={**_MANY, "items": {"enum": [role.value for role in TenantRole]}},
                parity={"enum": [state.value for state in Parity]},
                old=_SIDE,
                new=_SIDE,
                differences={**_MANY, "items": TEXT},
                arrives_on={"type": "string", "format": "date", "pattern": r"^\d{4}-\d\d-\d\d$"},
                compat=closed(
                    ["toggle", "title", "longest_days"],
                    toggle={"type": "string", "pattern": "^compat(\\.[a-z][a-z0-9_]*)+$"},
                    title=TEXT,
                    longest_days={"type": "integer", "minimum": 1, "maximum": LONGEST_COMPAT.days},
                ),
                entity=NAME,
            ),
        },
    ),
}


@dataclass(frozen=True, slots=True)
class Side:
    """One platform's side of a workflow: where it is done, and how."""

    place: str
    path: str
    way: str


@dataclass(frozen=True, slots=True)
class Compat:
    """A toggle that keeps the old way open for a while, and for how long at most."""

    toggle: str
    title: str
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Workflow:
    """Something that people of a customer do with the product."""

    id: str
    title: str
    area: str
    segments: tuple[str, ...]
    roles: tuple[str, ...]
    parity: Parity
    old: Side
    new: Side | None = None
    differences: tuple[str, ...] = ()
    arrives_on: date | None = None
    compat: Compat | None = None
    entity: str = ""

    @property
    def fingerprint(self) -> str:
        """Differs as soon as what somebody tried or accepted is no longer what they would meet."""
        facts = (self.parity, self.new.path if self.new else "", str(self.arrives_on or ""), *self.differences)
        return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every workflow, in the order of the files, and found by its old address."""

    workflows: Mapping[str, Workflow] = field(default_factory=dict)

    def of_segment(self, segment: str) -> list[Workflow]:
        """Return the workflows of a segment."""
        return [workflow for workflow in self.workflows.values() if segment in workflow.segments]

    def was_at(self, path: str, *, segment: str) -> Workflow | None:
        """Return the workflow whose old address is this one or the nearest above it; that of the segment first."""
        parts = path.strip("/").casefold().split("/")
        known: dict[str, list[Workflow]] = {}
        for workflow in self.workflows.values():
            known.setdefault(workflow.old.path, []).append(workflow)
        for length in range(len(parts), 0, -1):
            if found := known.get("/".join(parts[:length])):
                return min(found, key=lambda workflow: segment not in workflow.segments)
        return None


def load(text: str, *, file: str = "") -> list[Workflow]:
    """Read the workflows of one area from YAML text; raises SpecError naming file and line."""
    return [workflow for workflow, _ in _read(text, file)]


def load_set(files: Mapping[str, str]) -> Catalogue:
    """Read a whole catalogue, file name → text; ids, toggles and old addresses are told apart across the files."""
    found: dict[str, Workflow] = {}
    places: set[tuple[str, str]] = set()
    toggles: set[str] = set()
    for file, text in sorted(files.items()):
        for workflow, line in _read(text, file):
            taken = {(segment, workflow.old.path) for segment in workflow.segments}
            if workflow.id in found:
                raise SpecError(f"{workflow.id}: another workflow has this id", line=line, file=file)
            if taken & places:
                raise SpecError(f"{workflow.id}: {workflow.old.path!r} is the old place of two", line=line, file=file)
            if workflow.compat and workflow.compat.toggle in toggles:
                raise SpecError(f"{workflow.id}: another workflow has this toggle", line=line, file=file)
            found[workflow.id] = workflow
            places |= taken
            toggles |= {workflow.compat.toggle} if workflow.compat else set()
    return Catalogue(found)


def unmapped(catalogue: Catalogue, *, entities: Collection[str]) -> list[str]:
    """Say which workflows name an entity that the mapping does not have."""
    return [
        f"{workflow.id} touches {workflow.entity!r}, which the mapping does not have"
        for workflow in catalogue.workflows.values()
        if workflow.entity and workflow.entity not in entities
    ]


def _read(text: str, file: str) -> list[tuple[Workflow, int]]:
    try:
        document, lines = declared.read(text, schema=SCHEMA)
        return list(_workflows(document, lines))
    except SpecError as error:
        raise SpecError(error.message, line=error.line, file=file) from error


def _workflows(document: Mapping[str, Any], lines: Lines) -> Iterator[tuple[Workflow, int]]:
    for index, item in enumerate(document["workflows"]):
        parity = Parity(item["parity"])
        for name, problem in _contradictions(item, parity):
            raise SpecError(f"{item['id']}: {problem}", line=lines.of("workflows", index, name))
        compat = item.get("compat")
        try:
            arrives_on = date.fromisoformat(item["arrives_on"]) if "arrives_on" in item else None
        except ValueError as error:
            raise SpecError(f"{item['id']}: {error}", line=lines.of("workflows", index, "arrives_on")) from error
        yield (
            Workflow(
                id=item["id"],
                title=item["title"],
                area=document["title"],
                segments=tuple(item["segments"]),
                roles=tuple(item["roles"]),
                parity=parity,
                old=Side(**item["old"]),
                new=Side(**item["new"]) if "new" in item else None,
                differences=tuple(item.get("differences", ())),
                arrives_on=arrives_on,
                compat=Compat(compat["toggle"], compat["title"], timedelta(days=compat["longest_days"]))
                if compat
                else None,
                entity=item.get("entity", ""),
            ),
            lines.of("workflows", index, "id"),
        )


def _contradictions(item: Mapping[str, Any], parity: Parity) -> Iterable[tuple[str, str]]:
    """Yield what does not go together: the name it stands under, and why."""
    if parity.is_there and "new" not in item:
        yield "parity", f"what is {parity.value} has a new place"
    if parity is Parity.RETIRED and "new" in item:
        yield "new", "what is retired has no new place; say under differences what to do instead"
    if (parity is Parity.PLANNED) != ("arrives_on" in item):
        yield "arrives_on" if "arrives_on" in item else "parity", "a date of arrival belongs to what is planned"
    if parity in (Parity.CHANGED, Parity.PLANNED, Parity.RETIRED) and "differences" not in item:
        yield "parity", f"what is {parity.value} names its differences"
    if parity is Parity.SAME and ("differences" in item or "compat" in item):
        yield "parity", "what is the same has neither differences nor a toggle"
