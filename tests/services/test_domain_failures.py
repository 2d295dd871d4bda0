"""Every way in which DNS fails a customer, served on loopback over UDP and TCP: cause, words and the next check."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.challenge import Challenge
from accounts.domain.diagnosis import LONGEST_SHOWN, Code, Diagnosis, Observation, diagnose
from accounts.models import Domain
from accounts.services import domains
from core import tenancy
from portal.adapters.dns import DnspythonDns
from portal.demo.dns import Record, Zones
from portal.demo.dns_server import Resolver, Server
from tests import make
from tests.ports import free_port

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ZONE = "airline.example"
HOST = f"_crossing-challenge.{ZONE}"
OLD = "b" * 32
OURS = "dcv.localhost"


class Known:
    """What the servers answer: the caches of the world, and the zone's own; each test brings its own."""

    world = Zones()
    own = Zones()


@pytest.fixture(scope="module")
def options() -> Iterator[dict[str, Any]]:
    with ExitStack() as running:
        port, source = free_port(), free_port()
        running.enter_context(Server(Resolver(lambda: Known.world), port=port))
        running.enter_context(Server(Resolver(lambda: Known.own, chases=False), port=source))
        here = {"resolver": f"127.0.0.1:{port}", "source_port": source, "loopback_ports": [source]}
        yield {**here, "timeout": 0.3, "lifetime": 0.6}


@pytest.fixture
def claimed(options: dict[str, Any], settings: Any) -> Iterator[Domain]:
    """Claim the domain; it was asked for a new token once."""
    adapter = {"BACKEND": "portal.adapters.dns.DnspythonDns", "OPTIONS": options}
    settings.ADAPTERS = {**settings.ADAPTERS, "dns": adapter}
    settings.DOMAIN_CONTROL_ZONE = OURS
    served = [Record(ZONE, "NS", f"ns.{ZONE}"), Record(f"ns.{ZONE}", "A", "127.0.0.1")]
    Known.world, Known.own = Zones([ZONE, "elsewhere.example"], served), Zones([ZONE])
    tenant = make.tenant("Airline")
    by = make.actor(make.member(tenant))
    with tenancy.scope(tenant_id=tenant.pk):
        domain = domains.claim(tenant_id=tenant.pk, typed=ZONE, by=by, at=AT)
        Domain.objects.update(earlier_tokens=[OLD])
        domain.refresh_from_db()
        yield domain


def check(domain: Domain, *, after: timedelta = timedelta(minutes=2)) -> Diagnosis:
    by = make.SYSTEM
    return domains.check(domain=domain, by=by, at=AT + after)


@dataclass(frozen=True)
class Case:
    """One failure: how DNS stands, and what the customer is told. `{token}` is the domain's."""

    code: Code
    summary: str
    fix: str
    records: list[tuple[str, str, str]] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    expected: str = "token={token}"
    ttl: int | None = 30
    fault: str = ""
    own: list[tuple[str, str, str]] = field(default_factory=list)
    gone: bool = False


