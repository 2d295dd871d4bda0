"""The set-up guides of provisioning: each product enters our address and its token, and names people safely."""

import pytest

from accounts.domain import setup_guides
from accounts.domain.provisioning.guides import GUIDES, SECRET
from accounts.domain.setup_guides import Guide, Ours

BASE = "https://crossing.example/scim/v2"


def test_the_directories_that_customers_have_are_there() -> None:
    assert list(GUIDES) == ["entra", "okta", "onelogin", "jumpcloud", "other"]


@pytest.mark.parametrize("guide", GUIDES.values(), ids=GUIDES.keys())
def test_each_enters_our_address_and_the_secret_and_nothing_unfilled(guide: Guide) -> None:
    fields = [field for step in guide.steps for field in setup_guides.filled(step, {Ours.SCIM_URL: BASE})]
    assert [field.value for field in fields if field.is_ours] == [BASE]
    assert SECRET in [field.value for field in fields]
    assert not any(ours.value in field.value for field in fields for ours in Ours)
    assert guide.traps
