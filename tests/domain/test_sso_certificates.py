"""What new metadata do to the certificates that are trusted, and when people hear of an end: pure decisions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain import certificates, connections
from accounts.domain.certificates import Difference, Held, Reason, Source
from core.saml import ProviderMetadata, SigningCertificate

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
YEAR = timedelta(days=365)


def held(name: str, **other: object) -> Held:
    return replace(Held(name, Source.ADDRESS, AT - YEAR, AT + YEAR), **other)


def listed(name: str, *, ends: timedelta = YEAR) -> SigningCertificate:
    return SigningCertificate("der", name, f"CN={name}", AT - YEAR, AT + ends)


def test_a_new_certificate_stands_beside_the_old_one() -> None:
    assert certificates.compare([held("A")], [listed("A"), listed("B")], at=AT) == Difference(added=("B",))
    assert certificates.compare([held("A")], [listed("B")], at=AT) == Difference(added=("B",), missing=("A",))


def test_one_that_is_gone_is_let_go_after_three_readings_if_it_signs_no_more() -> None:
    gone = held("A", missed=2, missing_since=AT - timedelta(days=2))
    other = held("B")
    assert certificates.compare([gone, other], [listed("B")], at=AT).retired == ("A",)
    early = replace(gone, missed=1)
    assert certificates.compare([early, other], [listed("B")], at=AT).missing == ("A",)
    signs = replace(gone, signed_at=AT - timedelta(days=1))
    assert certificates.compare([signs, other], [listed("B")], at=AT) == Difference(missing=("A",))
    signed_before = replace(gone, signed_at=AT - timedelta(days=3))
    assert certificates.compare([signed_before, other], [listed("B")], at=AT).retired == ("A",)


def test_nothing_is_let_go_while_no_other_in_date_is_listed() -> None:
    gone = held("A", missed=9, missing_since=AT - timedelta(days=9))
    assert certificates.compare([gone, held("B")], [listed("B", ends=-timedelta(days=1))], at=AT).retired == ()
    refused = held("B", retired=Reason.PERSON)
    assert certificates.compare([gone, refused], [listed("B")], at=AT) == Difference(missing=("A",))


def test_a_persons_word_stands_against_the_metadata() -> None:
    by_hand = held("A", source=Source.HAND, missed=0)
    assert certificates.compare([by_hand, held("B")], [listed("B")], at=AT) == Difference()
    refused = held("B", retired=Reason.PERSON)
    assert certificates.compare([held("A"), refused], [listed("A"), listed("B")], at=AT) == Difference()
    let_go = held("B", retired=Reason.GONE)
    assert certificates.compare([held("A"), let_go], [listed("A"), listed("B")], at=AT).added == ("B",)


def test_one_that_is_listed_again_is_as_before() -> None:
    gone = held("A", missed=2, missing_since=AT)
    assert certificates.compare([gone], [listed("A")], at=AT) == Difference(back=("A",))


states = st.builds(
    lambda name, source, retired, missed, ends, signed: Held(
        name,
        source,
        AT - YEAR,
        AT + timedelta(days=ends),
        retired,
        missed,
        AT - timedelta(days=missed) if missed else None,
        AT - timedelta(days=signed) if signed is not None else None,
    ),
    st.sampled_from("ABCDE"),
    st.sampled_from(Source),
    st.sampled_from([None, None, *Reason]),
    st.integers(0, 5),
    st.integers(-10, 400),
    st.none() | st.integers(0, 9),
)


@given(st.lists(states, max_size=5, unique_by=lambda each: each.fingerprint), st.lists(st.sampled_from("ABCDEFG")))
def test_no_reading_takes_the_last_certificate_away(now: list[Held], names: list[str]) -> None:
    """Whatever the metadata say: a connection with a certificate in date has one in date afterwards."""
    found = [listed(name) for name in names]
    change = certificates.compare(now, found, at=AT)
    trusted = {each.fingerprint for each in now if each.retired is None}
    in_date = {each.fingerprint for each in now if each.retired is None and each.is_in_date(at=AT)}
    after = (trusted - set(change.retired)) | set(change.added)
    ends_well = {each.fingerprint for each in found} & after
    if in_date:
        assert in_date & after or ends_well
    assert not set(change.retired) & set(names)
    assert set(change.retired) <= trusted


@pytest.mark.parametrize(
    ("days_left", "warned", "due"),
    [(31, None, None), (30, None, 30), (15, None, 30), (14, 30, 14), (14, 14, None), (5, 30, 7), (1, 7, 1),
     (0.5, 1, None), (0, 7, None), (-3, None, None)],
)  # fmt: skip
def test_each_step_before_the_end_is_told_of_once(days_left: float, warned: int | None, due: int | None) -> None:
    assert certificates.warning(ends_at=AT + timedelta(days=days_left), warned=warned, at=AT) == due


def test_how_a_certificate_stands() -> None:
    said = {
        "trusted": held("A"),
        "ending": held("A", not_after=AT + timedelta(days=30)),
        "ended": held("A", not_after=AT),
        "coming": held("A", not_before=AT + timedelta(days=1)),
        "retired": held("A", retired=Reason.GONE),
    }
    assert {certificates.standing(each, at=AT) for each in said.values()} == set(said)
    assert all(certificates.standing(each, at=AT) == name for name, each in said.items())


def test_failed_readings_are_repeated_soon_and_then_daily() -> None:
    hours = [(connections.next_reading_at(failures=count, at=AT) - AT) / timedelta(hours=1) for count in range(5)]
    assert hours == [24, 1, 4, 24, 24]


def test_metadata_come_back_from_plain_as_they_went() -> None:
    metadata = ProviderMetadata("https://idp.example", "https://idp.example/sso", (listed("A"), listed("B")))
    assert connections.from_plain(connections.to_plain(metadata)) == metadata
    fewer = replace(metadata, certificates=metadata.certificates[:1])
    assert connections.digest(fewer) != connections.digest(metadata)
