"""What every sender promises, kept by the fake and by the guarded one against a server on loopback."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import transaction

from core.outbound import Reply
from core.ports import Outbound, Rejected
from core.tenancy import TransactionOpenError
from portal.adapters.outbound import GuardedSender
from tests.fakes.outbound import Answer, FakeOutbound, Sent
from tests.serving import serving


class World:
    """A sender, and what its addresses answer."""

    def __init__(self, sender: Outbound, root: str, answers: dict[str, Answer]) -> None:
        self.sender, self.root, self.answers = sender, root, answers

    def answer(self, path: str, reply: Reply) -> list[Sent]:
        """Answer at a path; return the list that what arrives there is put in."""
        arrived: list[Sent] = []

        def keep(sent: Sent) -> Reply:
            arrived.append(sent)
            return reply

        self.answers[f"{self.root}{path}"] = keep
        return arrived


class Server(ThreadingHTTPServer):
    daemon_threads = True
    answers: dict[str, Answer] = {}


class Page(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        url = f"http://127.0.0.1:{self.server.server_port}{self.path}"
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        sent = Sent(self.command, url, {name.lower(): value for name, value in self.headers.items()}, body)
        reply = self.server.answers.get(url, lambda _: Reply(404))(sent)
        self.send_response(reply.status)
        for name, value in {**reply.headers, "content-length": str(len(reply.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(params=["fake", "guarded"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "fake":
        FakeOutbound.reset()
        yield World(FakeOutbound(), "http://127.0.0.1:9999", FakeOutbound.answers)
        FakeOutbound.reset()
        return
    server = Server(("127.0.0.1", 0), Page)
    server.answers = {}
    with serving(server):
        sender = GuardedSender(loopback_ports=[server.server_port], ours=["crossing.example"], most_seconds=5)
        yield World(sender, f"http://127.0.0.1:{server.server_port}", server.answers)


def test_an_answer_comes_back_whole(world: World) -> None:
    arrived = world.answer("/hook", Reply(202, {"x-said": "Thanks"}, b'{"ok": true}'))
    reply = world.sender.post(f"{world.root}/hook", body="ü".encode(), headers={"Content-Type": "application/json"})
    assert (reply.status, reply.headers["x-said"], reply.body) == (202, "Thanks", b'{"ok": true}')
    assert (arrived[0].body, arrived[0].headers["content-type"]) == ("ü".encode(), "application/json")


def test_get_follows_three_redirects_and_no_more(world: World) -> None:
    for number in range(4):
        world.answer(f"/{number}", Reply(302, {"location": f"/{number + 1}"}))
    world.answer("/4", Reply(200, {}, b"there"))
    assert world.sender.get(f"{world.root}/1").body == b"there"
    with pytest.raises(Rejected, match="more than 3 times"):
        world.sender.get(f"{world.root}/0")


def test_a_redirect_into_a_private_network_is_refused(world: World) -> None:
    world.answer("/", Reply(307, {"location": "http://169.254.169.254/latest/meta-data/"}))
    with pytest.raises(Rejected, match="not an address on the public internet"):
        world.sender.get(f"{world.root}/")


@pytest.mark.parametrize("place", ["https://www.airline.example/x", "//www.airline.example/x"])
def test_a_redirect_to_another_host_is_an_answer_where_only_the_same_one_is_asked(world: World, place: str) -> None:
    world.answer("/far", Reply(302, {"location": place}))
    reply = world.sender.get(f"{world.root}/far", same_host=True)
    assert (reply.status, reply.headers["location"]) == (302, place)
    world.answer("/near", Reply(302, {"location": "/there"}))
    world.answer("/there", Reply(200, {}, b"there"))
    assert world.sender.get(f"{world.root}/near", same_host=True).body == b"there"


def test_a_body_is_cut_a_byte_past_what_is_wanted(world: World) -> None:
    for length, arrives in ((9, 9), (10, 10), (11, 11), (500_000, 11)):
        world.answer(f"/{length}", Reply(404, {}, b"x" * length))
        reply = world.sender.get(f"{world.root}/{length}", most_bytes=10)
        assert (reply.status, len(reply.body)) == (404, arrives)


def test_post_follows_no_redirect(world: World) -> None:
    arrived = world.answer("/new", Reply(200))
    world.answer("/old", Reply(307, {"location": "/new"}))
    assert world.sender.post(f"{world.root}/old", body=b"{}").status == 307
    assert arrived == []


def test_addresses_are_judged_without_asking_anybody(world: World) -> None:
    assert world.sender.check("HTTPS://Hooks.Airline.Example.:443") == "https://hooks.airline.example/"
    with pytest.raises(Rejected, match="the portal itself"):
        world.sender.check("https://crossing.example/")


@pytest.mark.django_db
def test_nothing_is_sent_inside_a_transaction(world: World) -> None:
    world.answer("/", Reply(200))
    with transaction.atomic(), pytest.raises(TransactionOpenError):
        world.sender.post(f"{world.root}/", body=b"")
