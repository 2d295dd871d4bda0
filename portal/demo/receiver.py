"""The demo's webhook receivers: one per address, each with a secret, a memory of ids, and a switch for verification.

It stands for a system of the customer's, so it shares nothing with the portal but the file that its page, its receivers
and the demo's loader write. Loopback only.
"""

import binascii
import fcntl
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import override
from urllib.parse import SplitResult, quote, urlsplit

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from portal.demo.pages import STYLE, LoopbackPage, LoopbackServer
from portal.house import state

KEEP_IDS = 15 * 60
"""Seconds; longer than any message's timestamp is believed."""
MOST_SHOWN = 40
FORMS = ("/-/secret", "/-/verification")
_PATH = re.compile(r"/([a-z0-9-]{1,60})/([a-z0-9-]{1,60})\Z")


@dataclass
class Hook:
    """One address: whether it verifies, with which secret, and the ids it knows with when it took them."""

    secret: str = ""
    verifies: bool = True
    known: dict[str, float] = field(default_factory=dict)


@dataclass
class Arrival:
    """One message as it arrived, and what was answered."""

    at: float
    path: str
    message_id: str
    event: str
    status: int
    why: str


@dataclass
class Book:
    """Everything that the receivers know."""

    hooks: dict[str, Hook] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)

    def take(self, path: str, headers: Mapping[str, str], body: bytes, *, now: float) -> tuple[int, str]:
        """Judge a message as a careful receiver does, note it, and return status and reason."""
        hook = self.hooks.setdefault(path, Hook())
        hook.known = {known: at for known, at in hook.known.items() if now - at < KEEP_IDS}
        message_id = headers.get("webhook-id", "")[:80]
        status, why = self._judge(hook, message_id, headers, body)
        if 200 <= status < 300 and message_id:
            hook.known[message_id] = now
        self.arrivals.insert(0, Arrival(now, path, message_id, _event(body), status, why))
        del self.arrivals[MOST_SHOWN:]
        return status, why

    def _judge(self, hook: Hook, message_id: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        if not hook.verifies:
            return 200, "taken without looking at the signature"
        if not hook.secret:
            return 401, "no secret is set for this address"
        try:
            Webhook(hook.secret).verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError, binascii.Error) as refusal:  # malformed input counts as refused
            return 401, str(refusal) or "malformed"
        if message_id in hook.known:
            return 409, "this id is known"
        return 204, "verified and taken"


class ReceiverFile:
    """The file that holds the book; written whole or not at all, one writer at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Book:
        """Return the book; an empty one before anything arrived."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Book()
        hooks = {path: Hook(**hook) for path, hook in content["hooks"].items()}
        return Book(hooks, [Arrival(**arrival) for arrival in content["arrivals"]])

    @contextmanager
    def edit(self) -> Iterator[Book]:
        """Yield the book to change, and write it unless the block raises."""
        with self.path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            book = self.read()
            yield book
            draft = self.path.with_suffix(".new")
            draft.touch(mode=0o600)
            with draft.open("w", encoding="utf-8") as file:
                json.dump(asdict(book), file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)

    def set_secret(self, path: str, secret: str) -> None:
        """Give an address the secret that its sender signs with."""
        with self.edit() as book:
            book.hooks.setdefault(path, Hook()).secret = secret.strip()

    def verify(self, path: str, *, wanted: bool) -> None:
        """Switch verification at an address on or off."""
        with self.edit() as book:
            book.hooks.setdefault(path, Hook()).verifies = wanted


class Receiver(LoopbackServer):
    """The customers' web server."""

    def __init__(self, receiver_file: ReceiverFile, *, port: int, host: str = "127.0.0.1") -> None:
        self.receiver_file = receiver_file
        super().__init__(_Page, port=port, host=host)


