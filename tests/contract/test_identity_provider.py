"""One promise, kept by the fake and by python3-saml with xmlsec: what is read, what is written, what never raises."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.db import transaction

from core.ports import IdentityProvider, Rejected
from core.saml import (
    MOST_METADATA,
    MOST_RESPONSE,
    Assertion,
    Attribute,
    Confirmation,
    ProviderMetadata,
    SamlResponse,
    ServiceProvider,
    Signature,
    SigningCertificate,
    Unreadable,
)
from core.tenancy import TransactionOpenError
from portal.adapters.saml import OneloginProvider
from portal.demo import minting
from portal.demo.minting import Answer
from portal.saml_keys import Signer
from tests.fakes import identity_provider as fake
from tests.fakes.identity_provider import FakeProvider
from tests.sso import signer

SP = ServiceProvider("https://crossing.example/sso/org_1/metadata/", "https://crossing.example/sso/org_1/acs/")
ENTITY_ID, SSO_URL = "https://idp.example", "https://idp.example/sso?a=1&b=2"
AT = datetime.now(UTC).replace(microsecond=0)
ANSWER = Answer(
    issuer=ENTITY_ID, audience=SP.entity_id, acs_url=SP.acs_url, request_id="_request", email="olivia@airline.example",
    at=AT, attributes={"displayName": ("Olivia Owen",), "groups": ("a", "b")},
)  # fmt: skip


def certificate(of: Signer) -> SigningCertificate:
    read = x509.load_pem_x509_certificate(of.certificate.encode())
    return SigningCertificate(
        der=of.der,
        fingerprint=read.fingerprint(hashes.SHA256()).hex().upper(),
        subject=read.subject.rfc4514_string(),
        not_before=read.not_valid_before_utc,
        not_after=read.not_valid_after_utc,
    )


class Real:
    """XML, signed by xmlsec."""

    port: IdentityProvider = OneloginProvider(settings.SAML_KEYS)

    def metadata(self, *signers: Signer) -> bytes:
        url = SSO_URL.replace("&", "&amp;")
        return minting.metadata(entity_id=ENTITY_ID, sso_url=url, signers=list(signers)).encode()

    def certificate(self, of: Signer) -> str:
        return of.certificate

    def message(self, by: Signer | None, *, at: datetime = AT) -> str:
        root = minting.response(replace(ANSWER, at=at))
        if by:
            minting.sign(minting.assertion_of(root), by)
        return minting.encoded(root)


class Fake:
    """JSON, signed by word."""

    port: IdentityProvider = FakeProvider()

    def metadata(self, *signers: Signer) -> bytes:
        return fake.metadata_of(ProviderMetadata(ENTITY_ID, SSO_URL, tuple(map(certificate, signers))))

    def certificate(self, of: Signer) -> str:
        return fake.certificate_of(certificate(of))

    def message(self, by: Signer | None, *, at: datetime = AT) -> str:
        begins, ends = minting.moment(at - timedelta(seconds=5)), minting.moment(at + timedelta(minutes=5))
        now = minting.moment(at)
        signature = Signature(
            method="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            digest="http://www.w3.org/2001/04/xmlenc#sha256",
            canonicalisation="http://www.w3.org/2001/10/xml-exc-c14n#",
            transforms=(
                "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
                "http://www.w3.org/2001/10/xml-exc-c14n#",
            ),
            claimed=certificate(by).fingerprint if by else "",
        )
        assertion = Assertion(
            id="_assertion", issuer=ENTITY_ID, issued_at=now, signature=signature if by else None,
            name_id="olivia@airline.example", name_id_format=minting.EMAIL_FORMAT,
            confirmations=(Confirmation(minting.BEARER, SP.acs_url, "_request", None, ends),), has_conditions=True,
            not_before=begins, not_on_or_after=ends, audiences=((SP.entity_id,),), authenticated_at=now,
            authn_context=minting.PASSWORD_CONTEXT,
            attributes=(Attribute("displayName", ("Olivia Owen",)), Attribute("groups", ("a", "b"))),
        )  # fmt: skip
        return fake.written(
            SamlResponse(
                version="2.0", id="_response", destination=SP.acs_url, issuer=ENTITY_ID, in_response_to="_request",
                issued_at=now, status=minting.SUCCESS, assertion=assertion,
            )
        )  # fmt: skip


type World = Real | Fake


@pytest.fixture(params=[Real, Fake], ids=["onelogin", "fake"])
def world(request: pytest.FixtureRequest) -> World:
    made: World = request.param()
    return made


def test_metadata_tell_who_the_provider_is_where_it_signs_in_and_with_what_it_signs(world: World) -> None:
    found = world.port.metadata(world.metadata(signer(), signer("next")))
    assert found == ProviderMetadata(ENTITY_ID, SSO_URL, (certificate(signer()), certificate(signer("next"))))


def test_a_key_behind_many_repetitions_of_another_is_read_too() -> None:
    world = Real()
    found = world.port.metadata(world.metadata(*[signer()] * 12, signer("next")))
    assert found.certificates == (certificate(signer()), certificate(signer("next")))


def test_a_certificate_without_a_known_end_has_one_that_every_clock_can_show() -> None:
    """RFC 5280 4.1.2.5 writes it as the last second of the year 9999."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    ends = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = built.not_valid_before(AT).not_valid_after(ends).sign(key, hashes.SHA256())
    found = Real.port.certificate(made.public_bytes(serialization.Encoding.PEM).decode())
    assert found.not_after.astimezone(ZoneInfo("Pacific/Auckland")).year == 9998


