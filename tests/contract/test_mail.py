"""The way out for mails: fake and SMTP agree on what leaves, what may work later, and what never will."""

import socketserver
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

import pytest
from pytest_django import Settings

from core import tenancy
from core.letters import Letter
from core.ports import Mail, Rejected, Unavailable
from portal.adapters.mail import DjangoMail
from tests.fakes.mail import FakeMail
from tests.serving import serving

REFUSED, AWAY, GOOD = "refused@zebra.example", "away@zebra.example", "owner@zebra.example"


def letter(to: str = GOOD, **changed: str) -> Letter:
    words = {
        "subject": "Zebra Air moves",
        "text": "Hello,\n\nsoon.\n",
        "html": "<p>Hello,</p>\n<p>soon.</p>",
        **changed,
    }
    return Letter(id="crossing-1", to=to, **words)


class _Conversation(socketserver.StreamRequestHandler):
    """Just enough SMTP (RFC 5321) to take a mail, or to refuse a recipient."""

    server: "_Server"

    def handle(self) -> None:
        self._say("220 mail.test")
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "RCPT":
                self._say(next((code for who, code in self.server.answers.items() if who in line), "250 ok"))
            elif verb == "DATA":
                self._say("354 go on")
                body = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.taken.append(body)
                self._say("250 taken")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.taken: list[bytes] = []
        self.answers = {REFUSED: "550 no such user refused@zebra.example", AWAY: "450 try later"}


@dataclass
class Way:
    """A way out for mails, and what has left by it."""

    mail: Mail
    left: Callable[[], list[Any]]
    server: Any = field(default=None)


@pytest.fixture(params=["fake", "smtp"])
def way(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Way]:
    if request.param == "fake":
        FakeMail.reset()
        FakeMail.refused, FakeMail.away = {REFUSED}, {AWAY}
        yield Way(FakeMail(), lambda: FakeMail.sent)
        FakeMail.reset()
        return
    with serving(_Server()) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield Way(DjangoMail(), lambda: server.taken, server)


def test_a_mail_leaves(way: Way) -> None:
    way.mail.send(letter())
    assert len(way.left()) == 1


def test_a_refused_recipient_is_final_and_not_named(way: Way) -> None:
    with pytest.raises(Rejected, match=r"refused it for good \(SMTP 550\)") as refused:
        way.mail.send(letter(REFUSED))
    assert "@" not in str(refused.value)
    assert way.left() == []


def test_a_recipient_who_is_away_may_be_there_later(way: Way) -> None:
    with pytest.raises(Unavailable, match="SMTP 450"):
        way.mail.send(letter(AWAY))


def test_no_header_can_be_smuggled_in(way: Way) -> None:
    with pytest.raises(Rejected, match="not well formed"):
        way.mail.send(letter(subject="Hello\r\nBcc: all@zebra.example"))
    assert way.left() == []


@pytest.mark.django_db
def test_no_mail_leaves_inside_a_transaction(way: Way) -> None:
    from django.db import transaction

    with transaction.atomic(), pytest.raises(tenancy.TransactionOpenError):
        way.mail.send(letter())


def sent(way: Way) -> Message:
    return message_from_bytes(way.left()[0], policy=default)


@pytest.mark.parametrize("way", ["smtp"], indirect=True)
def test_what_leaves_is_plain_text_with_html_that_loads_nothing(way: Way) -> None:
    way.mail.send(letter())
    message = sent(way)
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert message["Message-ID"].startswith("<crossing-1@")
    assert message["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("way", ["smtp"], indirect=True)
@pytest.mark.parametrize("verb", ["closed", "sender"])
def test_our_own_trouble_may_work_later(way: Way, verb: str, settings: Settings) -> None:
    if verb == "closed":
        way.server.server_close()
        settings.EMAIL_PORT = 1
    else:
        settings.EMAIL_USE_TLS = True  # which this server does not offer
    with pytest.raises(Unavailable):
        way.mail.send(letter())
