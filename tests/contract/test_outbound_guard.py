"""The guarded sender lets nobody point it at a machine that is not on the public internet, nor keep it busy."""

import gzip
import socket
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import httpcore
import pytest

from core.ports import Rejected, Unavailable
from portal.adapters.outbound import HEADROOM, DnsAddresses, GuardedSender
from portal.demo.dns import Fault, Zones
from portal.demo.dns_server import Resolver
from portal.demo.dns_server import Server as DnsServer
from tests.outbound_vectors import ACCEPTED, PUBLIC, REFUSED_AS_WRITTEN, REFUSED_BY_DNS
from tests.ports import free_port

CONNECTED: list[Any] = []
"""Every address that this process began to connect to, as the interpreter's own audit saw it."""


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        CONNECTED.append(arguments[1])


sys.addaudithook(_watch)


class Names:
    """A resolver whose answers change from one look-up to the next; the last one stays."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = {name: list(each) for name, each in answers.items()}
        self.asked: list[str] = []

    def __call__(self, name: str, seconds: float) -> Sequence[str]:
        self.asked.append(name)
        answers = self.answers["any"]
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Connector(httpcore.MockBackend):
    """Notes where a connection would go, and answers as a web server there would."""

    def __init__(self, *answers: bytes) -> None:
        super().__init__([])
        self.answers, self.places = list(answers), list[tuple[str, int]]()
        self.sent: list[bytes] = []
        self.sni: list[str | None] = []

    def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> httpcore.NetworkStream:
        self.places.append((host, port))
        return Stream([self.answers.pop(0)], self)


class Stream(httpcore.MockStream):
    def __init__(self, buffer: list[bytes], connector: Connector) -> None:
        super().__init__(buffer)
        self.connector = connector

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.connector.sent.append(buffer)

    def start_tls(self, context: Any, server_hostname: str | None = None, timeout: Any = None) -> Any:
        self.connector.sni.append(server_hostname)
        return self


def ok(body: bytes = b"fine") -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def to(place: str) -> bytes:
    return b"HTTP/1.1 302 Found\r\nlocation: %s\r\ncontent-length: 0\r\n\r\n" % place.encode()


def guard(names: Names | None = None, backend: httpcore.NetworkBackend | None = None, **options: Any) -> GuardedSender:
    return GuardedSender(
        ours=["crossing.example", ".tenants.example"], denied=["198.41.0.0/24"],
        resolve=names or Names(any=[[PUBLIC]]), backend=backend, **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def sender() -> GuardedSender:
    """Return one for all that is refused: each would read the world's certificates anew."""
    return guard()


@contextmanager
def nothing_connects() -> Iterator[None]:
    before = len(CONNECTED)
    yield
    assert CONNECTED[before:] == []


def test_the_table_is_as_large_as_promised() -> None:
    assert len(set(REFUSED_AS_WRITTEN)) + len(REFUSED_BY_DNS) >= 150


@pytest.mark.parametrize("url", REFUSED_AS_WRITTEN)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_that_is_not_public_is_refused_before_anybody_is_asked(
    sender: GuardedSender, url: str, method: str
) -> None:
    sender.resolve = names = Names(any=[[PUBLIC]])
    arguments = {"body": b"{}"} if method == "post" else {}
    with nothing_connects(), pytest.raises(Rejected):
        getattr(sender, method)(url, **arguments)
    assert names.asked == []


@pytest.mark.parametrize("answers", REFUSED_BY_DNS.values(), ids=REFUSED_BY_DNS)
def test_a_name_with_one_answer_that_is_not_public_is_refused(sender: GuardedSender, answers: list[str]) -> None:
    sender.resolve = Names(any=[answers])
    with nothing_connects(), pytest.raises(Rejected) as refused:
        sender.post("https://hooks.airline.example/", body=b"{}")
    assert not any(answer in str(refused.value) for answer in answers if answer != "localhost")


@pytest.mark.parametrize(("url", "place", "port"), ACCEPTED)
def test_a_public_address_is_connected_to_as_judged(url: str, place: str, port: int) -> None:
    connector = Connector(ok())
    with nothing_connects():
        assert guard(backend=connector).post(url, body=b"{}").body == b"fine"
    assert connector.places == [(place, port)]


def test_the_name_is_resolved_once_so_that_rebinding_finds_no_second_look() -> None:
    names, connector = Names(any=[[PUBLIC], ["127.0.0.1"]]), Connector(ok())
    guard(names, connector).get("https://hooks.airline.example/")
    assert (connector.places, names.asked) == ([(PUBLIC, 443)], ["hooks.airline.example"])


