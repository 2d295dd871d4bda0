"""Connections and tests on PostgreSQL: connected, replaced, declined; asked, answered once, judged, purged."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from accounts.domain import attributes
from accounts.models import Domain, SsoConnection, SsoTest, UsedAssertion
from accounts.queries import sso as known
from accounts.services import sso, sso_tests
from core import queue, tenancy
from core.errors import PermissionRefused
from core.models import LedgerEntry
from core.permissions import TenantRole
from tests import make
from tests.sso import AT, EMAIL, ENTITY_ID, SSO_URL, Desk, Provider, asked, attribute, desk_of, signer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def its_clock_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the second opinion, which looks at the machine's clock, judge at `AT` too, however long the run takes."""
    monkeypatch.setattr(OneLogin_Saml2_Utils, "now", staticmethod(lambda: int(AT.timestamp())))


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = desk_of()
    with tenancy.scope(tenant_id=desk.tenant_id):
        at = {"verified_at": AT, "verified_by": desk.by.id, "proven_at": AT, "claimed_by": desk.by.id}
        Domain.objects.create(tenant_id=desk.tenant_id, name="airline.example", text="airline.example", token="t", **at)
        yield desk


def right(desk: Desk, test: SsoTest, **wrong: object) -> str:
    return desk.provider.message(desk.provider.answer(test.connection, test, at=AT, **wrong))


def test_begin_hands_out_addresses_that_stay_the_same(desk: Desk) -> None:
    first = sso.begin(tenant_id=desk.tenant_id, by=desk.by, at=AT)
    assert first.provider_id.startswith("org_")
    assert len(first.provider_id) == 36
    desk.connect()
    sso.disconnect(tenant_id=desk.tenant_id, by=desk.by, at=AT)
    sso.disconnect(tenant_id=desk.tenant_id, by=desk.by, at=AT)
    again = sso.begin(tenant_id=desk.tenant_id, by=desk.by, at=AT)
    assert (again.provider_id, again.is_connected, again.certificates.count()) == (first.provider_id, False, 0)
    assert desk.told() == ["accounts.sso.begun", "accounts.sso.connected", "accounts.sso.disconnected"]


def test_metadata_are_taken_over_with_every_certificate(desk: Desk) -> None:
    connection = desk.connect(desk.provider.metadata(signer("next")))
    assert (connection.entity_id, connection.sso_url) == (ENTITY_ID, SSO_URL)
    idp = known.provider(connection)
    assert len({each.fingerprint for each in idp.certificates}) == 2
    assert all(each.not_before < AT < each.not_after for each in idp.certificates)


def test_the_same_metadata_again_change_nothing_others_replace_them(desk: Desk) -> None:
    first = desk.connect()
    assert desk.connect().fingerprint == first.fingerprint
    other = Provider(sso_url="https://idp.airline.example/other")
    assert desk.connect(other.metadata()).fingerprint != first.fingerprint
    assert desk.told() == ["accounts.sso.connected", "accounts.sso.replaced"]


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example/sso",
        "javascript:alert(1)",
        "//idp.example/sso",
        "https://user:pass@idp.example/sso",
        "https://idp.example\\@evil.example/",
        "https://idp.example/sso#here",
        "https://idp.example/" + "x" * 2000,
        "https://idp.exämple/sso",
        "https://[::1/sso",
        "https://",
        "data:text/html,x",
        "https://idp.example:99999/",
    ],
)
def test_people_are_sent_to_plain_https_only(desk: Desk, url: str) -> None:
    with pytest.raises(sso.UnableToConnect, match="sign-in address"):
        desk.connect(Provider(sso_url=url).metadata())
    assert not SsoConnection.objects.exists()