class _Page(LoopbackPage):
    server: Receiver

    most_body = 65_536

    @override
    def show(self, address: SplitResult) -> None:
        """Show a customer's receivers and what arrived."""
        if address.path == "/console.css":
            self.send(STYLE, kind="text/css")
            return
        whose = address.path.strip("/").partition("/")[0]
        if not re.fullmatch(r"[a-z0-9-]{0,60}", whose):
            self.send("Not found", kind="text/plain", status=HTTPStatus.NOT_FOUND)
            return
        self.send(_page(self.server.receiver_file.read(), whose, token=self.server.form_token))

    @override
    def do_POST(self) -> None:
        """Take a message, or a form of the page."""
        path = urlsplit(self.path).path
        if path in FORMS or not _PATH.match(path):
            super().do_POST()
            return
        size = int(self.headers.get("Content-Length") or 0)
        if size > self.most_body:
            self.send("Too long", kind="text/plain", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body, headers = self.rfile.read(size), {name.lower(): value for name, value in self.headers.items()}
        with self.server.receiver_file.edit() as book:
            status, why = book.take(path, headers, body, now=time.time())
        if status == HTTPStatus.NO_CONTENT:
            self.send_response(status)
            self.end_headers()
        else:
            self.send(json.dumps({"message": why}), kind="application/json", status=HTTPStatus(status))

    @override
    def take(self, path: str, given: dict[str, str]) -> None:
        """Do what a form of the page asks."""
        whose = given.get("whose", "")
        address = f"/{whose}/{given.get('hook', '').strip()}"
        if not _PATH.match(address):
            self.send("Name the address in small letters", kind="text/plain", status=HTTPStatus.BAD_REQUEST)
            return
        if path == "/-/secret":
            self.server.receiver_file.set_secret(address, given.get("secret", ""))
        else:
            self.server.receiver_file.verify(address, wanted=given.get("wanted") == "on")
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", f"/{quote(whose)}/")
        self.end_headers()


def receiver_file() -> ReceiverFile:
    """Return the receivers' file, in the state folder of this checkout."""
    return ReceiverFile(state.prepare() / "receiver.json")


def _event(body: bytes) -> str:
    try:
        return str(json.loads(body)["type"])[:80]
    except (ValueError, KeyError, TypeError):
        return "?"


def document(title: str, body: str) -> str:
    """Return a whole page."""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="stylesheet" href="/console.css"></head>
<body>{body}</body></html>"""


def hidden(name: str, value: str) -> str:
    """Return a hidden field of a form."""
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _page(book: Book, whose: str, *, token: str) -> str:
    everybody = sorted({path.split("/")[1] for path in book.hooks} | ({whose} if whose else set()))
    links = "".join(f'<a href="/{quote(each)}/">{escape(each)}</a>' for each in everybody)
    head = f'<p>Webhook receivers of the demo: they stand for your own.</p><nav aria-label="Customers">{links}</nav>'
    if not whose:
        return document("Webhook receivers of the demo", f"{head}<h1>Webhook receivers</h1><p>Choose a customer.</p>")
    ours = {path: hook for path, hook in book.hooks.items() if path.split("/")[1] == whose}
    rows = "".join(_hook(path, hook, token=token) for path, hook in sorted(ours.items()))
    heads = "<th>Address</th><th>Verification</th><th>Secret</th><th></th>"
    hooks = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>" if rows else "<p>None yet.</p>"
    arrived = "".join(_arrival(one) for one in book.arrivals if one.path.split("/")[1] == whose)
    columns = "".join(f"<th>{name}</th>" for name in ("When (UTC)", "Address", "Event", "Id", "Answer", "Because"))
    table = f"<table><thead><tr>{columns}</tr></thead><tbody>{arrived}</tbody></table>"
    form = f"""<form class="row" method="post" action="/-/secret">{hidden("token", token)}{hidden("whose", whose)}
<label>Address<br><span class="suffix">/{escape(whose)}/</span><input name="hook" required value="flights"></label>
<label>Signing secret<br><input name="secret" autocomplete="off" required></label>
<button>Set the secret</button></form>"""
    return document(
        f"{whose} · webhook receivers of the demo",
        f"{head}<h1>{escape(whose)}</h1>{hooks}<h2>Set a secret</h2>{form}<h2>What arrived</h2>"
        + (table if arrived else "<p>Nothing yet.</p>"),
    )


def _hook(path: str, hook: Hook, *, token: str) -> str:
    _, whose, name = path.split("/")
    words, wanted, label = ("on", "off", "Switch off") if hook.verifies else ("off", "on", "Switch on")
    return f"""<tr><td><code>{escape(path)}</code></td><td>{words}</td><td>{"set" if hook.secret else "none"}</td>
<td><form method="post" action="/-/verification">{hidden("token", token)}{hidden("whose", whose)}{hidden("hook", name)}
{hidden("wanted", wanted)}<button>{label}<span> verification of {escape(name)}</span></button></form></td></tr>"""


def _arrival(one: Arrival) -> str:
    cells = (
        time.strftime("%d %b %H:%M:%S", time.gmtime(one.at)),
        one.path,
        one.event,
        one.message_id,
        one.status,
        one.why,
    )
    return f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in cells)}</tr>"
