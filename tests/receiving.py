"""A tenant with something connected to legacy, and a careful receiver of its webhooks, all in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from django.utils import timezone
from pytest_django import Settings

from core import queue, tenancy
from core.inventory import Integration, Kind
from core.outbound import Reply
from integrations.models import Endpoint, HarnessRun, Item
from integrations.services import endpoints, harness
from portal.demo.receiver import Book
from tests import make
from tests.fakes.inventory import FakeInventory
from tests.fakes.outbound import FakeOutbound, Sent

URL = "https://hooks.airline.example/in"
HOOK = Integration(
    Kind.WEBHOOK, "1", "https://ops.airline.example/hooks", "https://ops.airline.example/hooks", ("a.b",)
)
KEY = Integration(Kind.API_KEY, "7", "Old kiosk", "", ("flights:read",), date(2020, 1, 1))


class Case:
    """A tenant's owner, and a receiver as careful as the demo's behind `URL`."""

    def __init__(self) -> None:
        self.member = make.member(make.tenant(legacy_ref="ZZ"))
        self.by, self.tenant_id = make.actor(self.member), self.member.tenant_id
        self.book = Book()
        FakeOutbound.answers[URL] = self.take
        FakeInventory.connected["ZZ"] = [HOOK, KEY]

    def take(self, sent: Sent) -> Reply:
        status, why = self.book.take("/a/b", sent.headers, sent.body, now=timezone.now().timestamp())
        return Reply(status, {}, why.encode(), 12)

    def register(self, *, item: Item | None = None) -> Endpoint:
        endpoint, secret = endpoints.register(
            tenant_id=self.tenant_id, url=URL, item=item, by=self.by, at=timezone.now()
        )
        self.book.hooks.clear()
        self.book.take("/a/b", {}, b"", now=0)
        self.book.hooks["/a/b"].secret = secret
        return endpoint

    def try_out(self, endpoint: Endpoint) -> HarnessRun:
        run = harness.request(endpoint=endpoint, by=self.by, at=timezone.now())
        queue.run_pending()
        run.refresh_from_db()
        return run

    def answers(self, *replies: Reply | Exception) -> None:
        """Let the receiver answer these, one after the other, and the last one from then on."""
        left = list(replies)

        def answer(_: Sent) -> Reply:
            reply = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(reply, Exception):
                raise reply
            return reply

        FakeOutbound.answers[URL] = answer


@contextmanager
def connected(settings: Settings) -> Iterator[Case]:
    """Put the fakes behind the ports, make the tenant, and stay in its scope."""
    settings.QUEUE_RINGS = False
    settings.ADAPTERS = {
        **settings.ADAPTERS,
        "outbound": {"BACKEND": "tests.fakes.outbound.FakeOutbound"},
        "inventory": {"BACKEND": "tests.fakes.inventory.FakeInventory"},
    }
    FakeOutbound.reset()
    FakeInventory.reset()
    case = Case()
    with tenancy.scope(tenant_id=case.tenant_id):
        yield case
    FakeOutbound.reset()
    FakeInventory.reset()
