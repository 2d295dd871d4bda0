"""The canonical encoding does what docs/parity-encoding.md publishes, and no two records ever encode alike."""

import json
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
import rfc8785
from hypothesis import assume, given
from hypothesis import strategies as st

from parity_reports.domain import checksums, encoding
from parity_reports.domain.checksums import Bucket, Clue
from portal.house import state

VECTORS = json.loads((Path(state.CHECKOUT) / "docs/parity-vectors.json").read_text())
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def buckets(kinds, rows, *, key=0, of=1, code=""):
    found = [Bucket() for _ in range(of)]
    for row in rows:
        number, name = checksums.place(encoding.record([kinds[key]], [row[key]], code=code), of)
        found[number].add(digest=encoding.digest_of(encoding.record(kinds, row, code=code)), name=name)
    return found


def test_the_published_version_is_the_codes():
    assert VECTORS["encoding"] == encoding.VERSION


@pytest.mark.parametrize("vector", VECTORS["fields"], ids=lambda one: f"{one['kind']} {one['value']!r}"[:50])
def test_a_field_is_encoded_as_published(vector):
    assert encoding.field(vector["kind"], vector["value"]).decode() == vector["encoded"]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda one: f"{one['kind']} {one['value']!r}"[:50])
def test_what_is_none_of_its_kind_is_refused_without_repeating_it(vector):
    with pytest.raises(encoding.NotEncodable) as refusal:
        encoding.field(vector["kind"], vector["value"])
    assert len(vector["value"]) < 4 or vector["value"] not in str(refusal.value)


@pytest.mark.parametrize("vector", VECTORS["records"], ids=lambda one: one["digest"])
def test_a_record_is_encoded_and_digested_as_published(vector):
    encoded = encoding.record(vector["kinds"], vector["values"], code=vector["code"])
    assert encoded.decode() == vector["encoded"]
    assert str(encoding.digest_of(encoded)) == vector["digest"]


@pytest.mark.parametrize("vector", VECTORS["buckets"], ids=lambda one: str(len(one["buckets"])))
def test_buckets_are_summed_as_published(vector):
    found = buckets(
        vector["kinds"], vector["records"], key=vector["key"], of=len(vector["buckets"]), code=vector["code"]
    )
    assert checksums.told(one.sums for one in found) == vector["buckets"]
    assert checksums.read(vector["buckets"]) == found


@pytest.mark.parametrize(
    ("kind", "value", "as_text"),
    [
        ("boolean", True, "t"),
        ("integer", 7, "7"),
        ("decimal(2)", Decimal("1E+1"), "10.00"),
        ("float(9)", 1e-5, "0.00001"),
        ("date", date(2013, 2, 28), "2013-02-28"),
        ("time", time(7, 5), "07:05:00"),
        ("timestamp", datetime(2013, 1, 1, 5, tzinfo=timezone(timedelta(hours=5.5))), "2012-12-31 23:30:00+00"),
        ("interval", timedelta(days=1, seconds=-1), "23:59:59"),
        ("uuid", UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("bytes", b"\x00\xff", "\\x00ff"),
        ("json", {"b": [1.5, None], "a": "x"}, '{"a": "x", "b": [1.50, null]}'),
    ],
)
def test_a_drivers_value_and_its_text_in_an_export_encode_alike(kind, value, as_text):
    assert encoding.field(kind, value) == encoding.field(kind, as_text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("integer", True), ("number", None.__class__), ("text", 1), ("boolean", 2), ("date", datetime(2013, 1, 1)),  # noqa: DTZ001
     ("timestamp", date(2013, 1, 1)), ("interval", 5), ("bytes", "xyz!"), ("json", object()), ("json", math.nan)],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(kind, value):
    with pytest.raises(encoding.NotEncodable):
        encoding.field(kind, value)


def test_json_nested_beyond_all_measure_is_refused():
    with pytest.raises(encoding.NotEncodable):
        encoding.field("json", "[" * 100_000 + "]" * 100_000)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(json_values)
def test_json_is_what_rfc_8785_says(value):
    value = [value]  # the value None would be NULL; JSON's own null comes inside of something, or as text
    expected = rfc8785.dumps(value)
    assert encoding.field("json", value) == b"%d:%b" % (len(expected), expected)
    assert encoding.field("json", json.dumps(value)) == encoding.field("json", value)


def split(encoded: bytes) -> list[bytes | None]:
    """Take an encoded record apart again: whoever can do that cannot have taken two records for one."""
    fields: list[bytes | None] = []
    while encoded:
        if encoded[:1] == b"N":
            fields, encoded = [*fields, None], encoded[1:]
            continue
        length, _, rest = encoded.partition(b":")
        fields, encoded = [*fields, rest[: int(length)]], rest[int(length) :]
    return fields


texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("N:0123456789\"\\|' "), max_size=8)
KINDS = {
    "text": (texts, str),
    "integer": (st.integers(), int),
    "number": (st.decimals(allow_nan=False, allow_infinity=False), Decimal),
    "decimal(3)": (st.decimals(allow_nan=False, allow_infinity=False, places=3), Decimal),
    "boolean": (st.booleans(), lambda text: text == "1"),
    "date": (st.dates(), date.fromisoformat),
    "time": (st.times(), lambda text: (EPOCH + timedelta(microseconds=int(text))).time()),
    "timestamp": (st.datetimes(timezones=st.just(UTC)), lambda text: EPOCH + timedelta(microseconds=int(text))),
    "uuid": (st.uuids(), UUID),
    "bytes": (st.binary(max_size=6), bytes.fromhex),
    # Above 2**53 canonical JSON writes a double's shortest digits, which are not its exact ones.
    "json": (
        st.lists(json_values, max_size=2),
        partial(json.loads, parse_int=lambda text: int(text) if len(text) < 16 else float(text)),
    ),
}


