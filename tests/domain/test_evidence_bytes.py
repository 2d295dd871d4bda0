"""The bytes of evidence: canonical JSON, Merkle root, material digest."""

import hashlib
import json
import math
import struct
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evidence import packs, verifier
from tests import packs as made

# RFC 8785, appendix B: the double as its bits, and how it is written.
NUMBERS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


@pytest.mark.parametrize(("bits", "written"), NUMBERS)
def test_numbers_are_written_as_rfc_8785_prescribes(bits: str, written: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert packs.canonical(value) == written.encode()


def test_strings_and_literals_are_written_as_rfc_8785_prescribes() -> None:
    # RFC 8785, section 3.2.2 and 3.2.4.
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '\u20ac$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert packs.canonical(value) == expected.encode()


def test_keys_are_ordered_by_utf_16_units() -> None:
    # RFC 8785, section 3.2.3.
    value = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    assert list(json.loads(packs.canonical(value))) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize("value", [math.nan, math.inf, "\ud800", b"bytes", object(), datetime(2026, 1, 1)])  # noqa: DTZ001 (naive on purpose)
def test_what_json_cannot_carry_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the library's own subclasses, each with its words
        packs.canonical({"key": value})


def test_moments_ids_decimals_and_large_numbers_keep_every_digit() -> None:
    value = {
        "at": datetime(2026, 11, 22, 13, 0, 0, 5, tzinfo=timezone(timedelta(hours=1))),
        "id": UUID(int=7),
        "share": Decimal("0.10"),
        "large": 2**63,
    }
    assert json.loads(packs.canonical(value)) == {
        "at": "2026-11-22T12:00:00.000005Z",
        "id": "00000000-0000-0000-0000-000000000007",
        "share": "0.10",
        "large": "9223372036854775808",
    }


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    # Surrogates are no text and stand for none.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)


@given(JSON)
def test_canonical_bytes_read_back_and_are_a_fixed_point(value: object) -> None:
    written = packs.canonical(value)
    # Every JSON number is a double; Python would read 1e16 back as a whole number.
    read = json.loads(written, parse_int=float)
    assert read == value
    assert packs.canonical(read) == written


def test_the_verifiers_own_writing_of_plain_objects_is_canonical() -> None:
    value = {"seat": "a", "user": '\u00fc\n"', "sign_count": 7}
    assert verifier.plain_json(value) == packs.canonical(value)


# RFC 6962 test vectors of certificate-transparency's reference implementation (leaves of growing length).
LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
LEAVES.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("count", ROOTS)
def test_the_merkle_root_is_rfc_6962s(count: int) -> None:
    assert verifier.merkle_root(LEAVES[:count]).hex() == ROOTS[count]


def test_the_root_of_nothing_is_the_digest_of_nothing() -> None:
    assert verifier.merkle_root([]) == hashlib.sha256().digest()


def test_the_root_covers_the_names_of_the_parts() -> None:
    renamed = made.pack(**{"backfills.other": {"flights": 54635, "quarantined": 0}})
    assert renamed.evidence_sha256 != made.pack().evidence_sha256


def _material(**changes: object) -> str:
    finding: dict[str, Any] = {
        "check": "a",
        "outcome": "pass",
        "facts": {"lost": 0},
        "exception": None,
        "summary": "Fine.",
    }
    return packs.material_digest([finding | changes])


def test_the_material_digest_moves_with_check_outcome_and_facts_alone() -> None:
    digest = _material()
    assert _material(summary="Better worded.", checked_at=datetime.now(UTC), evidence={"rows": 5}) == digest
    assert _material(outcome="warn") != digest
    assert _material(facts={"lost": 1}) != digest
    assert _material(check="b") != digest
    assert _material(exception="an-id") != digest


def test_the_material_digest_does_not_depend_on_order() -> None:
    assert packs.material_digest(made.FINDINGS) == packs.material_digest(made.FINDINGS[::-1])


def test_a_contribution_cannot_take_the_floors_name() -> None:
    with pytest.raises(ValueError, match="floor's own"):
        made.pack(**{"core.material": {}})
