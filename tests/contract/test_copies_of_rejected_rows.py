"""The copies of rejected rows go once they are old, and all else that is known of the rows stays."""

from datetime import timedelta
from typing import Any

import pytest

from core.ports import Unavailable
from tests.airline import station
from tests.contract.test_platforms import world
from tests.moving import ACCOUNT, World, refusing

__all__ = ["world"]


def test_copies_of_rejected_rows_go_and_all_else_of_them_stays(world: World) -> None:
    world.fill("stn_mast", station("AAA", lat_txt="north"))
    order = world.order("airports")
    world.run(order)

    def emptied(before: timedelta, **how: Any) -> int:
        return world.mover.empty_letters(account_id=ACCOUNT, before=order.at + before, **how)

    second = timedelta(seconds=1)
    assert emptied(timedelta()) == 0
    with pytest.raises(Unavailable):
        emptied(second, committing=refusing)
    assert (emptied(second), emptied(second)) == (1, 0)
    if world.platforms:
        (letter,) = [letter for batch in world.mover.position(order=order).batches for letter in batch.letters]
        assert (letter.source_key, letter.rule, letter.payload) == ("AAA", "unreadable_value", b"")
