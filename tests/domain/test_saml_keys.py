"""What SAML is signed with: a word of the setting is read as it was written, and what is none is named."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from portal import saml_keys
from portal.saml_keys import NotAKeyError, Signer
from tests.sso import signer


def word(*parts: str) -> str:
    return base64.b64encode("".join(parts).encode()).decode()


def test_a_key_is_read_as_it_was_written() -> None:
    assert saml_keys.read(saml_keys.packed(signer())) == signer()
    turned = word(signer().certificate, "some words between\n", signer().key)
    assert saml_keys.read(f" {turned} ") == signer()
    assert signer().ends_at > datetime.now(UTC)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("", "one private key and its certificate"),
        ("%", "not the base64"),
        (base64.b64encode(b"\xff\xfe").decode(), "not the base64"),
        (word(signer().key), "one private key and its certificate"),
        (word(signer().certificate), "one private key and its certificate"),
        (word(signer().key, signer().key, signer().certificate), "one private key and its certificate"),
        (word(signer().key, signer("next").certificate), "of another key"),
        (word(signer().key.replace("MII", "MIA", 1), signer().certificate), "cannot be read"),
    ],
)
def test_what_is_no_key_is_named_without_showing_it(wrong: str, said: str) -> None:
    with pytest.raises(NotAKeyError, match=said):
        saml_keys.read(wrong)
    (problem,) = saml_keys.problems([saml_keys.packed(signer()), wrong])
    assert problem.startswith("number 2: ")
    assert "PRIVATE" not in problem


def test_a_short_key_is_refused() -> None:
    at = datetime.now(UTC)
    short: Signer = saml_keys.new_signer("short", begins=at, ends=at + timedelta(days=1), bits=1024)
    with pytest.raises(NotAKeyError, match="2048 bits"):
        saml_keys.read(saml_keys.packed(short))
