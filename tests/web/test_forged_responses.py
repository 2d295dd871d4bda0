"""Responses that must sign nobody in, minted one by one and posted as a browser would: each refused, each named.

Forgeries and careless providers alike; what python3-saml by itself would accept is among them.
"""

import base64
import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from xmlsec import constants

from accounts.models import SsoConnection, SsoSignIn, SsoTest, UsedAssertion
from accounts.queries import sso as known
from accounts.services import sso, sso_tests
from core import tenancy
from core.actor import Actor
from portal.demo import minting
from portal.demo.minting import SAML, SAMLP, Answer
from tests import make
from tests.forging import (
    ATTACKER,
    comment_in_name,
    detach_signature,
    drop,
    elsewhere,
    encrypted,
    name_in_pieces,
    put,
    refer_to_nothing,
    repeat_attribute,
    saml,
    sign_in_twice,
    transform,
    twice,
    unset,
    wrap_beside_last,
    wrap_in_extensions,
    wrap_in_response,
    wrap_same_id,
    write,
    xsw1,
    xsw2,
    xsw3,
    xsw4,
    xsw5,
    xsw6,
    xsw7,
    xsw8,
)
from tests.sso import EMAIL, Browser, Provider, connected, linked, prove, signer

pytestmark = pytest.mark.django_db

ALWAYS = {"structure", "signature"}


@dataclass
class Desk:
    """A tenant with a proven domain, a connected provider and a linked member, in the middle of a test or a sign-in."""

    connection: SsoConnection
    asked: SsoTest | SsoSignIn
    right: Answer
    browser: Browser
    provider: Provider = field(default_factory=Provider)

    def post(self, message: str, *, relay_state: str | None = None):
        return self.browser.post(message, relay_state=str(self.asked.pk) if relay_state is None else relay_state)

    def failed(self) -> set[str]:
        with tenancy.scope(tenant_id=self.connection.tenant_id):
            self.asked.refresh_from_db()
            return {code for code, verdict in self.asked.verdicts.items() if verdict == "fail"}


def sign_in_at(connection: SsoConnection) -> Desk:
    """Return the middle of a sign-in, in a browser of its own."""
    browser = Browser(connection)
    asked = browser.ask()
    return Desk(connection, asked, Provider().answer(connection, asked), browser)


@pytest.fixture
def desk() -> Desk:
    member, at = make.member(make.tenant("JetBlue"), person=make.user("Olivia", email=EMAIL)), datetime.now(UTC)
    by = make.actor(member)
    linked(member, by)
    with tenancy.scope(tenant_id=member.tenant_id):
        prove(member.tenant_id, "airline.example", by)
        connection = connected(member.tenant_id, by)
        test = sso_tests.start(tenant_id=member.tenant_id, by=by, at=at)
    return Desk(connection, test, Provider().answer(connection, test), Browser(connection))


type Mint = Callable[[Desk], str]


def tampered(change: Callable[[Any], object], **other: Any) -> Mint:
    """Sign what was changed: what a careless or hostile provider sends."""
    return lambda desk: desk.provider.message(replace(desk.right, **other), before=change)


def told(**other: Any) -> Mint:
    return tampered(lambda root: None, **other)


def afterwards(change: Callable[[Any], object]) -> Mint:
    """Change what was signed: what somebody on the way does."""

    def mint(desk: Desk) -> str:
        root = minting.response(desk.right)
        minting.sign(minting.assertion_of(root), desk.provider.signer)
        change(root)
        return minting.encoded(root)

    return mint


def signed_with(**how: Any) -> Mint:
    def mint(desk: Desk) -> str:
        root = minting.response(desk.right)
        minting.sign(minting.assertion_of(root), desk.provider.signer, **how)
        return minting.encoded(root)

    return mint


def text(document: str | bytes) -> Mint:
    raw = document if isinstance(document, bytes) else document.encode()
    return lambda desk: base64.b64encode(raw).decode()


def within(change: Callable[[str], str]) -> Mint:
    """Change the text of a message that was signed."""

    def mint(desk: Desk) -> str:
        message = desk.provider.message(desk.right)
        return base64.b64encode(change(base64.b64decode(message).decode()).encode()).decode()

    return mint


def only_the_response_signed(desk: Desk) -> str:
    root = minting.response(desk.right)
    minting.sign(root, desk.provider.signer)
    return minting.encoded(root)


def response_signature_broken(desk: Desk) -> str:
    root = minting.response(desk.right)
    minting.sign(minting.assertion_of(root), desk.provider.signer)
    minting.sign(root, desk.provider.signer)
    root.set("Consent", "urn:changed")
    return minting.encoded(root)


