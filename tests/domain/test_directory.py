"""The one key by which SAML and SCIM know a person."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain import directory
from accounts.domain.directory import PERSISTENT, TRANSIENT, Key, Match
from accounts.domain.people import EMAIL_FORMAT
from core.saml import Assertion, Attribute

ADDRESS = "olivia@airline.example"
MAILED = Assertion(name_id="Olivia@Airline.example", name_id_format=EMAIL_FORMAT)
OBJECT_ID = Attribute("http://schemas.microsoft.com/identity/claims/objectidentifier", ("8d5f",))


@pytest.mark.parametrize(
    ("assertion", "key"),
    [
        (MAILED, Key(user_name=ADDRESS)),
        (Assertion(name_id=" oowen "), Key(user_name="oowen")),
        (replace(MAILED, attributes=(OBJECT_ID,)), Key("8d5f", ADDRESS)),
        (Assertion(name_id="Ab3", name_id_format=PERSISTENT), Key("Ab3")),
        (
            Assertion(name_id="Ab3", name_id_format=PERSISTENT, attributes=(Attribute("mail", (ADDRESS.upper(),)),)),
            Key("Ab3", ADDRESS),
        ),
        (Assertion(name_id="x9", name_id_format=TRANSIENT, attributes=(Attribute("mail", (ADDRESS,)),)), Key()),
        (Assertion(name_id="x9", name_id_format=TRANSIENT, attributes=(OBJECT_ID,)), Key("8d5f")),
        (replace(MAILED, attributes=(replace(OBJECT_ID, values=("a", "b")),)), Key(user_name=ADDRESS)),
        (Assertion(name_id="x" * 400), Key()),
        (Assertion(name_id="a\nb"), Key()),
        (Assertion(), Key()),
    ],
)
def test_whom_an_assertion_names(assertion: Assertion, key: Key) -> None:
    assert directory.asserted(assertion) == key


def test_the_same_person_has_one_key_for_both_ways_in() -> None:
    scim = directory.provisioned(external_id=" 8d5f ", user_name="Olivia@airline.example")
    assert scim == directory.asserted(replace(MAILED, attributes=(OBJECT_ID,)))
    assert directory.match(directory.asserted(MAILED), [scim]) == Match(found=scim)
    assert not Key()


def test_the_id_comes_before_the_name_and_another_id_under_the_name_is_told() -> None:
    by_id, by_name = Key("8d5f", "old@airline.example"), Key("", ADDRESS)
    assert directory.match(Key("8d5f", ADDRESS), [by_name, by_id]).found == by_id
    former = Key("7a7a", ADDRESS)
    assert directory.match(Key("8d5f", ADDRESS), [former]) == Match(clash=former)
    assert directory.match(Key("8D5F"), [by_id]) == Match()


keys = st.builds(Key, st.sampled_from(["", "1", "2"]), st.sampled_from(["", "a", "b"]))


@given(key=keys, known=st.lists(keys))
def test_what_is_found_shares_the_key_and_contradicts_it_nowhere(key: Key, known: list[Key]) -> None:
    match = directory.match(key, known)
    if match.found is not None:
        by_id = key.external_id and match.found.external_id == key.external_id
        by_name = key.user_name and match.found.user_name == key.user_name
        assert by_id or (by_name and not (key.external_id and match.found.external_id))
    elif match.clash is None:
        assert not any(key.external_id and key.external_id == each.external_id for each in known)
