"""The DNS challenge: its records, what meets it, and the diagnosis of everything that does not."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain import challenge as challenges
from accounts.domain.challenge import Challenge
from accounts.domain.diagnosis import LONGEST_SHOWN, MOST_SHOWN, Code, Observation, diagnose, held_elsewhere
from core.dns import DnsAnswer, DnsStatus

TODAY = date(2026, 11, 22)
TOKEN = "a" * 32
EARLIER = "b" * 32
ASKED = Challenge(domain="jetblue.example", token=TOKEN, zone="dcv.crossing.example")
NXDOMAIN = DnsAnswer(DnsStatus.NXDOMAIN, ttl=300)
NO_DATA = DnsAnswer(DnsStatus.NO_DATA, ttl=300)


def found(*values: str) -> DnsAnswer:
    return DnsAnswer(DnsStatus.FOUND, values=values, ttl=60)


RIGHT = found(f"token={TOKEN}")


@given(st.binary(min_size=20, max_size=20))
def test_a_token_is_one_lower_case_dns_label_and_tells_its_bits_apart(bits: bytes) -> None:
    token = challenges.token_from(bits)
    assert len(token) == 32
    assert token.isalnum()
    assert token == token.lower()
    assert challenges.token_from(bytes([bits[0] ^ 1]) + bits[1:]) != token


def test_a_short_token_is_refused() -> None:
    with pytest.raises(ValueError, match="20 random bytes"):
        challenges.token_from(b"short")


def test_the_records_are_what_the_draft_asks_for() -> None:
    assert ASKED.txt.host == "_crossing-challenge.jetblue.example"
    assert ASKED.txt.label == "_crossing-challenge"
    assert ASKED.txt.value == f"token={TOKEN}"
    assert (ASKED.cname.kind, ASKED.cname.value) == ("CNAME", f"{TOKEN}.dcv.crossing.example")


@pytest.mark.parametrize(
    "answer",
    [
        RIGHT,
        found("v=spf1 -all", f"token={TOKEN}"),
        found(f"token={EARLIER}", f"token={TOKEN}"),
        found(f"token={TOKEN} expiry=2026-11-22"),
        replace(RIGHT, cnames=("challenges.dns.example",)),
        DnsAnswer(DnsStatus.NXDOMAIN, cnames=(f"{TOKEN}.DCV.crossing.example.",)),
        DnsAnswer(DnsStatus.NO_DATA, cnames=(f"{TOKEN}.dcv.crossing.example",)),
    ],
    ids=["alone", "among others", "beside the old", "last day", "through an alias", "by alias", "by alias to a node"],
)
def test_a_published_token_meets_the_challenge(answer: DnsAnswer) -> None:
    assert ASKED.met_by(answer=answer, on=TODAY)
    assert diagnose(challenge=ASKED, earlier_tokens=(), seen=Observation(answer), on=TODAY).code is Code.MET


@given(st.lists(st.text(max_size=60), max_size=4))
def test_nothing_but_the_token_meets_the_challenge(values: list[str]) -> None:
    assert ASKED.met_by(answer=DnsAnswer(DnsStatus.FOUND, values=tuple(values)), on=TODAY) is None


@given(st.integers(0, len(f"token={TOKEN}")), st.characters())
def test_one_character_more_does_not_meet_the_challenge(position: int, extra: str) -> None:
    right = f"token={TOKEN}"
    assert ASKED.met_by(answer=found(right[:position] + extra + right[position:]), on=TODAY) is None


TWICE = f"{ASKED.txt.host}.jetblue.example"
ALIASES = {Code.CNAME_LOOP, Code.CNAME_DANGLES}
CASES = {
    Code.NOT_IN_DNS: (Observation(NXDOMAIN, clues={ASKED.domain: NXDOMAIN}), "does not exist", "Check the spelling"),
    Code.NOT_PUBLISHED: (Observation(NXDOMAIN, clues={ASKED.domain: NO_DATA}), "no record at", "Add a TXT record with"),
    Code.NO_TXT: (Observation(NO_DATA), "no TXT record", "type is TXT"),
    Code.ZONE_TWICE: (Observation(NXDOMAIN, clues={TWICE: RIGHT}), "a second time", "without the domain"),
    Code.AT_THE_APEX: (Observation(NXDOMAIN, clues={ASKED.domain: RIGHT}), "at jetblue.example itself", "Move it"),
    Code.WRONG_HOST: (
        Observation(NXDOMAIN, clues={"www.jetblue.example": RIGHT}),
        "stands at www.jetblue.example, and belongs at _crossing-challenge.jetblue.example",
        "Move it to the host _crossing-challenge.",
    ),
    Code.PROPAGATING: (Observation(NXDOMAIN, source=RIGHT), "for up to 5 minutes", "Nothing to do"),
    Code.SUPERSEDED: (Observation(found(f"token={EARLIER}")), "earlier token", "Replace its value"),
    Code.EXPIRED: (Observation(found(f"token={TOKEN} expiry=2026-11-21")), "has passed", "without expiry"),
    Code.QUOTED: (Observation(found(f'"token={TOKEN}"')), "quotes", "without quotes"),
    Code.NO_PREFIX: (Observation(found(TOKEN)), "bare token", "token= in front"),
    Code.WILDCARD: (Observation(found("v=spf1"), beside=found("v=spf1")), "wildcard", "more specific name wins"),
    Code.WRONG_VALUE: (Observation(found("hello"), beside=NXDOMAIN), "none with your token", "Replace its value"),
    Code.TIMEOUT: (Observation(DnsAnswer(DnsStatus.TIMEOUT)), "in time", "check again by ourselves"),
    Code.SERVFAIL: (Observation(DnsAnswer(DnsStatus.SERVFAIL)), "SERVFAIL", "DNSSEC"),
    Code.REFUSED: (Observation(DnsAnswer(DnsStatus.REFUSED)), "refused", "DNS provider"),
    Code.CNAME_LOOP: (Observation(DnsAnswer(DnsStatus.CNAME_LOOP)), "circle", "Remove the CNAME"),
    Code.CNAME_DANGLES: (
        Observation(replace(NXDOMAIN, cnames=("x.example",))),
        "alias of x.example",
        "Point the alias at",
    ),
}


def test_every_diagnosis_but_success_has_a_case_here_or_in_the_files_tests() -> None:
    assert set(CASES) == {code for code in Code if not code.startswith("file_")} - {Code.MET, Code.HELD_ELSEWHERE}


def test_a_domain_held_elsewhere_is_said_without_naming_anyone() -> None:
    met = diagnose(challenge=ASKED, earlier_tokens=(), seen=Observation(RIGHT), on=TODAY)
    held = held_elsewhere(met)
    assert (held.code, held.is_met) == (Code.HELD_ELSEWHERE, False)
    assert held.summary == "The record is right, but another account holds this domain."
    assert "release" in held.fix


@pytest.mark.parametrize("code", CASES)
def test_each_failure_is_named_and_comes_with_its_fix(code: Code) -> None:
    seen, summary, fix = CASES[code]
    diagnosis = diagnose(challenge=ASKED, earlier_tokens=(EARLIER,), seen=seen, on=TODAY)
    assert diagnosis.code is code
    assert summary in diagnosis.summary
    assert fix in diagnosis.fix
    assert diagnosis.expected == (ASKED.cname.value if code in ALIASES else f"token={TOKEN}")
    assert not diagnosis.is_met


LONG = f"{TOKEN}.dcv.crossing.example"


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (replace(NXDOMAIN, cnames=(f"{LONG}.jetblue.example",)), Code.ZONE_TWICE, "Close the target with a dot"),
        (replace(NXDOMAIN, cnames=(f"{EARLIER}.dcv.crossing.example",)), Code.SUPERSEDED, "for up to 5 minutes"),
        (DnsAnswer(DnsStatus.SERVFAIL, cnames=("x.example",)), Code.SERVFAIL, "Point the alias at"),
    ],
    ids=["domain added to the target", "earlier token", "the target's servers fail"],
)
def test_a_wrong_alias_is_told_apart(answer: DnsAnswer, code: Code, words: str) -> None:
    found = diagnose(challenge=ASKED, earlier_tokens=(EARLIER,), seen=Observation(answer), on=TODAY)
    assert (found.code, found.found, found.expected) == (code, answer.cnames, LONG)
    assert words in found.fix


def test_a_name_below_a_registered_domain_is_entered_with_its_own_part() -> None:
    below = replace(ASKED, domain="ops.jetblue.example")
    assert below.txt.label == "_crossing-challenge.ops", "the provider adds jetblue.example"
    assert replace(ASKED, domain="ops.jetblue.co.uk").txt.label == "_crossing-challenge.ops"
    assert below.mistaken_hosts[0] == "_crossing-challenge.ops.jetblue.example.jetblue.example"
    assert "_crossing-challenge.jetblue.example" in below.mistaken_hosts, "who entered the label alone"


@pytest.mark.parametrize("day", ["20261231", "2026-W52-1", "2026-13-01", "2026-1-1", "", "2026-12-31 "])
def test_an_expiry_is_a_day_written_in_one_way(day: str) -> None:
    assert challenges.parse_value(f"token={TOKEN} expiry={day}") is None


GUIDE = (Path(__file__).parents[2] / "docs" / "domains.md").read_text(encoding="utf-8")
TOLD = [
    [part.strip() for part in line.split("|")[1].split("…")]
    for line in GUIDE.partition("## What the messages mean")[2].splitlines()
    if line.startswith("| ") and not line.startswith("| message")
]
"""The words of each message that the guide explains."""


@pytest.mark.parametrize("code", CASES)
def test_the_guide_explains_each_message(code: Code) -> None:
    seen, *_ = CASES[code]
    said = diagnose(challenge=ASKED, earlier_tokens=(EARLIER,), seen=seen, on=TODAY).summary
    assert any(all(part in said for part in parts) for parts in TOLD), said


@pytest.mark.parametrize(
    "value",
    [
        f"“token={TOKEN}”",
        f" token={TOKEN}",
        f"'token={TOKEN}'",
        f'" token={TOKEN} "',
        f"token={TOKEN}\t",
        f'token="{TOKEN}"',
    ],
)
def test_stray_quotes_and_blanks_are_recognised(value: str) -> None:
    diagnosis = diagnose(challenge=ASKED, earlier_tokens=(), seen=Observation(found(value)), on=TODAY)
    assert diagnosis.code is Code.QUOTED


@given(st.lists(st.text(), max_size=40))
def test_what_a_stranger_publishes_cannot_flood_the_page(values: list[str]) -> None:
    answer = DnsAnswer(DnsStatus.FOUND, values=tuple(values))
    diagnosis = diagnose(challenge=ASKED, earlier_tokens=(), seen=Observation(answer), on=TODAY)
    assert len(diagnosis.found) <= MOST_SHOWN
    assert all(len(value) <= LONGEST_SHOWN and value.isprintable() for value in diagnosis.found)