def test_declined_is_a_stated_decision_that_ends_with_a_connection(desk: Desk) -> None:
    sso.decline(tenant_id=desk.tenant_id, by=desk.by, at=AT)
    sso.decline(tenant_id=desk.tenant_id, by=desk.by, at=AT)
    assert known.of_tenant(tenant_id=desk.tenant_id).declined_by == desk.by.id
    assert desk.connect().declined_at is None
    with pytest.raises(sso.UnableToDecline, match="connected"):
        sso.decline(tenant_id=desk.tenant_id, by=desk.by, at=AT)
    assert desk.told() == ["accounts.sso.declined", "accounts.sso.connected"]


def test_a_request_names_us_by_the_settings_and_the_test_by_its_relay_state(desk: Desk, settings) -> None:
    settings.PUBLIC_URL = "https://crossing.example"
    connection, test = desk.connect(), desk.start()
    assert test.leaves_for.startswith(f"{SSO_URL}&SAMLRequest=")
    assert f"RelayState={test.pk}" in test.leaves_for
    request, base = asked(test.leaves_for), f"https://crossing.example/sso/{connection.provider_id}"
    assert attribute(request, "ID") == test.request_id
    assert attribute(request, "AssertionConsumerServiceURL") == f"{base}/acs/"
    assert f"<saml:Issuer>{base}/metadata/</saml:Issuer>" in request
    assert attribute(request, "Destination") == SSO_URL.replace("&", "&amp;")
    assert desk.start().request_id != test.request_id


def test_without_a_connection_there_is_nothing_to_test(desk: Desk) -> None:
    with pytest.raises(sso_tests.UnableToTest, match="No provider is connected"):
        desk.start()


def test_a_right_answer_passes_is_kept_under_seal_and_names_the_member(desk: Desk) -> None:
    desk.connect()
    member = make.member(make.Tenant.objects.get(pk=desk.tenant_id), person=make.user("Olivia", email=EMAIL))
    test = desk.answer(right(desk, desk.start(), attributes={"team": ("Operations",)}))
    kept = known.opened(test)
    assert (test.outcome, set(test.verdicts.values())) == ("passed", {"pass"})
    assert kept.assertion
    assert kept.assertion.name_id == EMAIL
    found = attributes.person(kept.assertion, known.mapping(test.connection))
    assert known.member_named(tenant_id=desk.tenant_id, addresses=found.addresses) == member
    assert EMAIL not in json.dumps([test.verdicts, test.sealed])
    assert test.leaves_for == ""
    assert known.latest_answered(connection=test.connection) == test


def test_nothing_personal_enters_the_ledger(desk: Desk) -> None:
    desk.connect()
    desk.answer(right(desk, desk.start(), email="someone@elsewhere.example"))
    told = LedgerEntry.objects.filter(chain=desk.tenant_id, event="accounts.sso.tested").get()
    assert told.data["failed"] == ["email"]
    assert "elsewhere" not in told.body
    assert desk.told() == ["accounts.sso.connected", "accounts.sso.test_started", "accounts.sso.tested"]


def test_a_test_is_found_by_its_relay_state_when_the_answer_names_no_request(desk: Desk) -> None:
    desk.connect()
    test = desk.start()
    assert desk.answer("not base64 !", relay_state=str(test.pk)).verdicts == {"readable": "fail"}