def response_signed(change: Callable[[Any], object]) -> Mint:
    """Change a message whose response is signed, and its assertion too."""

    def mint(desk: Desk) -> str:
        root = minting.response(desk.right)
        minting.sign(minting.assertion_of(root), desk.provider.signer)
        minting.sign(root, desk.provider.signer)
        change(root)
        return minting.encoded(root)

    return mint


def unsigned(desk: Desk) -> str:
    return minting.encoded(minting.response(desk.right))


def by_another_key(desk: Desk) -> str:
    return Provider(signer=signer("other")).message(desk.right)


def key_of_the_metadata_in_name_only(desk: Desk) -> str:
    """Sign with the attacker's key and carry the trusted certificate."""
    trusted, evil = desk.provider.signer, signer("other")
    root = minting.response(desk.right)
    minting.sign(minting.assertion_of(root), evil)
    next(root.iter("{http://www.w3.org/2000/09/xmldsig#}X509Certificate")).text = trusted.der
    return minting.encoded(root)


MINUTES = timedelta(minutes=1)
NOW = datetime.now(UTC)  # of the import: a run may last many minutes more
BILLION = '<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><r x="&b;">&b;</r>'
FILE = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'
DEEP = "<a>" * 5000 + "</a>" * 5000
CONFIRMED = "SubjectConfirmationData"

