"""Inventory, endpoints, messages and the harness as use cases, on real PostgreSQL and through the queue."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook

from core import ports, queue
from core.errors import PermissionRefused
from core.models import LedgerEntry
from core.outbound import Reply
from core.permissions import TenantRole
from integrations.domain.retries import State
from integrations.models import Attempt, Endpoint, Item, Message
from integrations.queries import endpoints as listed
from integrations.queries import health
from integrations.services import endpoints, harness, inventory, messages
from tests import make
from tests.fakes.inventory import FakeInventory
from tests.fakes.outbound import FakeOutbound
from tests.receiving import HOOK, KEY, URL, Case, connected

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(settings: Settings) -> Iterator[Case]:
    with connected(settings) as made:
        yield made


def events() -> list[str]:
    rows = LedgerEntry.objects.filter(event__startswith="integrations.").order_by("seq")
    return [*rows.values_list("event", flat=True)]


def test_the_inventory_is_read_once_and_keeps_what_was_decided(case):
    at = timezone.now()
    assert inventory.read(tenant_id=case.tenant_id, by=case.by, at=at) == 2
    assert inventory.accept_all(tenant_id=case.tenant_id, by=case.by, at=at) == 2
    assert inventory.read(tenant_id=case.tenant_id, by=case.by, at=at) == 0
    assert {item.key: item.fate for item in Item.objects.all()} == {"1": "recreated", "7": "retired"}
    assert Item.objects.get(key="7").reason == "It was last used on 1 January 2020."
    assert events() == ["integrations.inventory.read", *["integrations.item.decided"] * 2]


def test_health_counts_what_is_known_and_what_nobody_decided(case):
    at = timezone.now()
    assert health.of(tenant_id=case.tenant_id).words == "not read"
    inventory.read(tenant_id=case.tenant_id, by=case.by, at=at)
    assert health.of(tenant_id=case.tenant_id).words == "2 of 2 undecided"
    inventory.accept_all(tenant_id=case.tenant_id, by=case.by, at=at)
    found = health.of_many(tenant_ids=[case.tenant_id, uuid4()])
    assert set(found) == {case.tenant_id}
    assert (found[case.tenant_id].items, found[case.tenant_id].undecided) == (2, 0)
    assert found[case.tenant_id].words == "no endpoint"


def test_what_legacy_no_longer_has_stays_on_the_list(case):
    at = timezone.now()
    inventory.read(tenant_id=case.tenant_id, by=case.by, at=at)
    FakeInventory.connected["ZZ"] = [HOOK]
    assert inventory.read(tenant_id=case.tenant_id, by=case.by, at=at) == 1
    assert Item.objects.get(key="7").gone_at == at
    FakeInventory.connected["ZZ"] = [HOOK, KEY]
    inventory.read(tenant_id=case.tenant_id, by=case.by, at=at)
    assert Item.objects.get(key="7").gone_at is None


def test_an_outage_of_legacy_is_told_and_changes_nothing(case):
    FakeInventory.trouble = ports.Unavailable("away")
    with pytest.raises(inventory.UnableToRead, match="does not answer"):
        inventory.read(tenant_id=case.tenant_id, by=case.by, at=timezone.now())
    assert not Item.objects.exists()


def test_retiring_needs_a_reason_and_deciding_twice_is_one_entry(case):
    at = timezone.now()
    inventory.read(tenant_id=case.tenant_id, by=case.by, at=at)
    item = Item.objects.get(key="7")
    with pytest.raises(inventory.UnableToDecide, match="Say why Old kiosk is retired"):
        inventory.decide(item=item, fate="retired", reason="  ", by=case.by, at=at)
    with pytest.raises(inventory.UnableToDecide, match="Choose"):
        inventory.decide(item=item, fate="forgotten", reason="", by=case.by, at=at)
    for _ in range(2):
        item = inventory.decide(item=item, fate="retired", reason="The kiosks are\0 gone.", by=case.by, at=at)
    assert item.reason == "The kiosks are gone."
    assert events().count("integrations.item.decided") == 1


def test_a_stale_decision_is_refused(case):
    at = timezone.now()
    inventory.read(tenant_id=case.tenant_id, by=case.by, at=at)
    item = Item.objects.get(key="7")
    inventory.decide(item=Item.objects.get(key="7"), fate="rotated", reason="", by=case.by, at=at)
    with pytest.raises(inventory.UnableToDecide, match="a moment ago"):
        inventory.decide(item=item, fate="moves", reason="", by=case.by, at=at)


def test_a_secret_is_shown_once_and_sealed_at_rest(case):
    endpoint, secret = endpoints.register(tenant_id=case.tenant_id, url=URL, item=None, by=case.by, at=timezone.now())
    assert secret.startswith("whsec_")
    assert secret not in endpoint.secret
    assert endpoints.secrets_of(endpoint, at=timezone.now()) == [secret]
    assert secret not in str([*LedgerEntry.objects.values()])


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://10.0.0.1/", "not an address on the public internet"),
        ("https://crossing.example/", "the portal itself"),
        ("http://hooks.airline.example/", "anybody on the way can read"),
        ("", "must begin with https"),
        ("https://hooks.airline.example:22/", "Port 22"),
    ],
)
def test_an_address_that_is_never_written_to_is_not_registered(case, url, words):
    with pytest.raises(endpoints.UnableToRegister, match=words):
        endpoints.register(tenant_id=case.tenant_id, url=url, item=None, by=case.by, at=timezone.now())
    assert not Endpoint.objects.exists()


def test_an_address_is_registered_once(case):
    case.register()
    with pytest.raises(endpoints.UnableToRegister, match="registered already"):
        case.register()


def test_an_auditor_changes_nothing(case):
    by = make.actor(make.member(case.member.tenant, TenantRole.AUDITOR))
    endpoint, at = case.register(), timezone.now()
    for attempt in (
        lambda: inventory.read(tenant_id=case.tenant_id, by=by, at=at),
        lambda: inventory.accept_all(tenant_id=case.tenant_id, by=by, at=at),
        lambda: endpoints.register(tenant_id=case.tenant_id, url=URL, item=None, by=by, at=at),
        lambda: endpoints.switch_off(endpoint=endpoint, by=by, at=at),
        lambda: messages.send_test(endpoint=endpoint, by=by, at=at),
        lambda: harness.request(endpoint=endpoint, by=by, at=at),
    ):
        with pytest.raises(PermissionRefused):
            attempt()


def test_a_test_event_is_signed_delivered_and_kept(case):
    message = messages.send_test(endpoint=case.register(), by=case.by, at=timezone.now())
    queue.run_pending()
    message.refresh_from_db()
    attempt = message.attempts.get()
    assert (message.state, attempt.status, attempt.took_ms) == ("delivered", 204, 12)
    sent = FakeOutbound.sent[-1]
    assert sent.headers["webhook-id"] == message.message_id
    (secret,) = endpoints.secrets_of(message.endpoint, at=timezone.now())
    assert Webhook(secret).verify(sent.body, dict(sent.headers))["type"] == "crossing.test"


def test_what_is_not_taken_is_tried_again_with_the_same_id_and_a_fresh_timestamp(case):
    case.answers(Reply(500, {}, b"token=s3cret oops"), Reply(200))
    endpoint, at = case.register(), timezone.now()
    message = messages.send_test(endpoint=endpoint, by=case.by, at=at)
    queue.run_pending()
    message.refresh_from_db()
    assert message.state == "pending"
    assert timedelta(seconds=3) < message.next_attempt_at - at < timedelta(seconds=30)
    assert Attempt.objects.get().excerpt == "token=[hidden] oops"
    queue.run_pending(at=message.next_attempt_at + timedelta(seconds=1))
    message.refresh_from_db()
    assert (message.state, message.tries) == ("delivered", 2)
    assert len({sent.headers["webhook-id"] for sent in FakeOutbound.sent}) == 1


def test_messages_cannot_be_piled_up_without_end(case, monkeypatch):
    monkeypatch.setattr(messages, "MOST_PENDING", 2)
    endpoint, at = case.register(), timezone.now()
    for _ in range(2):
        message = messages.send_test(endpoint=endpoint, by=case.by, at=at)
    with pytest.raises(messages.UnableToSend, match="2 messages are on their way"):
        messages.send_test(endpoint=endpoint, by=case.by, at=at)
    queue.run_pending()
    message.refresh_from_db()
    for _ in range(2):
        messages.send_test(endpoint=endpoint, by=case.by, at=at)
    with pytest.raises(messages.UnableToSend, match="on their way"):
        messages.resend(message=message, by=case.by, at=at)


def test_a_job_too_many_sends_nothing(case):
    message = messages.send_test(endpoint=case.register(), by=case.by, at=timezone.now())
    queue.run_pending()
    assert messages.deliver(message_id=message.pk, by=make.SYSTEM, at=timezone.now()) is None
    assert len(FakeOutbound.sent) == 1


def test_a_message_whose_job_was_lost_is_found_by_the_sweep(case):
    from integrations import tasks

    message = messages.send_test(endpoint=case.register(), by=case.by, at=timezone.now())
    from core.models import Job

    Job.objects.all().delete()
    with make.arranging():
        tasks.deliver_due(at=timezone.now())
    queue.run_pending()
    message.refresh_from_db()
    assert message.state == "delivered"


def test_after_the_schedule_a_message_is_given_up_and_can_be_sent_again(case):
    case.answers(ports.Unavailable("hooks.airline.example did not finish answering within 10 seconds."))
    message = messages.send_test(endpoint=case.register(), by=case.by, at=timezone.now())
    for _ in range(10):
        queue.run_pending(at=message.next_attempt_at + timedelta(seconds=1))
        message.refresh_from_db()
    assert (message.state, message.tries, message.attempts.count()) == ("failed", 10, 10)
    assert "did not finish answering" in message.attempts.first().trouble
    case.answers(Reply(200))
    messages.resend(message=message, by=case.by, at=timezone.now())
    with pytest.raises(messages.UnableToSend, match="on its way"):
        messages.resend(message=message, by=case.by, at=timezone.now())
    queue.run_pending()
    message.refresh_from_db()
    assert (message.state, message.attempts.count()) == ("delivered", 11)
    assert len({sent.headers["webhook-id"] for sent in FakeOutbound.sent}) == 1


def test_410_switches_the_endpoint_off(case):
    case.answers(Reply(410))
    endpoint = case.register()
    messages.send_test(endpoint=endpoint, by=case.by, at=timezone.now())
    queue.run_pending()
    endpoint.refresh_from_db()
    assert endpoint.off_why == "gone"
    with pytest.raises(messages.UnableToSend, match="switched off"):
        messages.send_test(endpoint=endpoint, by=case.by, at=timezone.now())


def test_five_days_of_failure_switch_the_endpoint_off(case):
    case.answers(Reply(500))
    endpoint, at = case.register(), timezone.now()
    messages.send_test(endpoint=endpoint, by=case.by, at=at)
    queue.run_pending()
    Endpoint.objects.filter(pk=endpoint.pk).update(failing_since=at - timedelta(hours=121))
    messages.send_test(endpoint=endpoint, by=case.by, at=at)
    queue.run_pending()
    endpoint.refresh_from_db()
    assert endpoint.off_why == "failing"
    assert not Message.objects.filter(state=State.PENDING.value).exists()


def test_switching_off_gives_up_what_is_pending_and_is_one_entry(case):
    endpoint, at = case.register(), timezone.now()
    message = messages.send_test(endpoint=endpoint, by=case.by, at=at)
    assert endpoints.switch_off(endpoint=endpoint, by=case.by, at=at)
    assert not endpoints.switch_off(endpoint=endpoint, by=case.by, at=at)
    queue.run_pending()
    message.refresh_from_db()
    assert (message.state, FakeOutbound.sent) == ("failed", [])
    assert events().count("integrations.endpoint.switched_off") == 1


def test_what_was_asked_for_while_an_endpoint_went_off_is_never_sent_there(case):
    endpoint, at = case.register(), timezone.now()
    message = messages.send_test(endpoint=endpoint, by=case.by, at=at)
    run = harness.request(endpoint=endpoint, by=case.by, at=at)
    Endpoint.objects.update(off_at=at, off_by=case.by.id, off_why="customer")  # committed between question and write
    queue.run_pending()
    message.refresh_from_db()
    run.refresh_from_db()
    assert FakeOutbound.sent == []
    assert (message.state, run.has_passed) == ("failed", False)


def test_the_harness_passes_a_receiver_that_verifies(case):
    run = case.try_out(case.register())
    assert run.has_passed
    assert [result.got for result in listed.results_of(run)] == ["204", "409", "401", "401", "401", "401"]
    assert events()[-2:] == ["integrations.harness.requested", "integrations.harness.finished"]


def test_the_harness_shows_a_receiver_that_takes_everything(case):
    endpoint = case.register()
    case.book.hooks["/a/b"].verifies = False
    run = case.try_out(endpoint)
    assert run.has_passed is False
    results = {result.probe.value: result.outcome.value for result in listed.results_of(run)}
    assert results == {
        "genuine": "pass",
        **dict.fromkeys(["repeated", "stale", "tampered", "forged", "unsigned"], "block"),
    }


def test_the_harness_stops_where_the_genuine_message_is_not_taken(case):
    case.answers(Reply(404))
    run = case.try_out(case.register())
    assert run.has_passed is False
    assert len(FakeOutbound.sent) == 1
    assert len(run.results) == 6


def test_the_probes_are_what_they_say(case):
    endpoint = case.register()
    case.try_out(endpoint)
    genuine, repeated, stale, tampered, forged, unsigned = FakeOutbound.sent
    secret = Webhook(*endpoints.secrets_of(endpoint, at=timezone.now()))
    assert (repeated.headers, repeated.body) == (genuine.headers, genuine.body)
    assert int(genuine.headers["webhook-timestamp"]) - int(stale.headers["webhook-timestamp"]) in range(590, 605)
    assert stale.headers["webhook-id"] != genuine.headers["webhook-id"]
    assert tampered.body != genuine.body
    for refused in (stale, tampered, forged):
        with pytest.raises(Exception, match=r"too old|No matching signature"):
            secret.verify(refused.body, dict(refused.headers))
    assert not [name for name in unsigned.headers if name.startswith("webhook-")]


def test_an_interrupted_run_begins_again_and_a_second_request_is_the_same(case):
    endpoint = case.register()
    first = harness.request(endpoint=endpoint, by=case.by, at=timezone.now())
    from core.models import Job

    Job.objects.all().delete()
    assert listed.standing(tenant_id=case.tenant_id)[0].state == "stuck"
    assert harness.request(endpoint=endpoint, by=case.by, at=timezone.now()) == first
    queue.run_pending()
    assert listed.standing(tenant_id=case.tenant_id)[0].state == "pass"
    assert events().count("integrations.harness.requested") == 1
