"""Guides: short pages for the people of a role, written in Markdown with a front matter."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.domain import declared
from core.domain.declared import NAME, TEXT, SpecError, closed
from core.permissions import TenantRole
from parity_reports.domain import markdown
from parity_reports.domain.workflows import Catalogue, Parity, Workflow

_FRONT = re.compile(r"---\n(.*?\n)---\n(.*)", re.DOTALL)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MANY = {"type": "array", "minItems": 1, "uniqueItems": True}

SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Crossing guide, front matter",
    **closed(
        ["format", "title", "summary", "roles", "segments", "minutes", "updated_on", "version"],
        format={"const": "crossing-guide/1"},
        title=TEXT,
        summary=TEXT,
        roles={**_MANY, "items": {"enum": [role.value for role in TenantRole]}},
        segments={**_MANY, "items": NAME},
        workflows={**_MANY, "items": NAME},
        places={"type": "array", "minItems": 1, "items": closed(["old", "new"], old=TEXT, new=TEXT)},
        minutes={"type": "integer", "minimum": 1, "maximum": 60},
        updated_on={"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
        version={"type": "integer", "minimum": 1},
        published={"type": "boolean"},
        order={"type": "integer", "minimum": 0},
    ),
}


@dataclass(frozen=True, slots=True)
class Guide:
    """One guide, rendered. `places` are pairs of old and new place, those of its workflows first."""

    slug: str
    title: str
    summary: str
    roles: tuple[str, ...]
    segments: tuple[str, ...]
    workflows: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    minutes: int
    updated_on: date
    version: int
    is_published: bool
    order: int
    html: str
    text: str
    headings: tuple[tuple[str, str], ...]

    def is_for(self, *, role: str, segment: str) -> bool:
        """Say whether the guide was written for this reader."""
        return role in self.roles and segment in self.segments


def load(text: str, *, file: str, catalogue: Catalogue) -> Guide:
    """Read one guide; its slug is the file's name. Raises SpecError naming file and line."""
    return _load(text, file, catalogue)[0]


def load_set(files: Mapping[str, str], *, catalogue: Catalogue) -> Mapping[str, Guide]:
    """Read every guide, file name → text, in the order they are offered; links between them must lead somewhere."""
    read = {file: _load(text, file, catalogue) for file, text in files.items()}
    known = {f"../{guide.slug}" for guide, _ in read.values()}
    known |= {f"../../workflows/{name}" for name in catalogue.workflows} | {"../.."}
    for file, (_, links) in read.items():
        for link, line in links:
            if link.rstrip("/") not in known:
                raise SpecError(f"the link {link!r} leads nowhere", line=line, file=file)
    found = sorted((guide for guide, _ in read.values()), key=lambda guide: (guide.order, guide.title))
    return {guide.slug: guide for guide in found}


def for_reader(guides: Iterable[Guide], *, role: str, segment: str) -> list[Guide]:
    """Return the published guides written for a role and a segment, in their order."""
    return [guide for guide in guides if guide.is_published and guide.is_for(role=role, segment=segment)]


def uncovered(workflows: Iterable[Workflow], *, guides: Iterable[Guide], segment: str) -> list[tuple[Workflow, str]]:
    """Return (workflow, role) of whatever changes in a segment without a published guide for a role that does it."""
    told = {
        (name, role)
        for guide in guides
        if guide.is_published and segment in guide.segments
        for name in guide.workflows
        for role in guide.roles
    }
    return [
        (workflow, role)
        for workflow in workflows
        if segment in workflow.segments and workflow.parity is not Parity.SAME
        for role in workflow.roles
        if (workflow.id, role) not in told
    ]


def _load(text: str, file: str, catalogue: Catalogue) -> tuple[Guide, list[tuple[str, int]]]:
    slug = file.removesuffix(".md")
    found = _FRONT.fullmatch(text.replace("\r\n", "\n"))
    if not _SLUG.fullmatch(slug):
        raise SpecError("a guide's file name is its address: lower case, digits and hyphens", file=file)
    if found is None:
        raise SpecError("a guide begins with its front matter between two lines of ---", line=1, file=file)
    above = 2 + found[1].count("\n")
    try:
        front, lines = declared.read(found[1], schema=SCHEMA)
        covered = [_workflow(name, index, lines, catalogue) for index, name in enumerate(front.get("workflows", ()))]
        updated_on = _day(front["updated_on"], lines)
    except SpecError as error:  # the front matter begins below its first ---
        raise SpecError(error.message, line=(error.line or 0) + 1, file=file) from error
    try:
        body = markdown.render(found[2])
    except SpecError as error:
        raise SpecError(error.message, line=(error.line or 1) + above, file=file) from error
    places = [(one.old.place, one.new.place) for one in covered if one.new and one.new.place != one.old.place]
    guide = Guide(
        slug=slug,
        title=front["title"],
        summary=front["summary"],
        roles=tuple(front["roles"]),
        segments=tuple(front["segments"]),
        workflows=tuple(one.id for one in covered),
        places=tuple(dict.fromkeys(places + [(one["old"], one["new"]) for one in front.get("places", ())])),
        minutes=front["minutes"],
        updated_on=updated_on,
        version=front["version"],
        is_published=front.get("published", True),
        order=front.get("order", 50),
        html=body.html,
        text=body.text,
        headings=body.headings,
    )
    return guide, [(link, line + above) for link, line in body.neighbours]


def _workflow(name: str, index: int, lines: declared.Lines, catalogue: Catalogue) -> Workflow:
    try:
        return catalogue.workflows[name]
    except KeyError:
        raise SpecError(f"no workflow is called {name!r}", line=lines.of("workflows", index)) from None


def _day(text: str, lines: declared.Lines) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SpecError(f"updated_on: {error}", line=lines.of("updated_on")) from error
