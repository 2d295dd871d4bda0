"""How much of legacy is read at once, whatever engine holds it."""

from backfills.domain.spec import Spec
from core.ports import Rejected

LARGEST = 512 * 2**20
"""Bytes of one batch: a worker holds it in memory, and other customers' jobs run beside it."""


def check(size: int, spec: Spec) -> None:
    """Refuse to hold so many bytes of the next rows."""
    if size > LARGEST:
        raise Rejected(
            f"The next rows of {spec.source_table} in legacy, {spec.batch:,} to a batch, are larger than"
            f" {LARGEST >> 20} MB together: the mapping must name a smaller `batch`."
        )


__all__ = ["LARGEST", "check"]
