"""Single sign-on as a customer meets it, and as whoever posts to its address meets it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import SsoConnection, SsoTest, Tenant
from core.permissions import TenantRole
from tests import make
from tests.sso import EMAIL, Provider, signer

pytestmark = pytest.mark.django_db


@dataclass
class Browser:
    """A signed-in member's browser, and a provider that sends it back."""

    client: Client
    tenant: Tenant
    provider: Provider

    def url(self, name: str, *more: object) -> str:
        return reverse(f"accounts:{name}", args=[self.tenant.slug, *more])

    def get(self):
        return self.client.get(self.url("sso"))

    def post(self, name: str, **data: object):
        return self.client.post(self.url(name), data, follow=True)

    def connect(self, document: bytes | None = None):
        return self.post("connect_sso", metadata=(document or self.provider.metadata()).decode())

    def confirm(self, shown):
        """Say yes to what a page shows of a change."""
        unseen = shown.context["unseen"]
        return self.post("connect_sso", metadata=shown.context["given"], seen=unseen.digest)

    def start(self) -> SsoTest:
        self.post("start_sso_test")
        with make.arranging():
            return SsoTest.objects.select_related("connection").latest("started_at")

    def come_back(self, message: str, test: SsoTest, *, client: Client | None = None, relay_state: str | None = None):
        """Post as the provider's page makes a browser do it: from another site, so without our cookies."""
        where = reverse("sso:acs", args=[test.connection.provider_id])
        state = str(test.pk) if relay_state is None else relay_state
        return (client or Client()).post(where, {"SAMLResponse": message, "RelayState": state})

    def show(self, test: SsoTest):
        return self.client.get(self.url("sso_test", test.pk))


@pytest.fixture
def open_as() -> Callable[..., Browser]:
    def browse(role: TenantRole = TenantRole.ADMIN, tenant: Tenant | None = None) -> Browser:
        tenant = tenant or make.tenant("JetBlue")
        client = Client()
        client.force_login(make.member(tenant, role).user)
        return Browser(client, tenant, Provider())

    return browse


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_at_first_the_page_asks_how_people_sign_in(open_as) -> None:
    page = open_as()
    assert "How will your people sign in?" in text(page.get())
    assert "Download all of this as metadata" in text(page.post("begin_sso"))
    reader = open_as(TenantRole.MEMBER)
    assert "An owner or admin of your account connects" in text(reader.get())
    assert "<form" not in text(reader.get()).split("<main")[1].split("</main")[0]


def test_our_values_come_from_the_settings_whatever_the_host_header_says(open_as, settings) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://crossing.example", ["*"]
    page = open_as()
    page.post("begin_sso")
    with make.arranging():
        provider_id = SsoConnection.objects.get().provider_id
    base = f"https://crossing.example/sso/{provider_id}"
    shown = page.client.get(page.url("sso"), headers={"Host": "evil.example"})
    assert f"{base}/acs/" in text(shown)
    assert "evil.example" not in text(shown)
    document = Client().get(reverse("sso:metadata", args=[provider_id]), headers={"Host": "evil.example"})
    assert f'entityID="{base}/metadata/"' in document.content.decode()
    assert f'Location="{base}/acs/"' in document.content.decode()
    assert "evil.example" not in document.content.decode()
    assert document["Content-Type"] == "application/samlmetadata+xml"


def test_doing_without_is_stated_and_can_be_taken_back(open_as) -> None:
    page = open_as()
    assert "You sign in without single sign-on" in text(page.post("decline_sso"))
    assert "What your provider needs to know of us" in text(page.post("begin_sso"))


def test_a_file_or_a_text_connects(open_as) -> None:
    page = open_as()
    said = text(page.post("connect_sso", file=SimpleUploadedFile("idp.xml", page.provider.metadata(signer("next")))))
    assert said.count("Last signed with") == 2
    assert "The metadata are read." in said
    assert "Not tested yet" in said
    assert "Use this metadata" in said
    shown = page.connect(page.provider.metadata(signer("third")))
    assert "This is what changes: yes or no?" in text(shown)
    assert "new, trusted once you say yes" in text(shown)
    assert text(shown).count("Last signed with") == 2
    kept = text(page.confirm(shown))
    assert kept.count("Last signed with") == 3
    assert "Your metadata no longer list it" in kept


