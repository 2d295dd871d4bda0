"""Both platforms in memory, held to their word by `tests/contract/test_platforms.py`."""

from tests.fakes.platforms.legacy import FakeLegacy
from tests.fakes.platforms.mover import FakeMover

__all__ = ["FakeLegacy", "FakeMover"]
