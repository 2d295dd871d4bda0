"""The set-up guides: every product of the charter's list, each with all that a working connection needs."""

import re

import pytest

from accounts.domain import setup_guides
from accounts.domain.setup_guides import GUIDES, Guide, Ours
from core.saml import ServiceProvider

SP = ServiceProvider("https://crossing.example/sso/org_1/metadata/", "https://crossing.example/sso/org_1/acs/")
OURS = setup_guides.values(SP, metadata_url=SP.entity_id)
EACH = pytest.mark.parametrize("guide", GUIDES.values(), ids=GUIDES.keys())


def test_the_products_that_customers_have_are_there() -> None:
    names = "entra okta google onelogin ping jumpcloud adfs keycloak other"
    assert list(GUIDES) == names.split()


@EACH
def test_each_enters_our_entity_id_and_acs_address_and_says_how_to_sign(guide: Guide) -> None:
    fields = [field for step in guide.steps for field in setup_guides.filled(step, OURS)]
    shown = [field.value for field in fields if field.is_ours]
    assert {SP.entity_id, SP.acs_url} <= set(shown)
    assert not any("{" in field.value for field in fields)
    whole = " ".join([step.text for step in guide.steps] + [f"{field.name} {field.value}" for field in fields])
    # Google signs by SHA-256 always, and AD FS the assertion.
    assert guide.slug == "google" or re.search(r"SHA-?_?256", whole)
    signs = r"sign(s the| SAML)? assertion|assertion signature|signature element|is signed"
    assert guide.slug == "adfs" or re.search(signs, whole, re.IGNORECASE)
    assert re.search(r"e-?mail", whole, re.IGNORECASE)
    assert guide.returns
    assert guide.traps


def test_onelogins_validator_fits_our_address_and_no_other() -> None:
    pattern = OURS[Ours.ACS_PATTERN]
    assert r"https:\/\/" in pattern
    assert re.fullmatch(pattern, SP.acs_url)
    assert not re.fullmatch(pattern, SP.acs_url.replace(".example", "xexample"))
    assert not re.match(pattern, SP.acs_url + "x")