def test_a_certificate_past_its_date_is_told_as_what_it_is(open_as) -> None:
    said = text(open_as().connect(Provider(signer=signer("old", days=-1)).metadata()))
    assert "Out of date" in said
    assert "One past its date shuts nobody out" in said


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b" ", "The metadata are empty."),
        (b"hello", "This is not an XML file in UTF-8."),
        (b"\xff\xfe<\x00a\x00", "This is not an XML file in UTF-8."),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "This is not an XML file in UTF-8."),
        (b"<html><body>Sign in</body></html>", "not SAML metadata"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "document type or entities"),
        (b"<a>" + b"x" * 600_000 + b"</a>", "larger than 512 KB"),
        (Provider().metadata().replace(b"IDPSSODescriptor", b"SPSSODescriptor"), "metadata of an application"),
        (Provider().metadata().replace(b"HTTP-Redirect", b"HTTP-POST"), "HTTP-Redirect (it offers: HTTP-POST)"),
        (Provider().metadata().replace(b'use="signing"', b'use="encryption"'), "no signing certificate"),
        (Provider().metadata().replace(b"<ds:X509Certificate>", b"<ds:X509Certificate>AAAA"), "cannot be read"),
        (Provider().metadata().replace(b"entityID=", b"x="), "no entityID"),
        (Provider(sso_url="http://idp.example/").metadata(), "does not begin with https://"),
    ],
)
def test_metadata_of_no_use_are_refused_with_the_reason(open_as, document: bytes, said: str) -> None:
    page = open_as()
    answer = page.post("connect_sso", file=SimpleUploadedFile("idp.xml", document))
    assert answer.status_code == 422
    assert said in text(answer)
    assert "Download the metadata from your provider again" in text(answer)


def test_metadata_of_several_providers_are_refused(open_as) -> None:
    one = Provider().metadata().decode().split("?>", 1)[1]
    many = f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{one}{one}</md:EntitiesDescriptor>'
    answer = open_as().connect(many.encode())
    assert "several identity providers" in text(answer)


def test_a_test_leaves_by_a_link_and_not_by_a_form(open_as) -> None:
    page = open_as()
    page.connect()
    shown = page.post("start_sso_test")
    test = page.start()
    assert "Continue to your provider" in text(shown)
    assert 'href="https://idp.airline.example/sso?app=crossing&amp;v=2&amp;SAMLRequest=' in text(page.show(test))
    reader = open_as(TenantRole.MEMBER, page.tenant)
    assert "SAMLRequest" not in text(reader.show(test))


def test_coming_back_leads_to_the_result_and_makes_no_session(open_as, caplog) -> None:
    page, stranger = open_as(), Client()
    page.connect()
    test = page.start()
    answer = page.come_back(page.provider.message(page.provider.answer(test.connection, test)), test, client=stranger)
    assert (answer.status_code, answer["Location"]) == (303, page.url("sso_test", test.pk))
    assert not answer.cookies
    assert "_auth_user_id" not in stranger.session
    assert stranger.get(answer["Location"]).status_code == 302
    shown = text(page.show(test))
    assert "This sign-in would have been refused" in shown
    assert "Prove your domain under Domains first" in shown
    assert EMAIL in shown
    assert EMAIL not in caplog.text


def test_who_only_views_sees_the_checks_but_nothing_of_the_person(open_as) -> None:
    page = open_as()
    page.connect()
    test = page.start()
    page.come_back(page.provider.message(page.provider.answer(test.connection, test)), test)
    shown = text(open_as(TenantRole.MEMBER, page.tenant).show(test))
    assert "The address is of a domain you have proven" in shown
    assert EMAIL not in shown
    assert "airline.example/entity" in shown


def test_an_untrusted_answer_is_shown_whole_and_marked(open_as) -> None:
    page, other = open_as(), Provider(signer=signer("other"))
    page.connect()
    test = page.start()
    page.come_back(other.message(other.answer(test.connection, test, audience="https://wrong.example")), test)
    shown = text(page.show(test))
    assert "Nothing below is to be trusted" in shown
    assert "Upload its current metadata under “Single sign-on”" in shown
    assert "https://wrong.example" in shown
    assert "Not to be trusted" in shown
    assert "Nobody: the assertion is not to be trusted." in shown
    assert "Keep this mapping" not in shown  # nobody chooses by what a stranger may have written


