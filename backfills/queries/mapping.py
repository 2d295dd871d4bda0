"""The declared mapping of this installation."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from django.conf import settings

from backfills.domain.spec import Spec, load_set


def specs() -> Mapping[str, Spec]:
    """Return every entity's spec, each after those it needs; read once per process.

    The folder is `settings.MAPPING_FOLDER`. Raises SpecError naming file and line.
    """
    return _read(Path(settings.MAPPING_FOLDER))


@cache
def _read(folder: Path) -> Mapping[str, Spec]:
    return load_set({path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))})
