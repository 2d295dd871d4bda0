"""The declared reads of this installation."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from django.conf import settings

from backfills.queries import mapping
from core.domain.declared import SpecError
from core.shadowing import Read
from parity_reports.domain import reads


def every() -> Mapping[str, tuple[Read, ...]]:
    """Return the reads of each entity, read once per process.

    Lists stand in `reads/<entity>.yaml` in `settings.MAPPING_FOLDER`. Raises SpecError naming file and line.
    """
    return _read(Path(settings.MAPPING_FOLDER))


def problems() -> list[str]:
    """Say what is wrong with the files, for whoever installs them; each names file and line."""
    try:
        every()
    except (SpecError, OSError) as error:
        return [str(error)]
    return []


@cache
def _read(folder: Path) -> Mapping[str, tuple[Read, ...]]:
    files = sorted((folder / "reads").glob("*.yaml"))
    texts = {f"reads/{path.name}": path.read_text(encoding="utf-8") for path in files}
    return reads.load_set(texts, specs=mapping.specs())
