"""Canonical ids as docs/identity-vectors.json publishes them, alike on any machine; and files of decisions, read."""

import json
import uuid
from contextlib import suppress
from hashlib import sha1
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.identity_map import guids, sheets
from accounts.domain.identity_map.decisions import Kind

PUBLISHED = json.loads((Path(__file__).parents[2] / "docs" / "identity-vectors.json").read_text(encoding="utf-8"))
TEXT = st.text(max_size=12)
PEOPLE = st.tuples(TEXT, TEXT, TEXT, st.integers(0, 3))


def by_hand(system: str, tenant: str, key: str, part: int) -> uuid.UUID:
    """The id as the page says it, with nothing of ours: SHA-1 of namespace and name, version and variant set."""
    fields = [system, tenant, key] + ([str(part)] if part else [])
    name = b"".join(str(len(field.encode())).encode() + b":" + field.encode() for field in fields)
    digest = bytearray(sha1(uuid.UUID(PUBLISHED["namespace"]).bytes + name, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return uuid.UUID(bytes=bytes(digest))


def test_the_namespace_is_the_published_one() -> None:
    assert str(guids.NAMESPACE) == PUBLISHED["namespace"]
    assert uuid.uuid5(uuid.NAMESPACE_URL, PUBLISHED["name_of_namespace"]) == guids.NAMESPACE


@pytest.mark.parametrize("vector", PUBLISHED["vectors"], ids=lambda vector: vector["guid"][:8])
def test_a_published_vector_holds(vector: dict[str, str]) -> None:
    fields = {name: vector[name] for name in ("system", "tenant", "key")}
    assert str(guids.guid(**fields, part=int(vector.get("part", 0)))) == vector["guid"]


@settings(max_examples=30)
@given(one=PEOPLE, other=PEOPLE)
def test_ids_are_alike_exactly_for_the_same_person(one: tuple[str, str, str, int], other: tuple[str, ...]) -> None:
    system, tenant, key, part = one
    found = guids.guid(system=system, tenant=tenant, key=key, part=part)
    assert found == by_hand(*one)
    system, tenant, key, part = other  # type: ignore[assignment]
    assert (found == guids.guid(system=system, tenant=tenant, key=key, part=part)) == (one == other)


HEADING = b"guid,state,decision,target\n"
SOMEBODY = b"e8ba17b6-1109-5ed4-80bb-5a8d036465fa"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "not in UTF-8"),
        (b"a\0b", "zero characters"),
        (b"guid,decision\n", "lacks state, target"),
        (b"", "lacks guid"),
        (HEADING + b'"' + b"x" * 200_000, "cannot be read as CSV"),
    ],
)
def test_what_is_no_such_file_is_refused_with_what_to_do(content: bytes, says: str) -> None:
    with pytest.raises(sheets.Unreadable, match=says) as refused:
        sheets.read(content)
    assert refused.value.flaw.fix


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (SOMEBODY + b",s,bury,\n", "decision"),
        (b"17,s,drop,\n", "guid"),
        (SOMEBODY + b",s,map,\n", "target"),
        (SOMEBODY + b",s,merge,\n", "target"),
        (SOMEBODY + b",s,split,a\n", "target"),
        (SOMEBODY + b",s,drop,a\n", "target"),
        (SOMEBODY + b",s,drop,\n" + SOMEBODY + b",s,drop,\n", "guid"),
    ],
)
def test_each_flaw_names_its_line_and_column(line: bytes, column: str) -> None:
    _, flaws = sheets.read(HEADING + b"\n" + line)
    assert [(flaw.line, flaw.column) for flaw in flaws] == [(2 + line.count(b"\n"), column)]


def test_a_file_that_decides_about_too_many_is_refused_however_long_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_DECIDED", 2)
    silent = b"\n".join(b"%s,s,," % str(uuid.uuid4()).encode() for _ in range(5))
    decided = [b"%s,s,drop," % str(uuid.uuid4()).encode() for _ in range(3)]
    heading = ",".join(sheets.READ).encode()
    assert len(sheets.read(b"\n".join([heading, silent, *decided[:2]]))[0]) == 2
    with pytest.raises(sheets.Unreadable) as refused:
        sheets.read(b"\n".join([heading, silent, *decided]))
    assert refused.value.flaw.message == "The file decides about more than 2 people."


@pytest.mark.parametrize("between", [b",", b";"])
def test_a_file_is_read_as_spreadsheets_write_it(between: bytes) -> None:
    row = [SOMEBODY, b"abc", b"Map", b'"\'=1+2"', b"Nobody"]
    content = (
        b"\xef\xbb\xbf"
        + between.join([b"GUID", b"state", b"decision", b"target", b"name"])
        + b"\r\n"
        + between.join(row)
    )
    lines, flaws = sheets.read(content)
    assert not flaws
    assert (lines[0].kind, lines[0].targets, lines[0].number) == (Kind.MAP, ("=1+2",), 2)


@settings(max_examples=50)
@given(st.binary(max_size=300), st.booleans())
def test_no_file_is_more_than_refused(content: bytes, has_heading: bool) -> None:
    with suppress(sheets.Unreadable):
        sheets.read(HEADING * has_heading + content)