def test_what_nobody_asked_for_is_refused_on_a_plain_page(open_as) -> None:
    page = open_as()
    page.connect()
    test = page.start()
    message = page.provider.message(page.provider.answer(test.connection, test, request_id="_other"))
    answer = page.come_back(message, test, relay_state="")
    assert answer.status_code == 400
    assert "We did not ask for this sign-in." in text(answer)
    assert "Nobody was signed in." in text(answer)


def test_an_answer_sent_twice_is_refused_the_second_time(open_as) -> None:
    page = open_as()
    page.connect()
    test = page.start()
    message = page.provider.message(page.provider.answer(test.connection, test))
    assert page.come_back(message, test).status_code == 303
    again = page.come_back(message, test)
    assert (again.status_code, "an answer counts once" in text(again)) == (400, True)


def test_another_tenants_test_is_not_answered_at_our_address(open_as) -> None:
    ours, theirs = open_as(), open_as()
    ours.connect()
    theirs.connect()
    our_test, their_test = ours.start(), theirs.start()
    message = theirs.provider.message(theirs.provider.answer(their_test.connection, their_test))
    answer = ours.come_back(message, our_test, relay_state=str(their_test.pk))
    assert answer.status_code == 400
    with make.arranging():
        assert not SsoTest.objects.filter(answered_at__isnull=False).exists()


def test_an_address_nobody_has_is_not_found() -> None:
    assert Client().post(reverse("sso:acs", args=["org_nobody"]), {}).status_code == 404
    assert Client().get(reverse("sso:metadata", args=["org_nobody"])).status_code == 404


def test_a_test_nobody_answered_says_so(open_as) -> None:
    page = open_as()
    page.connect()
    test = page.start()
    with make.arranging():
        SsoTest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "Nothing came back" in text(page.show(test))
    assert "Not answered" in text(page.get())


def test_the_page_costs_the_same_for_ten_tests_and_for_many(open_as) -> None:
    page, costs = open_as(), []
    page.connect()
    test = page.start()
    common = {"tenant": page.tenant, "connection_id": test.connection_id, "fingerprint": test.fingerprint}
    common |= {"started_at": timezone.now(), "expires_at": timezone.now(), "started_by": test.started_by}
    for start, stop in ((0, 10), (10, 500)):
        with make.arranging():
            SsoTest.objects.bulk_create(SsoTest(request_id=f"_{number}", **common) for number in range(start, stop))
        page.get()
        with CaptureQueriesContext(connection) as counted:
            page.get()
        costs.append(len(counted))
    assert costs[0] == costs[1]


def test_testing_without_a_connection_is_refused(open_as) -> None:
    answer = open_as().post("start_sso_test")
    assert (answer.status_code, "Upload its metadata first." in text(answer)) == (422, True)


def answered(page: Browser, **said: tuple[str, ...]) -> SsoTest:
    page.connect()
    test = page.start()
    page.come_back(page.provider.message(page.provider.answer(test.connection, test, attributes=said)), test)
    return test


def test_a_mapping_is_tried_on_a_test_and_kept_for_the_next(open_as) -> None:
    page = open_as()
    with make.arranging():
        make.member(page.tenant, person=make.user("Olivia Work", email="work@airline.example"))
    test = answered(page, workMail=("work@airline.example",), team=("Pilots",))
    url = page.url("map_sso", test.pk)
    tried = page.client.post(url, {"email": "workMail", "groups": "team", "roles": "Pilots = auditor", "try": "1"})
    assert tried.status_code == 200
    assert "Tried, not kept" in text(tried)
    assert "This maps to <strong>Olivia Work</strong>" in text(tried)
    assert "would join as auditor" in text(tried)
    with make.arranging():
        assert SsoConnection.objects.get().attributes == {}
    part = page.client.post(url, {"email": "workMail", "try": "1"}, headers={"HX-Request": "true"})
    assert text(part).startswith('<section class="card" id="mapping"')
    kept = page.client.post(url, {"email": "workMail"}, follow=True)
    assert "Tried, not kept" not in text(kept)
    assert "The connection is another one now" in text(kept)
    again = answered(page, workMail=("work@airline.example",))
    with make.arranging():
        assert SsoTest.objects.get(pk=again.pk).verdicts["email"] == "fail"  # its domain is not proven
    assert "one address at" in text(page.show(again))
    assert "This maps to <strong>Olivia Work</strong>" in text(page.show(again))


