"""The declared catalogue of this installation: workflows, guides, and what finds both by words."""

import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from backfills.queries import mapping
from core.domain.declared import SpecError
from core.errors import UseCaseError
from core.permissions import Permission
from core.toggles import TOGGLES, Toggle
from parity_reports.domain import guides, workflows
from parity_reports.domain.guides import Guide
from parity_reports.domain.search import Field, Index
from parity_reports.domain.workflows import Workflow

log = logging.getLogger(__name__)


class UnableToReadCatalogue(UseCaseError):
    """A file of the catalogue is wrong; the log names file and line."""

    status = 503


@dataclass(frozen=True, slots=True)
class Declared:
    """Everything that changes, and everything written about it."""

    workflows: workflows.Catalogue
    guides: dict[str, Guide]
    index: Index[tuple[str, str]]
    """Finds `("workflow", id)` and `("guide", slug)`."""

    @property
    def published(self) -> list[Guide]:
        """The guides that readers are shown, in their order."""
        return [guide for guide in self.guides.values() if guide.is_published]

    def guides_of(self, workflow: Workflow, *, segment: str) -> list[Guide]:
        """Return the published guides of a segment that tell of a workflow."""
        return [guide for guide in self.published if workflow.id in guide.workflows and segment in guide.segments]


def read() -> Declared:
    """Return the catalogue, read once per process; raises UnableToReadCatalogue when a file is wrong."""
    try:
        return _read(Path(settings.WORKFLOWS_FOLDER), Path(settings.GUIDES_FOLDER))
    except (SpecError, OSError) as error:
        log.exception("parity_reports.catalogue_unreadable")
        raise UnableToReadCatalogue(
            "What changed cannot be shown at the moment.", fix="We see that it fails; please look again later."
        ) from error


def problems() -> list[str]:
    """Say what is wrong with the files, for whoever installs them; each names file and line."""
    try:
        found = _read(Path(settings.WORKFLOWS_FOLDER), Path(settings.GUIDES_FOLDER))
        return workflows.unmapped(found.workflows, entities=mapping.specs())
    except (SpecError, OSError) as error:
        return [str(error)]


@cache
def _read(workflows_folder: Path, guides_folder: Path) -> Declared:
    catalogue = workflows.load_set(_texts(workflows_folder, "*.yaml"))
    written = dict(guides.load_set(_texts(guides_folder, "*.md"), catalogue=catalogue))
    for workflow in catalogue.workflows.values():
        if compat := workflow.compat:
            TOGGLES.add(compat.toggle, Toggle(compat.toggle, compat.title, Permission.MANAGE_WORKFLOWS, compat.longest))
    return Declared(catalogue, written, Index({**_guides(written), **_workflows(catalogue)}))


def _texts(folder: Path, pattern: str) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob(pattern))}


def _guides(written: dict[str, Guide]) -> dict[tuple[str, str], list[Field]]:
    return {
        ("guide", guide.slug): [
            Field(guide.title, 8),
            Field(guide.summary, 4),
            *(Field(f"{old} {new}", 4) for old, new in guide.places),
            Field(guide.text, 1),
        ]
        for guide in written.values()
        if guide.is_published
    }


def _workflows(catalogue: workflows.Catalogue) -> dict[tuple[str, str], list[Field]]:
    return {
        ("workflow", one.id): [
            Field(one.title, 8),
            *(Field(f"{side.place} {side.path}", 4) for side in (one.old, one.new) if side),
            *(Field(side.way, 1) for side in (one.old, one.new) if side),
            *(Field(difference, 1) for difference in one.differences),
        ]
        for one in catalogue.workflows.values()
    }
