"""The demo's DNS from end to end: what is published at the provider's console is what the portal's adapter finds."""

import http.client
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from core.dns import DnsStatus
from portal.adapters.dns import DnspythonDns
from portal.demo.dns import ZoneFile
from portal.demo.dns_console import Console
from portal.demo.dns_server import Resolver, Server
from tests.ports import free_port
from tests.serving import serving

HOST = "_crossing-challenge.jetblue.example"


@dataclass
class Provider:
    """The provider's page, as a browser uses it."""

    port: int
    dns: DnspythonDns
    file: ZoneFile

    def get(self, path: str = "/", host: str = "127.0.0.1") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("GET", path, headers={"Host": f"{host}:{self.port}"})
        response = connection.getresponse()
        return response.status, response.read().decode()

    def post(self, action: str, **given: str) -> int:
        match = re.search(r'name="token" value="([^"]+)"', self.get()[1])
        assert match
        body = urlencode({"token": match[1], "domain": "jetblue.example"} | given)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("POST", f"/{action}", body, {"Content-Type": "application/x-www-form-urlencoded"})
        return connection.getresponse().status


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    file, port, console_port = ZoneFile(tmp_path_factory.mktemp("dns") / "dns.json"), free_port(), free_port()
    with Server(Resolver(file.read), port=port), serving(Console(file, port=console_port)):
        yield Provider(console_port, DnspythonDns(resolver=f"127.0.0.1:{port}", timeout=0.3, lifetime=0.7), file)


@pytest.fixture
def provider(running: Provider) -> Provider:
    with running.file.edit() as zones:
        zones.domains, zones.records, zones.faults = ["jetblue.example"], [], {}
    return running


def test_a_record_published_by_hand_is_found_and_its_removal_too(provider: Provider) -> None:
    assert provider.dns.txt(HOST).status is DnsStatus.NXDOMAIN
    assert provider.post("publish", kind="TXT", host="_crossing-challenge", value="token=abc") == 303
    assert provider.dns.txt(HOST).values == ("token=abc",)
    assert HOST in provider.get()[1]
    provider.post("withdraw", name=HOST, kind="TXT", value="token=abc")
    assert provider.dns.txt(HOST).status is DnsStatus.NXDOMAIN


def test_the_provider_adds_the_domain_by_itself_as_many_do(provider: Provider) -> None:
    provider.post("publish", kind="TXT", host=HOST, value="token=abc")
    assert provider.dns.txt(f"{HOST}.jetblue.example").values == ("token=abc",)


@pytest.mark.parametrize("host", ["", "@"])
def test_a_record_at_the_domain_itself(provider: Provider, host: str) -> None:
    provider.post("publish", kind="TXT", host=host, value="v=spf1")
    assert provider.dns.txt("jetblue.example").values == ("v=spf1",)


def test_an_alias_and_an_outage(provider: Provider) -> None:
    provider.post("publish", kind="CNAME", host="_crossing-challenge", value="abc.dcv.localhost")
    assert provider.dns.txt(HOST).cnames == ("abc.dcv.localhost",)
    provider.post("outage", fault="servfail")
    assert provider.dns.txt(HOST).status is DnsStatus.SERVFAIL
    provider.post("outage", fault="")
    assert provider.dns.txt(HOST).status is DnsStatus.NXDOMAIN


def test_another_domain_can_be_registered_but_not_one_edited_that_is_not(provider: Provider) -> None:
    provider.post("publish", domain="other.example", kind="TXT", host="", value="x")
    assert provider.dns.txt("other.example").status is DnsStatus.NXDOMAIN
    provider.post("register", domain="Other.example.")
    provider.post("publish", domain="other.example", kind="TXT", host="", value="x")
    assert provider.dns.txt("other.example").values == ("x",)


def test_what_is_published_is_shown_as_text(provider: Provider) -> None:
    provider.post("publish", kind="TXT", host="x", value="<script>alert(1)</script>")
    assert "<script>" not in provider.get()[1]
    assert "&lt;script&gt;" in provider.get()[1]


def test_only_the_page_itself_may_change_a_zone(provider: Provider) -> None:
    assert provider.post("publish", token="forged", kind="TXT", host="x", value="y") == 403
    assert provider.get(host="attacker.example")[0] == 421
    assert provider.file.read().records == []


def test_zones_survive_a_restart_and_publishing_twice(provider: Provider, tmp_path: Path) -> None:
    for _ in range(2):
        provider.file.publish(HOST, "token=abc")
    assert [record.value for record in ZoneFile(provider.file.path).read().records] == ["token=abc"]
    assert ZoneFile(tmp_path / "none.json").read().domains == []