RIGHT = "token={token}"
TARGET = "{token}." + OURS
LOOP = [(HOST, "CNAME", "one.elsewhere.example"), ("one.elsewhere.example", "CNAME", HOST)]
CASES = {
    "zone appended twice": Case(
        Code.ZONE_TWICE, f"The record stands at {HOST}.{ZONE}: your provider added the domain a second time.",
        "Rename the record's host to _crossing-challenge, without the domain.",
        [(f"{HOST}.{ZONE}", "TXT", RIGHT)], [RIGHT], ttl=60,
    ),
    "zone appended to an alias's target": Case(
        Code.ZONE_TWICE, "your provider added your domain to its target", "Close the target with a dot",
        [(HOST, "CNAME", f"{TARGET}.{ZONE}")], [f"{TARGET}.{ZONE}"], TARGET,
    ),
    "value in quotes": Case(
        Code.QUOTED, "quotes or blanks as part of it", "without quotes", [(HOST, "TXT", f'"{RIGHT}"')],
        [f'"{RIGHT}"'], ttl=60,
    ),
    "at the apex": Case(
        Code.AT_THE_APEX, f"The record stands at {ZONE} itself.", "Move it to the host _crossing-challenge.",
        [(ZONE, "TXT", RIGHT)], [RIGHT], ttl=60,
    ),
    "at www": Case(
        Code.WRONG_HOST, f"The record stands at www.{ZONE}, and belongs at {HOST}.", "Move it to the host",
        [(f"www.{ZONE}", "TXT", RIGHT)], [RIGHT], ttl=60,
    ),
    "without the underscore": Case(
        Code.WRONG_HOST, f"The record stands at crossing-challenge.{ZONE}", "Move it to the host",
        [(f"crossing-challenge.{ZONE}", "TXT", RIGHT)], [RIGHT], ttl=60,
    ),
    "old token": Case(
        Code.SUPERSEDED, "an earlier token", "name servers keep the former answer for up to 60 seconds.",
        [(HOST, "TXT", f"token={OLD}")], [f"token={OLD}"], ttl=60,
    ),
    "alias to an old token": Case(
        Code.SUPERSEDED, "The alias leads to an earlier token", "Point it at {token}." + OURS,
        [(HOST, "CNAME", f"{OLD}.{OURS}")], [f"{OLD}.{OURS}"], TARGET, ttl=None,
    ),
    "expired": Case(
        Code.EXPIRED, "an expiry date that has passed", "without expiry",
        [(HOST, "TXT", f"{RIGHT} expiry=2026-11-21")], [f"{RIGHT} expiry=2026-11-21"], ttl=60,
    ),
    "bare token": Case(
        Code.NO_PREFIX, "the bare token", "with token= in front", [(HOST, "TXT", "{token}")], ["{token}"], ttl=60
    ),
    "something else": Case(
        Code.WRONG_VALUE, "none with your token", "Replace its value by token={token}.",
        [(HOST, "TXT", "v=spf1 -all")], ["v=spf1 -all"], ttl=60,
    ),
    "wildcard": Case(
        Code.WILDCARD, "Only a wildcard answers there", "the more specific name wins",
        [(f"*.{ZONE}", "TXT", "v=spf1 -all")], ["v=spf1 -all"], ttl=60,
    ),
    "NXDOMAIN": Case(Code.NOT_PUBLISHED, f"There is no record at {HOST} yet.", "Add a TXT record with host"),
    "not registered": Case(
        Code.NOT_IN_DNS, f"{ZONE} does not exist in public DNS.", "Check the spelling.", ttl=None, gone=True
    ),
    "no data": Case(
        Code.NO_TXT, f"{HOST} exists, but it has no TXT record.", "type is TXT", [(f"x.{HOST}", "TXT", "y")]
    ),
    "SERVFAIL": Case(Code.SERVFAIL, "(SERVFAIL)", "DNSSEC", ttl=None, fault="servfail"),
    "REFUSED": Case(Code.REFUSED, "refused to answer", "an expired domain looks like this", ttl=None, fault="refused"),
    "timeout": Case(Code.TIMEOUT, "did not answer in time", "we check again", ttl=None, fault="timeout"),
    "CNAME loop": Case(
        Code.CNAME_LOOP, "go in a circle", f"Remove the CNAME at {HOST}", LOOP, expected=TARGET, ttl=None
    ),
    "dangling alias": Case(
        Code.CNAME_DANGLES, f"{HOST} is an alias of x.elsewhere.example", "Point the alias at {token}." + OURS,
        [(HOST, "CNAME", "x.elsewhere.example")], ["x.elsewhere.example"], TARGET,
    ),
    "propagation": Case(
        Code.PROPAGATING, "others still keep what stood there before for up to 30 seconds.", "Nothing to do",
        own=[(HOST, "TXT", RIGHT)],
    ),
    "propagation of a new value": Case(
        Code.PROPAGATING, "others still keep what stood there before for up to 60 seconds.", "Nothing to do",
        [(HOST, "TXT", f"token={OLD}")], [f"token={OLD}"], ttl=60, own=[(HOST, "TXT", RIGHT)],
    ),
    "propagation of an alias": Case(
        Code.PROPAGATING, "Your own name servers have the right record", "Nothing to do",
        expected=TARGET, own=[(HOST, "CNAME", TARGET)],
    ),
}  # fmt: skip


