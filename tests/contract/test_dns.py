"""One promise, kept by the fake and by dnspython against real servers: recursive and authoritative-only."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from core.dns import MAX_CNAME_HOPS, DnsAnswer, DnsStatus
from core.ports import Dns
from core.tenancy import TransactionOpenError
from portal.adapters.dns import DnspythonDns
from portal.demo.dns import Fault, Record, Zones
from portal.demo.dns_server import Resolver, Server
from tests.fakes.dns import FakeDns
from tests.ports import free_port

HOST = "_crossing-challenge.airline.example"


class World:
    """A DNS to ask, and the zones behind it."""

    def __init__(self, dns: Dns, zones: Zones) -> None:
        self.dns, self.zones = dns, zones

    def publish(self, name: str, value: str, *, kind: str = "TXT", ttl: int = 60) -> None:
        self.zones.records.append(Record(name, kind, value, ttl))


class Known:
    """The zones that running servers read; each test brings its own."""

    zones = Zones()


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, DnspythonDns]]:
    """Run a recursive and an authoritative-only server for the whole module: stopping one takes half a second."""
    clients = {}
    with ExitStack() as running:
        for kind in ("recursive", "authoritative"):
            port = free_port()
            running.enter_context(Server(Resolver(lambda: Known.zones, chases=kind == "recursive"), port=port))
            clients[kind] = DnspythonDns(resolver=f"127.0.0.1:{port}", timeout=0.3, lifetime=0.7)
        yield clients


@pytest.fixture(params=["fake", "recursive", "authoritative"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Return an empty world of each kind."""
    Known.zones = FakeDns.zones = Zones(domains=["airline.example", "elsewhere.example"])
    if request.param == "fake":
        yield World(FakeDns(), FakeDns.zones)
    else:
        yield World(request.getfixturevalue("servers")[request.param], Known.zones)
    FakeDns.reset()


def test_a_published_value_is_found_with_its_ttl(world: World) -> None:
    world.publish(HOST, "token=abc", ttl=77)
    assert world.dns.txt(HOST) == DnsAnswer(DnsStatus.FOUND, values=("token=abc",), ttl=77)


def test_names_are_compared_without_case(world: World) -> None:
    world.publish(HOST, "token=abc")
    assert world.dns.txt(HOST.upper()).values == ("token=abc",)


def test_several_records_come_back_each(world: World) -> None:
    world.publish(HOST, "one")
    world.publish(HOST, "two")
    assert set(world.dns.txt(HOST).values) == {"one", "two"}


def test_a_long_value_is_joined_from_its_strings(world: World) -> None:
    world.publish(HOST, "x" * 255 + "y" * 255 + "z")
    assert world.dns.txt(HOST).values == ("x" * 255 + "y" * 255 + "z",)


def test_an_answer_too_long_for_a_datagram_arrives_whole(world: World) -> None:
    for number in range(12):
        world.publish(HOST, f"{number:03}" + "x" * 240)
    assert len(world.dns.txt(HOST).values) == 12


@pytest.mark.parametrize("value", ['"token=abc"', " token=abc ", "tökën=„ä”", ""])
def test_a_value_comes_back_as_published(world: World, value: str) -> None:
    world.publish(HOST, value)
    assert world.dns.txt(HOST).values == (value,)


def test_a_missing_name_says_how_long_its_absence_is_kept(world: World) -> None:
    assert world.dns.txt(HOST) == DnsAnswer(DnsStatus.NXDOMAIN, ttl=30)


def test_an_unregistered_domain_does_not_exist(world: World) -> None:
    assert world.dns.txt("_crossing-challenge.nobody.example").status is DnsStatus.NXDOMAIN


def test_a_name_without_txt_has_no_data(world: World) -> None:
    world.publish(f"below.{HOST}", "token=abc")
    assert world.dns.txt(HOST) == DnsAnswer(DnsStatus.NO_DATA, ttl=30)


def test_a_wildcard_answers_for_a_name_nobody_published(world: World) -> None:
    world.publish("*.airline.example", "v=spf1 -all")
    assert world.dns.txt(HOST).values == ("v=spf1 -all",)


@pytest.mark.parametrize("fault", list(Fault))
def test_an_outage_is_an_answer_not_an_error(world: World, fault: Fault) -> None:
    world.publish(HOST, "token=abc")
    world.zones.faults["airline.example"] = fault.value
    answer = world.dns.txt(HOST)
    assert answer == DnsAnswer(DnsStatus(fault.value))
    assert answer.status.is_outage


def test_an_alias_is_followed(world: World) -> None:
    world.publish(HOST, "challenge.elsewhere.example", kind="CNAME")
    world.publish("challenge.elsewhere.example", "token=abc")
    answer = world.dns.txt(HOST)
    assert (answer.status, answer.values) == (DnsStatus.FOUND, ("token=abc",))
    assert answer.cnames == ("challenge.elsewhere.example",)


@pytest.mark.parametrize("target", ["nothing.elsewhere.example", "nothing.nowhere.example"])
def test_an_alias_into_nothing_says_where_it_led(world: World, target: str) -> None:
    world.publish(HOST, target, kind="CNAME")
    answer = world.dns.txt(HOST)
    assert (answer.status, answer.cnames) == (DnsStatus.NXDOMAIN, (target,))


def chain(world: World, hops: int) -> DnsAnswer:
    names = [HOST, *(f"hop{number}.elsewhere.example" for number in range(hops))]
    for name, target in pairwise(names):
        world.publish(name, target, kind="CNAME")
    world.publish(names[-1], "token=abc")
    return world.dns.txt(HOST)


