"""How far behind legacy something is, what counts, and how it is judged and told."""

from datetime import UTC, datetime, timedelta

import pytest

from backfills.domain import lag
from backfills.domain.lag import Lag, Reading
from core.findings import Outcome

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def one(entity: str, minutes: float | None, *, followed: bool = True) -> Lag:
    return Lag(entity, entity, None if minutes is None else AT - minutes * MINUTE, followed)


@pytest.mark.parametrize(
    ("minutes", "outcome"),
    [
        (None, Outcome.UNKNOWN),
        (-1, Outcome.PASS),
        (5, Outcome.PASS),
        (5.01, Outcome.WARN),
        (30, Outcome.WARN),
        (30.01, Outcome.BLOCK),
    ],
)
def test_the_rpo_passes_and_half_an_hour_blocks(minutes: float | None, outcome: Outcome) -> None:
    assert lag.outcome(one("flights", minutes).behind(at=AT)) is outcome


@pytest.mark.parametrize(
    ("version", "watermark", "arrived"),
    [
        ("", AT - MINUTE, AT),
        ("", None, AT),
        ("sha256:1", AT - MINUTE, AT - MINUTE),
        ("sha256:1", AT + MINUTE, AT),
        ("sha256:1", None, None),
    ],
    ids=["a server", "a server that is not followed", "a file", "a file whose clock is ahead", "a file without one"],
)
def test_what_has_arrived_is_what_there_was_when_it_was_read_and_of_a_file_what_it_tells_of(
    version: str, watermark: datetime | None, arrived: datetime | None
) -> None:
    assert lag.arrived(started_at=AT, source_version=version, watermark=watermark) == arrived
    assert lag.arrived(started_at=None, source_version=version, watermark=watermark) is None


def test_an_export_holds_everything_as_of_when_the_mapping_says_and_nothing_is_later_than_its_reading() -> None:
    known = {"started_at": AT, "source_version": "sha256:1", "watermark": AT - 9 * MINUTE}
    assert lag.arrived(**known, as_of=AT - MINUTE) == AT - MINUTE
    assert lag.arrived(**known, as_of=AT + MINUTE) == AT
    assert lag.arrived(started_at=AT, source_version="", watermark=None, as_of=AT - MINUTE) == AT, "a server is of now"


def test_frozen_is_what_was_read_since_and_stayed_the_same() -> None:
    file = [Reading(AT, "sha256:1", 3, 3), Reading(AT, "sha256:1", 3, 1)]
    assert lag.why_not_frozen(file) == ""
    other = lag.why_not_frozen([*file, Reading(AT, "sha256:2", 3, 0)])
    assert other == "legacy held other rows on 2026-11-26 than before"
    server = [Reading(AT, "", 3, 3), Reading(AT, "", 3, 0)]
    assert lag.why_not_frozen(server) == ""
    assert lag.why_not_frozen([*server, Reading(AT, "", 3, 1)])
    assert lag.why_not_frozen([*server, Reading(AT, "", 4, 0)])
    assert lag.why_not_frozen([]) == "they were last read before that"


def test_the_worst_is_what_nobody_knows_then_what_is_furthest_behind() -> None:
    known = [one("airports", 1), one("flights", 9), one("aircraft", 3)]
    assert lag.worst(known) == known[1]
    assert lag.worst([*known, one("types", None)]) == one("types", None)
    assert lag.worst([]) is None


def test_before_traffic_moves_only_what_can_be_caught_up_counts() -> None:
    lags = [one("airports", 1, followed=False), one("flights", 9)]
    assert lag.counted(lags, traffic_moves=False) == [lags[1]]
    assert lag.counted(lags, traffic_moves=True) == lags


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "1 minute"),
        (1.01, "2 minutes"),
        (119, "119 minutes"),
        (120, "2 hours"),
        (121, "3 hours"),
        (2880, "2 days"),
        (2881, "3 days"),
    ],
)
def test_how_far_is_rounded_up(minutes: float, words: str) -> None:
    assert lag.words(minutes * MINUTE) == words