def test_a_mapping_that_cannot_be_comes_back_with_the_reason_and_what_was_typed(open_as) -> None:
    page = open_as()
    test = answered(page)
    answer = page.client.post(page.url("map_sso", test.pk), {"roles": "Pilots = owner"})
    assert answer.status_code == 422
    assert "Write one group and its role per line" in text(answer)
    assert "Pilots = owner" in text(answer)


def test_an_auditor_finds_how_sign_ins_ended_and_a_member_does_not(open_as) -> None:
    page = open_as()
    page.connect()
    link = page.url("sso_sign_ins")
    assert link in text(open_as(TenantRole.AUDITOR, page.tenant).get())
    assert link not in text(open_as(TenantRole.MEMBER, page.tenant).get())


def test_who_only_views_sees_no_mapping(open_as) -> None:
    page = open_as()
    test = answered(page, workMail=("work@airline.example",))
    shown = text(open_as(TenantRole.MEMBER, page.tenant).show(test))
    assert "work@airline.example" not in shown
    assert "Keep this mapping" not in shown


def test_a_guide_shows_our_values_in_the_products_words(open_as) -> None:
    page = open_as()
    url = page.url("sso_guide", "entra")
    assert "Our values are not made yet" in text(page.client.get(url))
    page.post("begin_sso")
    with make.arranging():
        provider_id = SsoConnection.objects.get().provider_id
    shown = text(page.client.get(url))
    assert "Reply URL (Assertion Consumer Service URL)" in shown
    assert shown.count(f"/sso/{provider_id}/acs/") == 2  # the value, and its copy button
    assert page.client.get(page.url("sso_guide", "nobody")).status_code == 404


def test_certificates_are_added_and_retired_on_the_page(open_as) -> None:
    page = open_as()
    page.connect()
    refused = page.post("add_sso_certificate", certificate=signer().key)
    assert (refused.status_code, "This is a private key" in text(refused)) == (422, True)
    assert "BEGIN" not in text(refused)
    shown = text(page.post("add_sso_certificate", certificate=signer("next").certificate))
    assert shown.count("Last signed with") == 2
    with make.arranging():
        first = SsoConnection.objects.get().certificates.get(subject="CN=idp.airline.example")
    retired = page.client.post(page.url("retire_sso_certificate", first.pk), follow=True)
    assert "retired by hand" in text(retired)
    restored = page.client.post(page.url("restore_sso_certificate", first.pk), follow=True)
    assert text(restored).count("Last signed with") == 2


def test_a_result_can_be_passed_on_without_personal_data(open_as) -> None:
    page = open_as()
    test = answered(page, displayName=("Olivia Owen",))
    file = open_as(TenantRole.MEMBER, page.tenant).client.get(page.url("sso_test_report", test.pk))
    said = file.content.decode()
    assert file["Content-Disposition"] == 'attachment; filename="sign-in-test.txt"'
    assert "FAILED  The address is of a domain you have proven" in said
    assert "passed  It is addressed to us" in said
    assert f"expected: http://localhost:8000/sso/{test.connection.provider_id}/acs/" in said or "/acs/" in said
    assert "Olivia" not in said
    assert "@" not in said
    assert page.client.get(page.url("sso_test_report", page.start().pk)).status_code == 404


@pytest.mark.parametrize("where", ["acs_cut_short", "metadata"])
def test_an_answer_to_nearly_our_address_is_diagnosed_and_not_lost(open_as, where: str) -> None:
    page = open_as()
    page.connect()
    test = page.start()
    wrong = reverse(f"sso:{where}", args=[test.connection.provider_id])
    message = page.provider.message(
        page.provider.answer(test.connection, test, acs_url=f"https://crossing.example{wrong}")
    )
    arrived = Client().post(wrong, {"SAMLResponse": message, "RelayState": str(test.pk)})
    assert (arrived.status_code, arrived["Location"]) == (303, page.url("sso_test", test.pk))
    shown = text(page.show(test))
    assert "This sign-in would have been refused" in shown
    assert "exactly as it stands here, to the last character" in shown