@pytest.mark.parametrize("relay_state", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_what_nobody_asked_for_is_refused_and_leaves_nothing(desk: Desk, relay_state: str) -> None:
    desk.connect()
    test = desk.start()
    with pytest.raises(sso_tests.UnableToAnswer, match="did not ask"):
        desk.answer(right(desk, test, request_id="_other"), relay_state=relay_state)
    test.refresh_from_db()
    assert (test.answered_at, UsedAssertion.objects.count()) == (None, 0)


def test_a_test_is_answered_once(desk: Desk) -> None:
    desk.connect()
    test = desk.start()
    message = right(desk, test)
    first = desk.answer(message)
    for again in (message, right(desk, test)):
        with pytest.raises(sso_tests.UnableToAnswer, match="answered already"):
            desk.answer(again, relay_state=str(test.pk))
    test.refresh_from_db()
    assert test.sealed == first.sealed


def test_an_assertion_counts_once_even_for_another_request(desk: Desk) -> None:
    desk.connect()
    one, two = desk.start(), desk.start()
    message = right(desk, one)
    desk.answer(message)
    one.delete()  # or its id would lead to it, and it was answered
    replayed = desk.answer(message, relay_state=str(two.pk))
    failed = {code for code, verdict in replayed.verdicts.items() if verdict == "fail"}
    assert failed == {"once", "in_response_to", "confirmed_request"}


def test_a_late_answer_fails_for_being_late(desk: Desk) -> None:
    desk.connect()
    test, late = desk.start(), AT + timedelta(seconds=601)
    message = desk.provider.message(desk.provider.answer(test.connection, test, at=late))
    assert [code for code, verdict in desk.answer(message, at=late).verdicts.items() if verdict == "fail"] == [
        "request"
    ]


def test_metadata_changed_in_between_need_a_new_test(desk: Desk) -> None:
    desk.connect()
    test = desk.start()
    desk.connect(Provider(sso_url="https://idp.airline.example/other").metadata())
    with pytest.raises(sso_tests.UnableToAnswer, match="changed after this test began"):
        desk.answer(right(desk, test))


def test_while_certificates_overlap_either_signs(desk: Desk) -> None:
    desk.connect(desk.provider.metadata(signer("next")))
    new = Provider(signer=signer("next"))
    for provider in (desk.provider, new):
        test = desk.start()
        assert desk.answer(provider.message(provider.answer(test.connection, test, at=AT))).outcome == "passed"


def test_another_tenants_provider_is_refused_at_ours(desk: Desk) -> None:
    desk.connect()
    test = desk.start()
    theirs = Provider(signer=signer("other"), entity_id="https://other.example")
    kept = known.opened(desk.answer(theirs.message(theirs.answer(test.connection, test, at=AT))))
    assert {check.code.value for check in kept.checks if check.verdict == "fail"} == {"signature", "issuer"}
    assert not kept.is_trusted
    assert UsedAssertion.objects.count() == 0


def test_messages_are_forgotten_after_a_week_and_used_assertions_when_they_could_not_come_again(desk: Desk) -> None:
    desk.connect()
    test = desk.answer(right(desk, desk.start()))
    for days, is_kept in ((7, True), (8, False)):
        with make.arranging():
            sso_tests.purge(at=AT + timedelta(days=days))
        test.refresh_from_db()
        assert bool(test.sealed) is is_kept
        assert UsedAssertion.objects.count() == 0
    kept = known.opened(test)
    assert (kept.assertion, len(kept.checks), test.outcome) == (None, 22, "passed")
    assert test.purged_at


def test_the_worker_forgets_by_itself() -> None:
    assert "accounts.tasks.purge_sso" in dict(queue.registry.TASKS.items())


@pytest.mark.parametrize("role", [TenantRole.AUDITOR, TenantRole.MEMBER])
def test_only_owners_and_admins_manage_it(role: TenantRole) -> None:
    desk = desk_of(role)
    common = {"tenant_id": desk.tenant_id, "by": desk.by, "at": AT}
    with tenancy.scope(tenant_id=desk.tenant_id):
        for use in (sso.begin, sso.decline, sso.disconnect, sso_tests.start):
            with pytest.raises(PermissionRefused):
                use(**common)
        with pytest.raises(PermissionRefused):
            sso.connect(document=b"", **common)


def test_the_database_holds_one_connection_per_tenant_and_whole_pairs(desk: Desk) -> None:
    desk.connect()
    wrong = [
        lambda: SsoConnection.objects.create(tenant_id=desk.tenant_id, begun_by=desk.by.id),
        lambda: SsoConnection.objects.update(connected_by=None),
        lambda: SsoConnection.objects.update(declined_at=AT, declined_by=desk.by.id),
    ]
    for write in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            write()
