"""Why a domain's proof is not there yet: what was found, what was expected, and what to do about it."""

from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from accounts.domain.challenge import Challenge, Via, parse_value
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
    WRONG_HOST = "wrong_host"
    PROPAGATING = "propagating"  # the zone's own servers have it, caches elsewhere not yet
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
    FILE_MISSING = "file_missing"
    FILE_WRONG = "file_wrong"
    FILE_MOVED = "file_moved"  # a redirect to another host
    FILE_UNREACHABLE = "file_unreachable"


@dataclass(frozen=True)
class Observation:
    """Everything looked up for one check. The clues are asked for only when the challenge is not met; None = not asked.

    `source` is what the zone's own name servers say, `clues` what stands at each host where people publish by mistake,
    `beside` the answer at a sibling name that nobody published: only a wildcard answers there.
    """

    answer: DnsAnswer
    source: DnsAnswer | None = None
    clues: dict[str, DnsAnswer] = field(default_factory=dict)
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
    via: Via | None = None

    @property
    def is_met(self) -> bool:
        """Whether the domain is proven."""
        return self.code is Code.MET


def diagnose(*, challenge: Challenge, earlier_tokens: tuple[str, ...], seen: Observation, on: date) -> Diagnosis:
    """Name the one thing to mend in DNS, the most specific first."""
    answer = seen.answer
    if via := challenge.met_by(answer=answer, on=on):
        found = answer.values if via is Via.TXT else answer.cnames
        expected = challenge.txt.value if via is Via.TXT else challenge.cname.value
        return result(Code.MET, "The record is published.", found, expected, ttl=answer.ttl, via=via)
    if seen.source is not None and (via := challenge.met_by(answer=seen.source, on=on)):
        return result(
            Code.PROPAGATING,
            f"Your own name servers have the right record; others still keep what stood there before{_for(answer)}.",
            answer.values,
            challenge.txt.value if via is Via.TXT else challenge.cname.value,
            "Nothing to do: leave the record as it is. We check again by ourselves.",
            ttl=answer.ttl,
        )
    for host, clue in seen.clues.items():
        if challenge.met_by(answer=clue, on=on):
            return _misplaced(challenge, host, clue)
    if answer.status is DnsStatus.CNAME_LOOP or (answer.cnames and answer.status is not DnsStatus.FOUND):
        code, summary, fix = _wrong_alias(challenge, earlier_tokens, answer)
        return result(code, summary, answer.cnames, challenge.cname.value, fix, ttl=answer.ttl)
    if answer.status is DnsStatus.FOUND:
        code, summary, fix = _wrong_value(challenge, earlier_tokens, seen, on)
    else:
        code, summary, fix = _no_record(challenge, seen)
    return result(code, summary, answer.values, challenge.txt.value, fix, ttl=answer.ttl)


def result(
    code: Code,
    summary: str,
    found: tuple[str, ...],
    expected: str,
    fix: str = "",
    *,
    ttl: int | None = None,
    via: Via | None = None,
) -> Diagnosis:
    """Return a diagnosis that shows no more of a stranger's words than a page has room for."""
    shown = tuple(_shorten(value) for value in found[:MOST_SHOWN])
    return Diagnosis(code=code, summary=summary, found=shown, expected=expected, fix=fix, ttl=ttl, via=via)


def held_elsewhere(met: Diagnosis) -> Diagnosis:
    """Turn a met challenge into the refusal that follows when another account has proven the same domain.

    Only somebody who has just shown to hold the domain learns this, and not who the other is.
    """
    return replace(
        met,
        code=Code.HELD_ELSEWHERE,
        summary="The record is right, but another account holds this domain.",
        fix="Ask whoever looks after that account in your organisation to release it; or ask us to hand it over.",
        via=None,
    )


def _misplaced(challenge: Challenge, host: str, clue: DnsAnswer) -> Diagnosis:
    """Say where the record stands instead."""
    record = challenge.txt
    move, found = f"Move it to the host {record.label}.", clue.values or clue.cnames
    if host.startswith(f"{record.host}."):
        code, summary = Code.ZONE_TWICE, f"The record stands at {host}: your provider added the domain a second time."
        move = f"Rename the record's host to {record.label}, without the domain."
    elif host == challenge.domain:
        code, summary = Code.AT_THE_APEX, f"The record stands at {challenge.domain} itself."
    else:
        code, summary = Code.WRONG_HOST, f"The record stands at {host}, and belongs at {record.host}."
    return result(code, summary, found, record.value if clue.values else challenge.cname.value, move, ttl=clue.ttl)


def _wrong_alias(challenge: Challenge, earlier_tokens: tuple[str, ...], answer: DnsAnswer) -> tuple[Code, str, str]:
    """Say what is wrong with an alias that leads to no TXT record."""
    right, host = challenge.cname.value, challenge.cname.host
    if answer.status is DnsStatus.CNAME_LOOP:
        return (
            Code.CNAME_LOOP,
            f"The aliases at {host} go in a circle or are more than {MAX_CNAME_HOPS} deep.",
            f"Remove the CNAME at {host} and publish the TXT record there instead.",
        )
    target = answer.cnames[-1]
    if answer.status.is_outage:
        return (
            Code(answer.status.value),
            f"{host} is an alias of {target}, whose name servers did not answer ({answer.status.value.upper()}).",
            f"Point the alias at {right}, or replace it by the TXT record.",
        )
    if answer.cnames[0].startswith(f"{right}."):
        return (
            Code.ZONE_TWICE,
            f"The alias leads to {answer.cnames[0]}: your provider added your domain to its target.",
            f"Close the target with a dot, as {right}. with nothing behind it, or publish the TXT record instead.",
        )
    if any(answer.cnames[0] == f"{token}.{challenge.zone}" for token in earlier_tokens):
        return (
            Code.SUPERSEDED,
            "The alias leads to an earlier token, which no longer counts.",
            f"Point it at {right}. If you have done that already, name servers keep the former answer{_for(answer)}.",
        )
    return (
        Code.CNAME_DANGLES,
        f"{host} is an alias of {target}, which has no TXT record.",
        f"Point the alias at {right}, or replace it by the TXT record.",
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
        return (
            Code.SUPERSEDED,
            "The record carries an earlier token, which no longer counts.",
            f"{replace}. If you have done that already, name servers keep the former answer{_for(seen.answer)}.",
        )
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
    record, apex = challenge.txt, seen.clues.get(challenge.domain)
    publish = f"Add a TXT record with host {record.label} and value {record.value} at your DNS provider."
    if seen.answer.status is DnsStatus.NXDOMAIN and apex is not None and apex.status is DnsStatus.NXDOMAIN:
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


def _for(answer: DnsAnswer) -> str:
    """Say how long caches keep an answer, if it says so."""
    if answer.ttl is None:
        return ""
    amount, unit = (answer.ttl, "second") if answer.ttl < 120 else (round(answer.ttl / 60), "minute")
    return f" for up to {amount:,} {unit}{'' if amount == 1 else 's'}"


def _unquoted(value: str) -> str:
    return "".join(character for character in value if character not in QUOTES).strip()


def _shorten(value: str) -> str:
    """Keep a stranger's record from flooding the page."""
    printable = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in value)
    return printable if len(printable) <= LONGEST_SHOWN else printable[: LONGEST_SHOWN - 1] + "…"
