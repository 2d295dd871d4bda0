"""The set-up guides of provisioning: each product enters our address and its token, and names people safely."""

import json

import pytest

from accounts.domain import setup_guides
from accounts.domain.provisioning.guides import GUIDES, SECRET, values
from accounts.domain.setup_guides import Guide, Ours

BASE = "https://crossing.example/scim/v2"


def test_the_directories_that_customers_have_are_there() -> None:
    assert list(GUIDES) == ["entra", "okta", "onelogin", "jumpcloud", "other"]


@pytest.mark.parametrize("guide", GUIDES.values(), ids=GUIDES.keys())
def test_each_enters_our_address_and_the_secret_and_nothing_unfilled(guide: Guide) -> None:
    fields = [field for step in guide.steps for field in setup_guides.filled(step, values(BASE))]
    assert next(field.value for field in fields if field.is_ours) == BASE
    assert SECRET in [field.value for field in fields]
    assert not any(ours.value in field.value for field in fields for ours in Ours)
    assert guide.traps


def test_what_onelogin_sends_is_json_that_names_people_by_what_does_not_change() -> None:
    template = json.loads(values(BASE)[Ours.SCIM_TEMPLATE])
    assert {"userName", "externalId", "emails"} <= set(template)
    assert "active" not in template