@pytest.mark.parametrize("document", [b"", b"  ", b"hello", b"\xff\x00", b"<a/>", b"{}", b"x" * (MOST_METADATA + 1)])
def test_metadata_of_no_use_are_rejected_with_words(world: World, document: bytes) -> None:
    with pytest.raises(Rejected, match=r"\w+ \w+"):
        world.port.metadata(document)


def test_a_certificate_is_read_by_itself_as_metadata_read_it(world: World) -> None:
    assert world.port.certificate(world.certificate(signer())) == certificate(signer())
    for text in ("", "hello", "<a/>", "-----BEGIN CERTIFICATE-----"):
        with pytest.raises(Rejected, match=r"\w+ \w+"):
            world.port.certificate(text)


def test_a_request_is_an_address_of_the_provider_with_a_fresh_id(world: World) -> None:
    idp = ProviderMetadata(ENTITY_ID, SSO_URL, ())
    one, two = (world.port.request(sp=SP, idp=idp, relay_state="run & 1") for _ in range(2))
    assert one.id != two.id
    assert one.url.startswith(SSO_URL)
    query = parse_qs(urlsplit(one.url).query)
    assert (query["a"], query["b"], query["RelayState"]) == (["1"], ["2"], ["run & 1"])
    assert query["SAMLRequest"][0]


def test_a_response_is_read_into_facts(world: World) -> None:
    found = world.port.response(world.message(signer()), certificates=[certificate(signer())])
    assertion = found.assertion
    assert assertion
    assert assertion.signature
    assert found == replace(
        SamlResponse(
            version="2.0", destination=SP.acs_url, issuer=ENTITY_ID, in_response_to="_request",
            issued_at=minting.moment(AT), status=minting.SUCCESS,
        ),
        id=found.id,
        assertion=Assertion(
            id=assertion.id, issuer=ENTITY_ID, issued_at=minting.moment(AT), signature=assertion.signature,
            name_id="olivia@airline.example", name_id_format=minting.EMAIL_FORMAT,
            confirmations=(
                Confirmation(
                    minting.BEARER, SP.acs_url, "_request", None, minting.moment(AT + timedelta(minutes=5))
                ),
            ),
            has_conditions=True, not_before=minting.moment(AT - timedelta(seconds=5)),
            not_on_or_after=minting.moment(AT + timedelta(minutes=5)), audiences=((SP.entity_id,),),
            authenticated_at=minting.moment(AT), authn_context=minting.PASSWORD_CONTEXT,
            attributes=(Attribute("displayName", ("Olivia Owen",)), Attribute("groups", ("a", "b"))),
        ),
    )  # fmt: skip
    assert assertion.signature.method.endswith("#rsa-sha256")
    assert assertion.signature.digest.endswith("#sha256")


@pytest.mark.parametrize("trusted", [[], ["next"], ["", "next"], ["next", ""]])
def test_a_signature_is_tried_against_every_trusted_certificate(world: World, trusted: list[str]) -> None:
    known = [certificate(signer(name) if name else signer()) for name in trusted]
    found = world.port.response(world.message(signer()), certificates=known)
    assert found.assertion
    signature = found.assertion.signature
    assert signature
    mine = certificate(signer()).fingerprint
    assert (signature.claimed, signature.verified_by) == (mine, mine if "" in trusted else "")


