"""What whoever writes to the new platform owes to a legal hold that is placed meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

from core import holds, ports
from core.moving import LoadOrder


@contextmanager
def committing(order: LoadOrder) -> Iterator[None]:
    """Let an order that preserves nothing be committed while no legal hold stands, and none is placed meanwhile.

    Raises Unavailable where one was placed since the order was given: what was written is taken back, and tried again.
    """
    if order.preserves:
        yield
        return
    with holds.none_placed(tenant_id=order.account_id):
        if is_held_by_now(order):
            raise ports.Unavailable(
                "A legal hold was placed while rows were written: they are written again, under it."
            )
        yield


def is_held_by_now(order: LoadOrder) -> bool:
    """Say whether a legal hold stands, which may have been placed since the order was given."""
    return holds.is_legally_held(tenant_id=order.account_id, at=order.at)