@st.composite
def typed_rows(draw):
    kinds = draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=6))
    return kinds, [draw(st.none() | KINDS[kind][0]) for kind in kinds]


@given(typed_rows())
def test_every_encoding_can_be_read_back_so_no_two_records_encode_alike(typed):
    kinds, row = typed
    code, *fields = split(encoding.record(kinds, row, code="c"))
    assert code == b"c"
    typed_fields = zip(kinds, fields, strict=True)
    assert [None if field is None else KINDS[kind][1](field.decode()) for kind, field in typed_fields] == row


@given(st.lists(st.none() | texts, min_size=2, max_size=4), st.lists(st.none() | texts, min_size=2, max_size=4))
def test_rows_of_text_encode_alike_only_if_they_are_the_same(one, two):
    same = encoding.record(["text"] * len(one), one) == encoding.record(["text"] * len(two), two)
    assert same is (one == two)


@given(st.floats(-1e6, 1e6))
def test_a_double_is_rounded_to_its_declared_digits(value):
    assume(value or math.copysign(1, value) > 0)
    shown = int(encoding.field("float(9)", value).partition(b":")[2])
    assert abs(Decimal(shown).scaleb(-9) - Decimal(value)) < Decimal("1.01e-9")


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_real_is_the_same_by_its_own_digits_and_as_a_double(value):
    nine = format(value, ".9g")
    assert encoding.field("real(9)", nine) == encoding.field("real(9)", value)


rows = st.lists(st.tuples(st.integers(0, 50), st.none() | texts), max_size=40)


@given(rows, st.randoms(use_true_random=False), st.integers(1, 7))
def test_the_order_of_records_does_not_matter(some, random, of):
    shuffled = list(some)
    random.shuffle(shuffled)
    assert buckets(["integer", "text"], some, of=of) == buckets(["integer", "text"], shuffled, of=of)


@given(rows.filter(len), st.integers(1, 7))
def test_a_record_that_stands_twice_or_three_times_is_never_cancelled(some, of):
    once = buckets(["integer", "text"], some, of=of)
    for times in (1, 2):
        more = buckets(["integer", "text"], some + [some[0]] * times, of=of)
        assert [clue.kind for clue in checksums.clues(once, more)] == ["extra" if times == 1 else "several"]


distinct = st.dictionaries(st.integers(0, 500), st.none() | texts, min_size=1, max_size=60)


@given(distinct, st.integers(1, 5), st.data())
def test_one_record_changed_missing_or_added_in_a_bucket_is_solved_for(some, of, data):
    key = data.draw(st.sampled_from(sorted(some)))
    row = {key: some[key]}
    number, name = checksums.place(encoding.record(["integer"], [key]), of)
    whole, lacking, changed = (
        buckets(["integer", "text"], list(each.items()), of=of)
        for each in (some, {k: v for k, v in some.items() if k != key}, some | {key: (row[key] or "") + "!"})
    )
    assert checksums.clues(whole, lacking) == [Clue(number, "missing", name)]
    assert checksums.clues(lacking, whole) == [Clue(number, "extra", name)]
    assert checksums.clues(whole, changed) == [Clue(number, "changed", name)]
    assert checksums.clues(whole, whole) == []


def test_another_code_makes_other_digests():
    assert buckets(["integer"], [(1,)], code="a") != buckets(["integer"], [(1,)], code="b")


@pytest.mark.parametrize(("count", "of"), [(0, 1), (127, 1), (128, 2), (54_000, 843), (10**9, 1024)])
def test_buckets_hold_about_64_records_and_are_never_more_than_1024(count, of):
    assert checksums.buckets_for(count) == of