FORGED: dict[str, tuple[Mint, set[str]]] = {
    # Not readable at all.
    "empty": (lambda desk: "", {"readable"}),
    "not base64": (lambda desk: "not base64 !", {"readable"}),
    "not xml": (text("hello"), {"readable"}),
    "html": (text("<html><body>Error</body></html>"), {"readable"}),
    "binary": (text(b"\x00\xff\xfe\x80" * 100), {"readable"}),
    "utf-16": (text('<?xml version="1.0" encoding="UTF-16"?><r/>'.encode("utf-16")), {"readable"}),
    "utf-7": (text('<?xml version="1.0" encoding="UTF-7"?><r/>'), {"readable"}),
    "doctype": (text("<!DOCTYPE r><r/>"), {"readable"}),
    "entity bomb": (text(BILLION), {"readable"}),
    "entity of a file": (text(FILE), {"readable"}),
    "too deep": (text(DEEP), {"readable"}),
    "too large": (lambda desk: "A" * (513 * 1024), {"readable"}),
    "a logout": (text(f'<x:LogoutResponse xmlns:x="{SAMLP}"/>'), {"readable"}),
    "an assertion alone": (text(f'<x:Assertion xmlns:x="{SAML}"/>'), {"readable"}),
    # Signatures.
    "unsigned": (unsigned, {"signature", "algorithms"}),
    "another key": (by_another_key, {"signature"}),
    "another key, our certificate": (key_of_the_metadata_in_name_only, {"signature"}),
    "only the response signed": (only_the_response_signed, {"signature"}),
    "response signature broken": (response_signature_broken, {"signature"}),
    "changed on the way": (afterwards(write("NameID", "chief@airline.example")), {"signature"}),
    "sha-1 signature": (signed_with(method=constants.TransformRsaSha1), {"algorithms"}),
    "sha-1 digest": (signed_with(digest=constants.TransformSha1), {"algorithms"}),
    "with comments": (signed_with(canonicalisation=constants.TransformExclC14NWithComments), {"algorithms"}),
    "inclusive": (signed_with(canonicalisation=constants.TransformInclC14N), {"algorithms"}),
    "xslt": (afterwards(transform("http://www.w3.org/TR/1999/REC-xslt-19991116")), {"signature", "algorithms"}),
    "xpath": (afterwards(transform("http://www.w3.org/TR/1999/REC-xpath-19991116")), {"signature", "algorithms"}),
    "reference to the whole": (afterwards(refer_to_nothing), {"signature"}),
    "two references": (afterwards(twice), {"signature"}),
    # Signature wrapping, and texts that read in two ways.
    "wrapped: XSW1": (response_signed(xsw1), ALWAYS),
    "wrapped: XSW2": (response_signed(xsw2), ALWAYS),
    "wrapped: XSW3": (afterwards(xsw3), ALWAYS),
    "wrapped: XSW4": (afterwards(xsw4), ALWAYS),
    "wrapped: XSW5": (afterwards(xsw5), ALWAYS),
    "wrapped: XSW6": (afterwards(xsw6), ALWAYS),
    "wrapped: XSW7": (afterwards(xsw7), ALWAYS),
    "wrapped: XSW8": (afterwards(xsw8), ALWAYS),
    "wrapped: twin after": (afterwards(wrap_beside_last), ALWAYS),
    "wrapped: same id": (afterwards(wrap_same_id), ALWAYS),
    "wrapped: in extensions": (afterwards(wrap_in_extensions), ALWAYS),
    "wrapped: response in response": (afterwards(wrap_in_response), ALWAYS),
    "detached signature": (afterwards(detach_signature), {"signature"}),
    "comment in the name": (tampered(comment_in_name), ALWAYS),
    "comment added on the way": (within(lambda it: it.replace("@airline", "<!---->@airline")), ALWAYS),
    "processing instruction": (within(lambda it: it.replace("@airline", "<?x?>@airline")), ALWAYS),
    "name in pieces": (tampered(name_in_pieces), ALWAYS),
    "encrypted": (afterwards(encrypted), {"structure"}),
    # Addressed elsewhere, or to nobody.
    "no destination": (tampered(lambda root: root.attrib.pop("Destination")), {"destination"}),
    "empty destination": (tampered(lambda root: root.set("Destination", "")), {"destination"}),
    "longer destination": (
        tampered(lambda root: root.set("Destination", f"{root.get('Destination')}x")),
        {"destination"},
    ),
    "no recipient": (tampered(unset(CONFIRMED, "Recipient")), {"recipient"}),
    "recipient contains ours": (
        tampered(lambda root: saml(root, CONFIRMED).set("Recipient", f"https://evil.example/?{root.get('Destination')}")),
        {"recipient"},
    ),
    "other audience": (told(audience="https://other.example"), {"audience"}),
    "no audience": (tampered(drop("AudienceRestriction")), {"audience"}),
    "two restrictions": (
        tampered(lambda root: saml(root, "Conditions").append(copy.deepcopy(elsewhere(root)))),
        {"audience"},
    ),
    "other issuer": (told(issuer="https://evil.example"), {"issuer"}),
    "issuers differ": (tampered(lambda root: setattr(root[0], "text", "https://evil.example")), {"issuer"}),
    # What was asked, and when.
    "no InResponseTo": (tampered(lambda root: root.attrib.pop("InResponseTo")), {"in_response_to"}),
    "other InResponseTo": (tampered(lambda root: root.set("InResponseTo", "_other")), {"in_response_to"}),
    "nothing confirmed": (tampered(unset(CONFIRMED, "InResponseTo")), {"confirmed_request"}),
    "another confirmed": (tampered(put(CONFIRMED, "InResponseTo", "_other")), {"confirmed_request"}),
    "provider's own idea": (
        tampered(lambda root: (root.attrib.pop("InResponseTo"), unset(CONFIRMED, "InResponseTo")(root))),
        {"in_response_to", "confirmed_request"},
    ),
    "no end of confirmation": (tampered(unset(CONFIRMED, "NotOnOrAfter")), {"confirmed_until"}),
    "confirmation over": (
        tampered(put(CONFIRMED, "NotOnOrAfter", minting.moment(NOW - 3 * MINUTES))),
        {"confirmed_until"},
    ),
    "not yet": (tampered(put("Conditions", "NotBefore", minting.moment(NOW + 60 * MINUTES))), {"conditions"}),
    "over": (tampered(put("Conditions", "NotOnOrAfter", minting.moment(NOW - 3 * MINUTES))), {"conditions"}),
    "no conditions": (tampered(drop("Conditions")), {"conditions", "audience"}),
    "ten minutes slow": (told(at=NOW - 10 * MINUTES), {"conditions", "confirmed_until", "issued"}),
    "an hour fast": (told(at=NOW + 60 * MINUTES), {"conditions", "issued"}),
    "no sign-in stated": (tampered(drop("AuthnStatement")), {"issued"}),
    "session over": (
        tampered(put("AuthnStatement", "SessionNotOnOrAfter", minting.moment(NOW - 3 * MINUTES))),
        {"issued"},
    ),
    "no bearer": (
        tampered(put("SubjectConfirmation", "Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches")),
        {"confirmation", "recipient", "confirmed_request", "confirmed_until"},
    ),
    "refused by the provider": (told(status="urn:oasis:names:tc:SAML:2.0:status:Responder"), {"status"}),
    "saml 1.1": (tampered(lambda root: root.set("Version", "1.1")), {"schema"}),
    "not of the schema": (tampered(lambda root: root.set("Colour", "red")), {"schema"}),
    # Whom it names.
    "other domain": (told(email=ATTACKER), {"email"}),
    "empty name": (told(email=""), {"subject", "email"}),
    "no name": (tampered(drop("NameID")), {"subject", "email"}),
    "two at-signs": (told(email="x@evil.example@airline.example"), {"email"}),
    "other qualifier": (tampered(put("NameID", "SPNameQualifier", "https://other.example")), {"subject"}),
    "attribute twice": (tampered(repeat_attribute), {"subject"}),
    "verified by its own word": (told(email=ATTACKER, attributes={"email_verified": ("true",)}), {"email"}),
    "signed in twice over": (tampered(sign_in_twice), {"second"}),
    "two addresses": (told(attributes={"email": (EMAIL, ATTACKER)}), {"email"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_or_careless_response_is_refused_and_named_on_a_test_and_on_a_sign_in(
    desk: Desk, name: str, caplog
) -> None:
    mint, codes = FORGED[name]
    for at in (desk, sign_in_at(desk.connection)):
        answer = at.post(mint(at))
        assert answer.status_code == 303
        assert not answer.cookies
        failed = at.failed()
        assert codes <= failed if codes & ALWAYS else codes == failed
        with tenancy.scope(tenant_id=at.connection.tenant_id):
            kept = known.opened(at.asked)
            assert kept.is_trusted or not UsedAssertion.objects.exists()
        assert all(check.fix for check in kept.checks if check.verdict == "fail")
        if isinstance(at.asked, SsoTest):
            assert at.asked.outcome == "failed"
            continue
        assert (at.asked.outcome, at.asked.reason, at.asked.member_id) == ("refused", "answer_refused", None)
        page = at.browser.back(answer)
        assert (page.status_code, at.browser.person) == (403, None)
        assert at.asked.reference in page.content.decode()
    assert not any(word in caplog.text for word in (EMAIL, ATTACKER, "airline.example"))


def test_the_right_response_signs_in_or_the_table_shows_nothing(desk: Desk) -> None:
    at = sign_in_at(desk.connection)
    page = at.browser.back(at.post(at.provider.message(at.right)))
    assert (at.failed(), page.status_code) == (set(), 302)
    assert at.browser.person


def test_the_right_response_is_accepted_or_the_table_shows_nothing(desk: Desk) -> None:
    desk.post(desk.provider.message(desk.right))
    assert (desk.failed(), desk.asked.outcome) == (set(), "passed")


def test_a_response_signed_twice_over_is_accepted(desk: Desk) -> None:
    root = minting.response(desk.right)
    minting.sign(minting.assertion_of(root), desk.provider.signer)
    minting.sign(root, desk.provider.signer)
    desk.post(minting.encoded(root))
    assert desk.failed() == set()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"SAMLResponse=%ff%fe&RelayState=%00",
        b"SAMLResponse=" + b"A" * 3_000_000,
        b"&".join(b"a%d=1" % number for number in range(2000)),
    ],
    ids=["nothing", "not utf-8", "three megabytes", "two thousand fields"],
)
def test_whatever_is_posted_the_answer_is_no_crash(desk: Desk, body: bytes) -> None:
    where = reverse("sso:acs", args=[desk.connection.provider_id])
    answer = Client(raise_request_exception=False).post(where, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in {400, 413}


def test_a_multipart_body_that_ends_early_is_no_crash(desk: Desk) -> None:
    where = reverse("sso:acs", args=[desk.connection.provider_id])
    kind = "multipart/form-data; boundary=x"
    answer = Client(raise_request_exception=False).post(where, b"--x\r\nContent-Dispos", content_type=kind)
    assert answer.status_code == 400


def test_a_certificate_of_no_known_version_is_no_crash(desk: Desk) -> None:
    genuine, version = desk.provider.signer.der, b"\xa0\x03\x02\x01"
    odd = base64.b64encode(base64.b64decode(genuine).replace(version + b"\x02", version + b"\x07", 1)).decode()
    tenant_id, document = desk.connection.tenant_id, desk.provider.metadata().replace(genuine.encode(), odd.encode())
    with tenancy.scope(tenant_id=tenant_id), pytest.raises(sso.UnableToConnect, match="cannot be read"):
        sso.connect(tenant_id=tenant_id, document=document, by=Actor.system("test"), at=datetime.now(UTC))
    root = minting.response(desk.right)
    minting.sign(minting.assertion_of(root), desk.provider.signer)
    next(root.iter("{http://www.w3.org/2000/09/xmldsig#}X509Certificate")).text = odd
    assert desk.post(minting.encoded(root)).status_code == 303
