"""Domain names as typed: what is understood, and what is refused with which words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain import names


@pytest.mark.parametrize(
    ("typed", "ascii_name", "text"),
    [
        ("jetblue.example", "jetblue.example", "jetblue.example"),
        ("  JetBlue.Example. ", "jetblue.example", "jetblue.example"),
        ("bücher.example", "xn--bcher-kva.example", "bücher.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example", "bücher.example"),
        ("日本。jp", "xn--wgv71a.jp", "日本.jp"),
        ("faß.de", "xn--fa-hia.de", "faß.de"),
        ("ops.jetblue.example", "ops.jetblue.example", "ops.jetblue.example"),
    ],
)
def test_a_domain_is_understood_however_it_is_typed(typed: str, ascii_name: str, text: str) -> None:
    assert names.parse(typed) == names.DomainName(ascii=ascii_name, text=text)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter a domain"),
        ("owner@jetblue.example", "after the @"),
        ("https://jetblue.example/", "without https://"),
        ("jetblue.example:443", "without https://"),
        ("*.jetblue.example", "wildcard"),
        ("jet blue.example", "letters, digits and hyphens"),
        ("jet_blue.example", "letters, digits and hyphens"),
        ("-jetblue.example", "letters, digits and hyphens"),
        ("jetblue..example", "letters, digits and hyphens"),
        ("☃.example", "letters, digits and hyphens"),
        ("xn--a.example", "letters, digits and hyphens"),
        (f"{'a' * 64}.example", "letters, digits and hyphens"),
        (".".join(["a" * 60] * 4), "too long"),
        ("192.0.2.7", "IP address"),
        ("jetblue", "whole domain"),
        ("printer.local", "not in public DNS"),
        ("localhost", "not in public DNS"),
        ("intranet.internal", "not in public DNS"),
        ("co.uk", "public suffix"),
        ("github.io", "public suffix"),
        ("xn--p1ai", "whole domain"),
        ("gmail.com", "public mail service"),
        ("mail.Yahoo.co.uk", "public mail service"),
    ],
)
def test_what_cannot_be_claimed_is_refused_with_its_reason(typed: str, words: str) -> None:
    with pytest.raises(names.NotClaimableError, match=words):
        names.parse(typed)


@given(st.text(max_size=300))
def test_any_text_is_either_understood_or_refused(typed: str) -> None:
    try:
        name = names.parse(typed)
    except names.NotClaimableError:
        return
    assert names.parse(name.ascii) == name, "the name that DNS sees names the same domain"
    assert names.parse(name.text) == name, "and so does the name that people read"
    assert len(f"{names.CHALLENGE_LABEL}.{name.ascii}") <= names.MAX_NAME
    assert name.ascii == name.ascii.lower()


@pytest.mark.parametrize(
    ("text", "mixed"),
    [
        ("jetblue.example", False),
        ("bücher.example", False),
        ("\N{CYRILLIC SMALL LETTER A}irline.example", True),
        ("air\N{GREEK SMALL LETTER OMICRON}.example", True),
        ("аэро.example", False),
        ("東京エアライン.example", False),
        ("東京air.example", False),
        ("air-737.аэро", False),
    ],
)
def test_a_label_that_mixes_scripts_as_no_language_does_is_told(text: str, mixed: bool) -> None:
    assert names.is_mixed(text) is mixed


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("jetblue.example", "jetblue.example"),
        ("ops.jetblue.example", "jetblue.example"),
        ("a.b.jetblue.co.uk", "jetblue.co.uk"),
        ("jetblue.github.io", "jetblue.github.io"),
    ],
)
def test_the_registered_part_is_what_a_provider_adds(name: str, zone: str) -> None:
    assert names.registered(name) == zone
