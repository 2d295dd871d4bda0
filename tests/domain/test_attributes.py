"""Which attribute says what of a person: the usual names, and a tenant's own mapping, which takes their place."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain import attributes, people
from accounts.domain.attributes import AttributeMapping, NotMappableError
from core.permissions import TenantRole
from core.saml import Assertion, Attribute

EMAIL, OTHER = "olivia@airline.example", "olivia@elsewhere.example"
SAID = Assertion(
    name_id=EMAIL,
    name_id_format=people.EMAIL_FORMAT,
    attributes=(
        Attribute("email", (EMAIL,)),
        Attribute("workMail", (OTHER,)),
        Attribute("firstName", ("Olivia",)),
        Attribute("urn:oid:2.5.4.4", ("Owen",), "sn"),
        Attribute("employeeNumber", ("4711",)),
        Attribute("groups", ("Pilots", "Crossing admins")),
    ),
)


def test_without_a_mapping_the_usual_names_count() -> None:
    found = attributes.person(SAID, AttributeMapping())
    assert (found.addresses, found.first_name, found.last_name) == ((EMAIL,), "Olivia", "Owen")
    assert (found.external_id, found.groups, found.role) == ("", ("Pilots", "Crossing admins"), TenantRole.MEMBER)
    assert attributes.applied(SAID, AttributeMapping()) is SAID


def test_a_chosen_attribute_takes_the_place_of_all_usual_ones() -> None:
    mapping = AttributeMapping(email="workMail", external_id="employeeNumber")
    assert people.addresses(attributes.applied(SAID, mapping)) == (OTHER,)
    assert attributes.person(SAID, mapping).external_id == "4711"
    assert attributes.person(SAID, mapping).first_name == "Olivia"


def test_a_chosen_attribute_that_is_missing_leaves_nobody_and_not_the_name_id() -> None:
    missing = AttributeMapping(email="mailPrimary")
    assert attributes.person(SAID, missing).addresses == ()
    assert not any(map(people.domain_of, people.addresses(attributes.applied(SAID, missing))))
    by_name = AttributeMapping(email=attributes.NAME_ID)
    assert attributes.person(replace(SAID, attributes=()), by_name).addresses == (EMAIL,)


def test_two_things_may_trade_their_usual_names() -> None:
    crossed = AttributeMapping(email="workMail", external_id="email")
    found = attributes.person(SAID, crossed)
    assert (found.addresses, found.external_id) == ((OTHER,), EMAIL)


def test_an_attribute_that_comes_twice_stays_twice_for_the_rules_to_refuse() -> None:
    twice = replace(SAID, attributes=(*SAID.attributes, Attribute("workMail", (EMAIL,))))
    names = [each.name for each in attributes.applied(twice, AttributeMapping(email="workMail")).attributes]
    assert names.count("email") == 2


def test_a_group_gives_its_role_the_most_powerful_first_and_never_an_owners() -> None:
    roles = attributes.parse({}, roles="Pilots = auditor\n\n Crossing admins=ADMIN ").roles
    assert roles == {"Pilots": "auditor", "Crossing admins": "admin"}
    assert attributes.person(SAID, AttributeMapping(roles=roles)).role is TenantRole.ADMIN
    assert attributes.role_of(["Pilots"], roles) is TenantRole.AUDITOR
    assert attributes.role_of(["pilots", ""], roles) is TenantRole.MEMBER
    assert attributes.role_of(["Pilots"], {"Pilots": "owner"}) is TenantRole.MEMBER


@pytest.mark.parametrize(
    ("values", "roles", "said"),
    [
        ({"email": "x" * 301}, "", "no name that an attribute may have"),
        ({"email": "a\x00b"}, "", "no name that an attribute may have"),
        ({"email": "a", "external_id": "a"}, "", "chosen for two things"),
        ({"first_name": "NameID"}, "", "no first name"),
        ({}, "Pilots", "one group and its role per line"),
        ({}, "Pilots = owner", "one group and its role per line"),
        ({}, "= admin", "one group and its role per line"),
        ({}, "Pilots = admin\nPilots = member", "has two roles"),
        ({}, "\n".join(f"g{number} = member" for number in range(101)), "More than 100"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(values: dict[str, str], roles: str, said: str) -> None:
    with pytest.raises(NotMappableError, match=said):
        attributes.parse(values, roles=roles)


def test_a_mapping_comes_back_from_json_as_it_went() -> None:
    mapping = attributes.parse({"email": " workMail ", "unknown": "x"}, roles="A = B = admin")
    assert mapping == AttributeMapping(email="workMail", roles={"A = B": "admin"})
    assert attributes.stored({**mapping.plain, "of_a_later_version": "x"}) == mapping
    assert AttributeMapping().plain == {}


words = st.sampled_from(["email", "mail", "workMail", "sn", "groups", "externalId", "NameID", "x"])
said = st.builds(
    Attribute, words, st.tuples(st.sampled_from([EMAIL, OTHER, "", "4711"])), st.sampled_from(["", "mail"])
)


@given(st.lists(said, max_size=6), words)
def test_only_the_chosen_attribute_is_ever_the_address(listed: list[Attribute], chosen: str) -> None:
    assertion = replace(SAID, attributes=tuple(listed))
    found = set(attributes.person(assertion, AttributeMapping(email=chosen)).addresses)
    allowed = (
        [EMAIL]
        if chosen == attributes.NAME_ID
        else [value for each in listed if each.name == chosen for value in each.values]
    )
    assert found <= set(allowed)
