"""Recovery codes: how one is written, recognised, and how long the others of its set still hold."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

SEATS = (1, 2)
"""Two break-glass owners: one may be away, more would be more paper to lose."""
CODES = 5
OTHERS_HOLD = timedelta(hours=24)
"""After one code of a set was used: long enough to come in again, short enough that the set has to be renewed."""

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: nothing in it is taken for something else."""
_GROUPS, _GROUP = 5, 5
_MISREAD = str.maketrans("OIL", "011")


def write(choice: Callable[[str], str]) -> str:
    """Return a new code of 125 random bits, in groups for whoever types it; `choice` draws one letter, evenly."""
    return "-".join("".join(choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def digest(typed: str) -> str:
    """Return what is kept of a code: SHA-256 of it as it was meant, whatever was typed between and in which case.

    125 random bits need no salt and no slow hash.
    """
    meant = "".join(letter for letter in typed.upper()[:200] if letter.isalnum()).translate(_MISREAD)
    return hashlib.sha256(meant.encode()).hexdigest()
