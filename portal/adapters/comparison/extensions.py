"""The engine's scanners, each from a wheel of its own; the engine checks their signatures when it loads them."""

import importlib.util
from functools import cache
from pathlib import Path

from core.ports import Rejected


@cache
def scanner(kind: str) -> Path:
    """Find the scanner of `postgres`, `sqlite` or `mysql`."""
    spec = importlib.util.find_spec(f"duckdb_extension_{kind}_scanner")
    places = spec.submodule_search_locations if spec else None
    for place in places or ():
        for found in Path(place).rglob(f"{kind}_scanner.duckdb_extension"):
            return found
    raise Rejected(
        f"The {kind} scanner of the comparison engine is not installed: install the locked requirements anew."
    )
