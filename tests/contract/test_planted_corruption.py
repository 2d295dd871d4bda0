"""A hundred random corruptions among a million records: all are found and none is invented."""

import pytest

from core.comparison import Segment
from portal.adapters.comparison import DuckComparison
from tests import planting
from tests.people import plan


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_every_planted_corruption_is_found_and_none_is_invented(people_platforms, seed):
    pair = people_platforms
    planted = planting.plant(pair, records=1_000_000, corruptions=100, seed=seed)
    comparison = DuckComparison(legacy=pair.legacy_reader, new=pair.new_loader, settle=0)
    found = {}
    comparison.compare(plan(), segment=Segment(), report=planting.found_in(found))
    assert found == planted