def test_a_chain_is_followed_as_far_as_allowed(world: World) -> None:
    answer = chain(world, MAX_CNAME_HOPS)
    assert answer.values == ("token=abc",)
    assert len(answer.cnames) == MAX_CNAME_HOPS


def test_a_longer_chain_is_given_up(world: World) -> None:
    assert chain(world, MAX_CNAME_HOPS + 1).status is DnsStatus.CNAME_LOOP


@pytest.mark.parametrize("back_to", [HOST, "one.elsewhere.example"])
def test_a_circle_is_given_up(world: World, back_to: str) -> None:
    world.publish(HOST, "one.elsewhere.example", kind="CNAME")
    world.publish("one.elsewhere.example", "two.elsewhere.example", kind="CNAME")
    world.publish("two.elsewhere.example", back_to, kind="CNAME")
    assert world.dns.txt(HOST).status is DnsStatus.CNAME_LOOP


def test_a_record_published_after_a_look_up_is_seen_at_once(world: World) -> None:
    assert world.dns.txt(HOST).status is DnsStatus.NXDOMAIN
    world.publish(HOST, "token=abc")
    assert world.dns.txt(HOST).status is DnsStatus.FOUND


@pytest.mark.parametrize("signed", [True, False])
def test_a_validating_resolver_on_loopback_is_believed(signed: bool) -> None:
    zones = Zones(domains=["airline.example"], records=[Record(HOST, "TXT", "token=abc")])
    with Server(Resolver(lambda: zones, validates=signed), port=(port := free_port())):
        assert DnspythonDns(resolver=f"127.0.0.1:{port}").txt(HOST).authenticated is signed


SERVED = (Record("airline.example", "NS", "ns.airline.example"), Record("ns.airline.example", "A", "127.0.0.1"))


@pytest.fixture(params=["fake", "real"])
def beside(request: pytest.FixtureRequest) -> Iterator[tuple[Dns, Zones]]:
    """Return a DNS whose caches keep what stood there before, and the zones that its own servers answer from."""
    own = Zones(domains=["airline.example"])
    if request.param == "fake":
        FakeDns.zones, FakeDns.own = Zones(domains=["airline.example"]), own
        yield FakeDns(), own
        FakeDns.reset()
        return
    stale = Zones(domains=["airline.example"], records=[*SERVED, Record(HOST, "TXT", "before")])
    port, source = free_port(), free_port()
    with Server(Resolver(lambda: stale), port=port), Server(Resolver(lambda: own, chases=False), port=source):
        yield (
            DnspythonDns(
                resolver=f"127.0.0.1:{port}", timeout=0.4, lifetime=0.8, source_port=source, loopback_ports=[source]
            ),
            own,
        )


def test_a_zones_own_servers_are_asked_past_every_cache(beside: tuple[Dns, Zones]) -> None:
    dns, own = beside
    own.records.append(Record(HOST, "TXT", "token=abc"))
    assert dns.source(HOST) == DnsAnswer(DnsStatus.FOUND, values=("token=abc",), ttl=60)
    assert dns.txt(HOST).values != ("token=abc",)
    own.records[:] = [Record(HOST, "CNAME", "there.elsewhere.example")]
    answer = dns.source(HOST)
    assert answer == DnsAnswer(DnsStatus.NO_DATA, cnames=("there.elsewhere.example",)), "an alias is not followed"


def test_a_zones_own_servers_are_asked_nothing_where_they_cannot_be_told(world: World) -> None:
    assert world.dns.source(HOST) is None


def test_a_name_server_inside_a_network_is_not_asked() -> None:
    asked: list[str] = []

    class Inside(Resolver):
        def resolve(self, request: Any, handler: Any) -> Any:
            asked.append(str(request.q.qname))
            return super().resolve(request, handler)

    zones, port = Zones(domains=["airline.example"]), free_port()
    with Server(Inside(lambda: zones), port=port):
        dns = DnspythonDns(resolver=f"127.0.0.1:{port}", timeout=0.4, lifetime=0.8, source_port=port)
        for place in ("127.0.0.1", "10.0.0.53", "169.254.169.254", "203.0.113.7"):
            zones.records[:] = [SERVED[0], Record("ns.airline.example", "A", place)]
            asked.clear()
            assert dns.source(HOST) is None
            assert asked.count(f"{HOST}.") == 1, "for the zone alone"


@pytest.mark.django_db
def test_no_question_is_asked_inside_a_transaction(world: World) -> None:
    with transaction.atomic(), pytest.raises(TransactionOpenError):
        world.dns.txt(HOST)


def test_a_server_that_is_gone_looks_like_a_timeout() -> None:
    dns = DnspythonDns(resolver=f"127.0.0.1:{free_port()}", timeout=0.2, lifetime=0.5)
    assert dns.txt(HOST).status is DnsStatus.TIMEOUT


@pytest.mark.parametrize("text", ["resolver.example", "127.0.0.1:dns", "[::1]:dns"])
def test_a_resolver_that_is_no_address_is_refused_at_start(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DNS_RESOLVER"):
        DnspythonDns(resolver=text)


@pytest.mark.parametrize("text", ["127.0.0.1", "127.0.0.1:5353", "[::1]:5353", "::1"])
def test_a_resolver_is_given_by_address_and_port(text: str) -> None:
    DnspythonDns(resolver=text)
