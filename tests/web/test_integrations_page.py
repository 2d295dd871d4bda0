"""What a customer sees of integrations: every problem with its way out, and a secret only once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from core import ports, queue
from core.inventory import Integration, Kind
from core.outbound import Reply
from core.permissions import TenantRole
from integrations.models import Endpoint, Item, Message
from tests import make
from tests.fakes.inventory import FakeInventory
from tests.fakes.outbound import FakeOutbound

pytestmark = pytest.mark.django_db
URL = "https://hooks.airline.example/in"


@pytest.fixture
def page(settings, client: Client) -> Iterator["Page"]:
    settings.QUEUE_RINGS = False
    settings.ADAPTERS = {
        **settings.ADAPTERS,
        "outbound": {"BACKEND": "tests.fakes.outbound.FakeOutbound"},
        "inventory": {"BACKEND": "tests.fakes.inventory.FakeInventory"},
    }
    FakeOutbound.reset()
    FakeInventory.reset()
    yield Page(client)
    FakeOutbound.reset()
    FakeInventory.reset()


class Page:
    def __init__(self, client: Client) -> None:
        self.member = make.member(make.tenant(slug="ours", legacy_ref="ZZ"))
        self.client = client
        client.force_login(self.member.user)

    def get(self, path: str = "") -> str:
        return self.client.get(f"/t/ours/integrations/{path}").content.decode()

    def post(self, path: str, **data: str):
        return self.client.post(f"/t/ours/integrations/{path}", data, follow=True)

    def register(self) -> str:
        answer = self.post("endpoints/", url=URL)
        assert answer.status_code == 200
        return answer.content.decode()

    def endpoint(self) -> Endpoint:
        with make.arranging():
            return Endpoint.objects.get()


def test_an_empty_page_says_what_comes(page):
    said = page.get()
    assert "Nothing was read yet" in said
    assert "No endpoint yet" in said


def test_the_inventory_is_read_proposed_and_accepted(page):
    FakeInventory.connected["ZZ"] = [Integration(Kind.API_KEY, "1", "<Crew> app", "", ("flights:read",))]
    said = page.post("read/").content.decode()
    assert "&lt;Crew&gt; app" in said
    assert "Our proposal:</strong> Gets a new secret" in said
    assert "All decided" in page.post("accept/").content.decode()


def test_an_outage_of_legacy_is_said(page):
    FakeInventory.trouble = ports.Unavailable("away")
    assert "The legacy platform does not answer just now. Try again soon." in page.post("read/").content.decode()


def test_retiring_without_a_reason_is_refused_with_its_way_out(page):
    FakeInventory.connected["ZZ"] = [Integration(Kind.API_KEY, "1", "Crew app")]
    page.post("read/")
    with make.arranging():
        item = Item.objects.get()
    said = page.post(f"items/{item.pk}/", fate="retired", reason="").content.decode()
    assert "Say why Crew app is retired. A few words are enough." in said


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://169.254.169.254/latest", "169.254.169.254 is not an address on the public internet."),
        ("https://localhost/", "localhost is a name of a local network"),
        ("http://hooks.airline.example/", "Over http:// anybody on the way can read your messages."),
        ("<script>", "The address must begin with https://"),
    ],
)
def test_a_refused_address_comes_back_with_its_reason(page, url, words):
    answer = page.post("endpoints/", url=url)
    said = answer.content.decode()
    assert answer.status_code == 422
    assert words in said
    assert "<script>" not in said.replace("<script src", "")


def test_a_secret_stands_in_one_answer_and_in_no_other(page):
    said = page.register()
    assert "whsec_" in said
    assert "whsec_" not in page.get()
    assert "registered already" in page.post("endpoints/", url=URL).content.decode()


def test_the_harness_says_what_to_do_where_the_address_is_wrong(page):
    page.register()
    page.post(f"endpoints/{page.endpoint().pk}/harness/")
    assert "Being tried" in page.get()
    queue.run_pending()
    said = page.get()
    assert "Harness failed" in said
    assert "Nothing answers at this path: check the address." in said


def test_attempts_stand_under_their_tab_and_can_be_sent_again(page):
    FakeOutbound.answers[URL] = lambda _: Reply(500, {}, b"<b>oops</b>", 31)
    page.register()
    page.post(f"endpoints/{page.endpoint().pk}/test/")
    queue.run_pending()
    said = page.get("messages/?state=pending")
    assert "&lt;b&gt;oops&lt;/b&gt;" in said
    assert "next attempt" in said
    FakeOutbound.answers[URL] = lambda _: Reply(200)
    queue.run_pending(at=timezone.now() + timedelta(minutes=1))
    assert "Delivered (1)" in page.get("messages/")
    with make.arranging():
        pk = Message.objects.get().pk
    assert "On their way (1)" in page.post(f"messages/{pk}/resend/").content.decode()


def test_an_auditor_reads_and_changes_nothing(page):
    page.register()
    page.client.force_login(make.member(page.member.tenant, TenantRole.AUDITOR).user)
    said = page.get()
    assert URL in said
    assert "<form" not in said.partition("<main")[2].partition("</main>")[0]
