"""The declared matrix of this installation."""

from functools import cache
from pathlib import Path

from django.conf import settings

from entitlements.domain.matrix import Matrix, load

FILE = "matrix.yaml"


def declared() -> Matrix:
    """Return the matrix in `settings.ENTITLEMENTS_FOLDER`, read once per process.

    Raises SpecError naming file and line.
    """
    return _read(Path(settings.ENTITLEMENTS_FOLDER) / FILE)


@cache
def _read(path: Path) -> Matrix:
    return load(path.read_text(encoding="utf-8"), file=path.name)