def serve(case: Case, token: str) -> None:
    for zones, records in ((Known.world, case.records), (Known.own, case.own)):
        zones.records += [Record(name, kind, value.format(token=token)) for name, kind, value in records]
    if case.fault:
        Known.world.faults[ZONE] = case.fault
    if case.gone:
        Known.world.domains.clear()
        Known.world.records.clear()


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_each_failure_names_its_cause_its_fix_and_the_next_check(claimed: Domain, case: Case) -> None:
    serve(case, claimed.token)
    said = check(claimed)

    def worded(text: str) -> str:
        return text.format(token=claimed.token)

    assert said.code is case.code
    assert worded(case.summary) in said.summary
    assert worded(case.fix) in said.fix
    if case.code is not Code.CNAME_LOOP:  # how far around it was followed is not the customer's concern
        assert said.found == tuple(map(worded, case.found))
    assert said.expected == worded(case.expected)
    assert said.ttl == case.ttl
    assert claimed.next_check_at == AT + timedelta(minutes=5)
    assert not claimed.is_verified
    assert claimed.failed_at is None


@pytest.mark.parametrize(
    "records",
    [
        [(HOST, "TXT", RIGHT)],
        [(HOST, "TXT", "x" * 600), (HOST, "TXT", f"{RIGHT} expiry=2026-11-22"), (HOST, "TXT", "v=spf1")],
        [(HOST, "CNAME", TARGET)],
        [(HOST, "CNAME", "one.elsewhere.example"), ("one.elsewhere.example", "TXT", RIGHT)],
        [(HOST, "CNAME", "one.elsewhere.example"), ("one.elsewhere.example", "CNAME", TARGET)],
        [*((HOST, "TXT", f"{number:02}" + "y" * 240) for number in range(9)), (HOST, "TXT", RIGHT)],
    ],
    ids=["TXT", "among others", "alias", "alias to a TXT", "alias of an alias", "over TCP"],
)
def test_each_form_of_the_proof_counts(claimed: Domain, records: list[tuple[str, str, str]]) -> None:
    serve(Case(Code.MET, "", "", records), claimed.token)
    assert check(claimed).code is Code.MET
    assert claimed.is_verified
    assert claimed.next_check_at is None


@pytest.mark.parametrize(
    ("after", "due"),
    [
        (timedelta(seconds=30), timedelta(minutes=1)),
        (timedelta(minutes=16), timedelta(hours=1)),
        (timedelta(hours=5, minutes=3), timedelta(hours=6)),
        (timedelta(hours=71, minutes=59), timedelta(hours=72)),
        (timedelta(hours=73), timedelta(days=4)),
        (timedelta(days=29, hours=1), timedelta(days=30)),
    ],
)
def test_the_next_check_follows_the_cadence(claimed: Domain, after: timedelta, due: timedelta) -> None:
    check(claimed, after=after)
    assert claimed.next_check_at == AT + due


TEXTS = st.text(st.characters(codec="utf-8"), max_size=300)
NEAR: list[Callable[[str], str]] = [
    lambda token: f"token={token} expiry=2026-11-21", lambda token: f"token = {token}", lambda token: token.upper(),
    lambda token: f"token={token}\n", lambda token: f"token={token};", lambda token: f"token={token[:-1]}",
    lambda token: f"TOKEN={token}", lambda token: f"token={token}token={token}",
]  # fmt: skip


@given(st.lists(TEXTS | st.sampled_from(NEAR), min_size=1, max_size=4))
def test_whatever_a_record_holds_it_is_told_short_and_proves_nothing(options: Any, values: list[Any]) -> None:
    token = "a" * 32
    asked = Challenge(ZONE, token, OURS)
    written = [value if isinstance(value, str) else value(token) for value in values]
    Known.world = Zones([ZONE], [Record(HOST, "TXT", value) for value in dict.fromkeys(written)])
    answer = DnspythonDns(**{**options, "timeout": 2.0, "lifetime": 4.0}).txt(HOST)
    assert set(answer.values) == set(written), "as published, however many strings it takes"
    said = diagnose(challenge=asked, earlier_tokens=(OLD,), seen=Observation(answer), on=AT.date())
    assert not said.is_met
    assert all(len(value) <= LONGEST_SHOWN and value.isprintable() for value in said.found)