def test_the_certificate_and_the_host_are_asked_for_by_name() -> None:
    connector = Connector(ok())
    guard(backend=connector).get("https://hooks.airline.example:8443/in", headers={"Host": "other.example"})
    assert connector.sni == ["hooks.airline.example"]
    head = b"".join(connector.sent).lower()
    assert b"\r\nhost: hooks.airline.example:8443\r\n" in head
    assert b"other.example" not in head
    assert b"\r\naccept-encoding: identity\r\n" in head


@pytest.mark.parametrize(
    "place",
    ["http://127.0.0.1/", "http://169.254.169.254/", "http://[::1]/", "//10.0.0.1/", "http://2130706433/",
     "https://crossing.example/", "file:///etc/passwd", "http://hooks.airline.example:22/", "http://a@b.example/"],
)  # fmt: skip
def test_a_redirect_is_judged_like_a_first_address(place: str) -> None:
    connector = Connector(to(place), ok())
    with nothing_connects(), pytest.raises(Rejected):
        guard(backend=connector).get("http://hooks.airline.example/")
    assert len(connector.places) == 1


def test_a_redirect_to_a_name_that_turned_private_is_refused() -> None:
    connector = Connector(to("/again"), ok())
    with nothing_connects(), pytest.raises(Rejected, match="not on the public internet"):
        guard(Names(any=[[PUBLIC], ["10.0.0.1"]]), connector).get("http://hooks.airline.example/")
    assert len(connector.places) == 1


def test_a_redirect_from_https_to_http_is_refused() -> None:
    connector = Connector(to("http://hooks.airline.example/"), ok())
    with pytest.raises(Rejected, match="from https to http"):
        guard(backend=connector).get("https://hooks.airline.example/")


def test_environment_variables_send_nothing_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    connector = Connector(ok())
    with nothing_connects():
        guard(backend=connector).get("https://hooks.airline.example/")
    assert connector.places == [(PUBLIC, 443)]


def test_the_next_address_is_tried_where_one_does_not_accept() -> None:
    class FirstIsDown(Connector):
        def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> httpcore.NetworkStream:
            if host == "1.1.1.1":
                self.places.append((host, port))
                raise httpcore.ConnectError
            return super().connect_tcp(host, port, *args, **options)

    connector = FirstIsDown(ok())
    guard(Names(any=[["1.1.1.1", PUBLIC]]), connector).get("https://hooks.airline.example/")
    assert [host for host, _ in connector.places] == ["1.1.1.1", PUBLIC]


@contextmanager
def served(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve one connection on loopback by hand; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                peer, _ = listener.accept()
                with peer:
                    serve(peer)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
    thread.join(10)
    assert not thread.is_alive()


def endless(peer: socket.socket, head: bytes, more: bytes, *, pause: float = 0) -> None:
    """Answer without an end, until the other side hangs up."""
    peer.recv(65_536)
    peer.settimeout(20)
    peer.sendall(head)
    while True:
        peer.sendall(more)
        if pause:
            peer.settimeout(pause)
            with suppress(TimeoutError):
                if not peer.recv(1):
                    return
            peer.settimeout(20)


@contextmanager
def at_most(megabytes: float) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * 1_000_000
    finally:
        tracemalloc.stop()


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "more"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536, id="endless body"),
        pytest.param(CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n", id="endless chunks"),
        pytest.param(CHUNKED, b"1\r\nx\r\n" * 4_096, id="endless tiny chunks"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n", b"x" * 65_536, id="long body"),
        pytest.param(b"", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 512, id="endless interim answers"),
    ],
)
def test_an_endless_answer_costs_a_little_more_than_the_cap(head: bytes, more: bytes) -> None:
    read: list[int] = []

    class Counting(httpcore.SyncBackend):
        def connect_tcp(self, *args: Any, **options: Any) -> httpcore.NetworkStream:
            stream = super().connect_tcp(*args, **options)
            plain = stream.read

            def count(*args: Any) -> bytes:
                data = plain(*args)
                read.append(len(data))
                return data

            stream.read = count
            return stream

    with served(lambda peer: endless(peer, head, more)) as port, at_most(20):
        sender = GuardedSender(loopback_ports=[port], backend=Counting(), most_bytes=20_000, most_seconds=120)
        with pytest.raises(Rejected, match="more than 20,000 bytes"):
            sender.post(f"http://127.0.0.1:{port}/", body=b"{}")
    assert sum(read) <= 20_000 + HEADROOM


def test_endless_headers_are_given_up() -> None:
    head, more = b"HTTP/1.1 200 OK\r\n", b"x-more: " + b"x" * 8_000 + b"\r\n"
    with served(lambda peer: endless(peer, head, more)) as port, at_most(20), pytest.raises((Rejected, Unavailable)):
        GuardedSender(loopback_ports=[port]).get(f"http://127.0.0.1:{port}/")


