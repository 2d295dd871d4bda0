"""Why a domain's proof is not there yet: what was found, what was expected, and what to do about it."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from accounts.domain.challenge import Challenge, parse_value
from core.dns import MAX_CNAME_HOPS, DnsAnswer, DnsStatus

QUOTES = "\"'“”„‘’`"
MOST_SHOWN = 5
LONGEST_SHOWN = 120


class Code(StrEnum):
    """One per cure."""

    MET = "met"
    NOT_IN_DNS = "not_in_dns"
    NOT_PUBLISHED = "not_published"
    NO_TXT = "no_txt"
    ZONE_TWICE = "zone_twice"
    AT_THE_APEX = "at_the_apex"
    SUPERSEDED = "superseded"  # an earlier token
    EXPIRED = "expired"
    QUOTED = "quoted"
    NO_PREFIX = "no_prefix"
    WILDCARD = "wildcard"
    WRONG_VALUE = "wrong_value"
    TIMEOUT = "timeout"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    CNAME_LOOP = "cname_loop"
    CNAME_DANGLES = "cname_dangles"
    HELD_ELSEWHERE = "held_elsewhere"


@dataclass(frozen=True)
class Observation:
    """Everything looked up for one check. The clues are asked for only when the challenge is not met; None = not asked.

    `twice` is the answer at the host with the zone appended once more, `apex` at the domain itself, `beside` at a
    sibling name that nobody published: only a wildcard answers there.
    """

    answer: DnsAnswer
    twice: DnsAnswer | None = None
    apex: DnsAnswer | None = None
    beside: DnsAnswer | None = None


@dataclass(frozen=True)
class Diagnosis:
    """The result of one check, in words for the person who edits the zone."""

    code: Code
    summary: str
    found: tuple[str, ...]
    expected: str
    fix: str = ""
    ttl: int | None = None

    @property
    def is_met(self) -> bool:
        """Whether the domain is proven."""
        return self.code is Code.MET


def diagnose(*, challenge: Challenge, earlier_tokens: tuple[str, ...], seen: Observation, on: date) -> Diagnosis:
    """Name the one thing to mend, the most specific first."""
    answer = seen.answer
    record = challenge.txt

    def result(code: Code, summary: str, fix: str = "", found: tuple[str, ...] | None = None) -> Diagnosis:
        shown = answer.values if found is None else found
        return Diagnosis(
            code=code,
            summary=summary,
            found=tuple(_shorten(value) for value in shown[:MOST_SHOWN]),
            expected=record.value,
            fix=fix,
            ttl=answer.ttl,
        )

    if challenge.is_met(answer=answer, on=on):
        return result(Code.MET, "The record is published.", found=answer.values or answer.cnames[:1])
    if seen.twice and challenge.is_met(answer=seen.twice, on=on):
        return result(
            Code.ZONE_TWICE,
            f"The record stands at {record.host}.{challenge.domain}: your provider added the domain a second time.",
            f"Rename the record's host to {record.label}, without the domain.",
            found=seen.twice.values,
        )
    if seen.apex and challenge.is_met(answer=seen.apex, on=on):
        return result(
            Code.AT_THE_APEX,
            f"The record stands at {challenge.domain} itself.",
            f"Move it to the host {record.label}.",
            found=seen.apex.values,
        )
    match answer.status:
        case DnsStatus.FOUND:
            code, summary, fix = _wrong_value(challenge, earlier_tokens, seen, on)
        case DnsStatus.NXDOMAIN | DnsStatus.NO_DATA if answer.cnames:
            code = Code.CNAME_DANGLES
            summary = f"{record.host} is an alias of {answer.cnames[-1]}, which has no TXT record."
            fix = f"Replace the CNAME at {record.host} by the TXT record below."
        case _:
            code, summary, fix = _no_record(challenge, seen)
    return result(code, summary, fix)


def held_elsewhere(met: Diagnosis) -> Diagnosis:
    """Turn a met challenge into the refusal that follows when another account has proven the same domain.

    Only somebody who has just shown to hold the domain learns this, and not who the other is.
    """
    return replace(
        met,
        code=Code.HELD_ELSEWHERE,
        summary="The record is right, but another account holds this domain.",
        fix="Ask whoever looks after that account in your organisation to release it, or write to support.",
    )


def _wrong_value(
    challenge: Challenge, earlier_tokens: tuple[str, ...], seen: Observation, on: date
) -> tuple[Code, str, str]:
    host, values = challenge.txt.host, seen.answer.values
    parsed = [found for found in map(parse_value, values) if found]
    replace = f"Replace its value by {challenge.txt.value}"
    if any(found.token == challenge.token and found.has_expired(on=on) for found in parsed):
        return Code.EXPIRED, "The record carries an expiry date that has passed.", f"{replace}, without expiry."
    if seen.beside and seen.beside.status is DnsStatus.FOUND and set(seen.beside.values) >= set(values):
        return (
            Code.WILDCARD,
            f"Only a wildcard answers there, as for any name of {challenge.domain}: the challenge is missing.",
            "Keep the wildcard if you need it, and add the TXT record below: the more specific name wins.",
        )
    if any(found.token in earlier_tokens for found in parsed):
        return Code.SUPERSEDED, "The record carries an earlier token, which no longer counts.", f"{replace}."
    if any(_unquoted(value) == challenge.txt.value for value in values if value != _unquoted(value)):
        return (
            Code.QUOTED,
            "The value is published with quotes or blanks as part of it.",
            "Enter the value without quotes and without blanks around it; your provider adds the quotes itself.",
        )
    if any(_unquoted(value) == challenge.token for value in values):
        return Code.NO_PREFIX, "The value is the bare token.", f"{replace}, with token= in front."
    return Code.WRONG_VALUE, f"There is a TXT record at {host}, but none with your token.", f"{replace}."


def _no_record(challenge: Challenge, seen: Observation) -> tuple[Code, str, str]:
    record = challenge.txt
    publish = f"Add a TXT record with host {record.label} and value {record.value} at your DNS provider."
    if seen.answer.status is DnsStatus.NXDOMAIN and seen.apex and seen.apex.status is DnsStatus.NXDOMAIN:
        return (
            Code.NOT_IN_DNS,
            f"{challenge.domain} does not exist in public DNS.",
            "Check the spelling. If you registered it lately, wait until your registrar has published it.",
        )
    servers = f"The name servers of {challenge.domain}"
    cases = {
        DnsStatus.NXDOMAIN: (Code.NOT_PUBLISHED, f"There is no record at {record.host} yet.", publish),
        DnsStatus.NO_DATA: (
            Code.NO_TXT,
            f"{record.host} exists, but it has no TXT record.",
            f"Check that the record's type is TXT. {publish}",
        ),
        DnsStatus.CNAME_LOOP: (
            Code.CNAME_LOOP,
            f"The aliases at {record.host} go in a circle or are more than {MAX_CNAME_HOPS} deep.",
            f"Remove the CNAME at {record.host} and publish the TXT record there instead.",
        ),
        DnsStatus.TIMEOUT: (
            Code.TIMEOUT,
            f"{servers} did not answer in time.",
            "Nothing to do if this passes: we check again by ourselves. If it lasts, ask your DNS provider.",
        ),
        DnsStatus.REFUSED: (
            Code.REFUSED,
            f"{servers} refused to answer.",
            "Ask your DNS provider whether the zone is served: an expired domain looks like this too.",
        ),
        DnsStatus.SERVFAIL: (
            Code.SERVFAIL,
            f"{servers} answered with a failure (SERVFAIL).",
            "This is often a broken DNSSEC signature: ask your DNS provider. We check again by ourselves.",
        ),
    }
    return cases[seen.answer.status]


def _unquoted(value: str) -> str:
    return value.strip().strip(QUOTES).strip()


def _shorten(value: str) -> str:
    """Keep a stranger's record from flooding the page."""
    printable = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in value)
    return printable if len(printable) <= LONGEST_SHOWN else printable[: LONGEST_SHOWN - 1] + "…"
