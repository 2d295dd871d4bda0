"""Which schema this version of the code wants: a digest that changes with the migrations and what they import."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from portal.house import state

PATTERNS = (
    "*/migrations/*.py",
    "*/models/**/*.py",
    "*/models.py",
    "core/rls*",
    "core/rls/**/*",
    "core/owner.py",
    "core/**/*.sql",
    "portal/house/roles.sql",
    "portal/settings.py",
    "requirements/base.lock",
)
"""What decides what `manage.py migrate` leaves behind."""


def files() -> Iterator[Path]:
    """Every file that takes part, in a fixed order."""
    for pattern in PATTERNS:
        yield from sorted(path for path in state.CHECKOUT.glob(pattern) if path.is_file())


def digest(*, tenancy_key: str) -> str:
    """A short name for the schema, and for the key that migrations install in it."""
    content = hashlib.sha256(tenancy_key.encode())
    for path in files():
        content.update(str(path.relative_to(state.CHECKOUT)).encode())
        content.update(path.read_bytes())
    return content.hexdigest()[:12]