def test_a_decompression_bomb_stays_packed() -> None:
    bomb = gzip.compress(bytes(50_000_000), compresslevel=9)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb)
    with served(lambda peer: saying(peer, head + bomb)) as port, at_most(20):
        reply = GuardedSender(loopback_ports=[port]).post(f"http://127.0.0.1:{port}/", body=b"{}")
        assert reply.body == bomb


@pytest.mark.parametrize(
    ("head", "more"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", b"x", id="dripping body"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n", id="dripping headers"),
        pytest.param(b"", b"", id="no answer"),
    ],
)
def test_an_answer_that_drips_ends_with_the_time_it_was_given(head: bytes, more: bytes) -> None:
    with served(lambda peer: endless(peer, head, more, pause=0.05)) as port:
        sender = GuardedSender(loopback_ports=[port], most_seconds=0.4)
        with pytest.raises(Unavailable, match="did not finish answering"):
            sender.get(f"http://127.0.0.1:{port}/")


def waiting(_: socket.socket, done: threading.Event) -> None:
    done.wait(10)


def test_a_receiver_that_never_reads_ends_with_the_time_it_was_given() -> None:
    done = threading.Event()
    with served(lambda peer: waiting(peer, done)) as port:
        sender = GuardedSender(loopback_ports=[port], most_seconds=0.4)
        with pytest.raises(Unavailable, match="did not finish answering"):
            sender.post(f"http://127.0.0.1:{port}/", body=b"x" * 30_000_000)
        done.set()


def test_a_handshake_that_never_ends_ends_with_the_time_it_was_given() -> None:
    done = threading.Event()
    with served(lambda peer: waiting(peer, done)) as port:
        sender = GuardedSender(loopback_ports=[port], most_seconds=0.4)
        with pytest.raises(Unavailable, match="did not finish answering"):
            sender.get(f"https://127.0.0.1:{port}/")
        done.set()


def test_slow_name_servers_end_with_the_time_they_were_given() -> None:
    port = free_port()
    zones = Zones(domains=["slow.example"], faults={"slow.example": Fault.TIMEOUT.value})
    with DnsServer(Resolver(lambda: zones), port=port):
        sender = GuardedSender(resolver=f"127.0.0.1:{port}", most_seconds=0.4)
        with pytest.raises(Unavailable, match="DNS did not answer"):
            sender.get("https://hooks.slow.example/")


def test_time_spent_on_names_is_not_given_again_to_the_connection() -> None:
    given: list[float] = []

    class Slow(httpcore.MockBackend):
        def connect_tcp(self, host: str, port: int, timeout: Any = None, *args: Any, **options: Any) -> Any:
            given.append(timeout)
            raise httpcore.ConnectTimeout

    with pytest.raises(Unavailable):
        GuardedSender(resolve=lambda *_: [PUBLIC, "1.1.1.1"], backend=Slow([])).get("https://hooks.airline.example/")
    assert given[0] < 5.01
    assert given[1] <= 10


def test_what_goes_wrong_is_told_in_words() -> None:
    port = free_port()
    with pytest.raises(Unavailable, match=rf"127\.0\.0\.1 does not accept connections on port {port}"):
        GuardedSender(loopback_ports=[port]).get(f"http://127.0.0.1:{port}/")
    for answer, url, words in (
        (b"SSH-2.0-OpenSSH\r\n", "http", "without a complete HTTP answer"),
        (b"HTTP/1.1 400 No\r\n\r\n", "https", "did not agree on an encrypted connection"),
    ):
        with served(lambda peer, answer=answer: saying(peer, answer)) as port, pytest.raises(Unavailable, match=words):
            GuardedSender(loopback_ports=[port]).get(f"{url}://127.0.0.1:{port}/")


def saying(peer: socket.socket, words: bytes) -> None:
    """Say something, and leave only once the other side has: data unread would reset the connection."""
    peer.recv(65_536)
    peer.sendall(words)
    peer.shutdown(socket.SHUT_WR)
    while peer.recv(65_536):
        pass


def test_names_are_asked_of_dns_and_not_of_a_hosts_file() -> None:
    port = free_port()
    with DnsServer(Resolver(lambda: Zones(domains=["airline.example"])), port=port):
        ask = DnsAddresses(f"127.0.0.1:{port}")
        with pytest.raises(Unavailable, match=r"localhost does not exist in DNS"):
            ask("localhost", 2)
        with pytest.raises(Unavailable, match=r"airline\.example has no address"):
            ask("airline.example", 2)
