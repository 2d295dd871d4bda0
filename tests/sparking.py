"""A Spark of the tests' own: its packages beside the environment, on this machine alone."""

import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from portal.adapters.comparison.spark import cluster, engine
from portal.adapters.comparison.spark.cluster import Cluster
from portal.adapters.comparison.spark.parcels import Parcel
from portal.adapters.comparison.spark.tasks import Part
from portal.house import setup, state
from portal.house.trouble import Trouble

ADDRESS = "local[2]"
NO_JAVA = "Java is missing: apt-get update && apt-get install -y default-jre-headless"


def installed() -> Path:
    """Return the folder with what requirements/spark.lock names, made once. Skips, and says why, where it cannot be."""
    if not shutil.which("java"):
        pytest.skip(NO_JAVA)
    digest = hashlib.sha256(setup.lock_file("spark").read_bytes() + sys.version.encode()).hexdigest()[:10]
    folder = state.prepare() / f"spark-{digest}"
    with state.locked("spark"):
        if not folder.exists():
            half = folder.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            try:
                setup.install("spark", beside=half)
            except Trouble as trouble:
                pytest.skip(f"Spark is missing: {trouble}")
            half.rename(folder)
    return folder


@contextmanager
def importable() -> Iterator[None]:
    """Let Spark be imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(installed()))
        yield


@contextmanager
def shared() -> Iterator[Cluster]:
    """Begin one application that every comparison in here uses: to begin one for each takes longer than they do."""
    with importable(), cluster.opened(ADDRESS) as found, pytest.MonkeyPatch.context() as patch:

        @contextmanager
        def opened(url: str) -> Iterator[Cluster]:
            yield found

        patch.setattr(engine.cluster, "opened", opened)
        yield found


@dataclass(frozen=True)
class Forgetting:
    """Reads as `read` does, and leaves out the records of one bucket."""

    read: Callable[[Part], Iterator[tuple[int, Any]]]
    bucket: int

    def __call__(self, part: Part) -> Iterator[tuple[int, Any]]:
        return (
            (bucket, item)
            for bucket, item in self.read(part)
            if bucket != self.bucket or not (isinstance(item, Parcel) and item.content)
        )