def test_an_unsigned_response_has_no_signature(world: World) -> None:
    found = world.port.response(world.message(None), certificates=[certificate(signer())])
    assert found.assertion
    assert found.assertion.signature is None


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("", Unreadable.EMPTY),
        (" \n", Unreadable.EMPTY),
        ("A" * (MOST_RESPONSE + 1), Unreadable.TOO_LARGE),
        ("not base64 !", Unreadable.NOT_BASE64),
        ("aGVsbG8=", Unreadable.NOT_XML),
        (base64.b64encode(b"\xff\xfe").decode(), None),
        (base64.b64encode(b"<!DOCTYPE a []><a/>").decode(), Unreadable.DOCTYPE),
        ("\x00", Unreadable.NOT_BASE64),
        ("ü" * 20, Unreadable.NOT_BASE64),
    ],
)
def test_what_cannot_be_read_is_a_fact_and_no_error(world: World, message: str, why: Unreadable | None) -> None:
    found = world.port.response(message, certificates=[certificate(signer())])
    assert found.unreadable
    assert why in (None, found.unreadable)
    assert "readable" not in world.port.redacted(message) or "not readable" in world.port.redacted(message)


def test_what_is_shown_of_a_message_tells_of_no_person(world: World) -> None:
    shown = world.port.redacted(world.message(signer()))
    assert SP.acs_url in shown
    assert not any(word in shown for word in ("olivia", "Olivia", "airline.example"))


def test_our_metadata_name_our_two_addresses_and_whether_we_sign_requests(world: World) -> None:
    for signs in (False, True):
        described = world.port.describe(SP, signs_requests=signs)
        assert SP.entity_id in described
        assert SP.acs_url in described
        assert f'AuthnRequestsSigned="{str(signs).lower()}"' in described


def test_a_request_is_signed_where_the_provider_asks_for_it(world: World) -> None:
    for wants in (False, True):
        idp = ProviderMetadata(ENTITY_ID, SSO_URL, (), wants_signed_requests=wants)
        query = parse_qs(urlsplit(world.port.request(sp=SP, idp=idp, relay_state="r").url).query)
        assert ({"SigAlg", "Signature"} <= query.keys(), query["a"]) == (wants, ["1"])


def test_whether_a_provider_wants_signed_requests_stands_in_its_metadata() -> None:
    for said, wants in (("true", True), ("1", True), ("false", False), ("", False)):
        document = Real().metadata(signer()).replace(b'Signed="false"', f'Signed="{said}"'.encode())
        assert Real.port.metadata(document).wants_signed_requests is wants


@pytest.mark.django_db
def test_nothing_is_asked_inside_a_transaction(world: World) -> None:
    idp = ProviderMetadata(ENTITY_ID, SSO_URL, ())
    for call in (
        lambda: world.port.metadata(world.metadata(signer())),
        lambda: world.port.request(sp=SP, idp=idp, relay_state=""),
        lambda: world.port.response(world.message(signer()), certificates=[]),
    ):
        with transaction.atomic(), pytest.raises(TransactionOpenError):
            call()


@pytest.mark.django_db
def test_a_second_opinion_is_asked_of_who_knows_nothing_of_our_rules(world: World) -> None:
    trusted = ProviderMetadata(ENTITY_ID, SSO_URL, (certificate(signer("next")), certificate(signer())))
    strangers = replace(trusted, certificates=(certificate(signer("next")),))

    def objection(idp: ProviderMetadata = trusted, *, by: str | None = "", sp=SP, request_id="_request") -> str:
        signed_by = None if by is None else signer(by) if by else signer()
        message = world.message(signed_by, at=datetime.now(UTC))
        return world.port.objection(message, sp=sp, idp=idp, request_id=request_id)

    assert objection() == ""
    assert objection(strangers) == "INVALID_SIGNATURE"
    assert objection(by=None) in ("NO_SIGNATURE_FOUND", "NO_SIGNED_ASSERTION")
    assert objection(request_id="_other") == "WRONG_INRESPONSETO"
    assert objection(sp=replace(SP, entity_id="https://other.example")) == "WRONG_AUDIENCE"
    with transaction.atomic(), pytest.raises(TransactionOpenError):
        objection()


@pytest.mark.parametrize("message", ["", "!", "aGVsbG8=", base64.b64encode(b"<!DOCTYPE a><a/>").decode()])
def test_a_second_opinion_never_raises(world: World, message: str) -> None:
    idp = ProviderMetadata(ENTITY_ID, SSO_URL, (certificate(signer()),))
    assert world.port.objection(message, sp=SP, idp=idp, request_id="_request")


def test_clocks_are_the_rules_own_affair_and_signatures_are_still_looked_at() -> None:
    world = Real()
    root = minting.response(replace(ANSWER, at=datetime.now(UTC) - timedelta(minutes=6)))
    minting.sign(minting.assertion_of(root), signer())
    late = minting.encoded(root)
    for by, expected in ((signer(), ""), (signer("next"), "INVALID_SIGNATURE")):
        idp = ProviderMetadata(ENTITY_ID, SSO_URL, (certificate(by),))
        assert world.port.objection(late, sp=SP, idp=idp, request_id="_request") == expected
