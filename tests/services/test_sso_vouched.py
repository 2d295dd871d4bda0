"""New keys at a followed address: taken in when somebody trusted signed for them, else with a person's yes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import etree
from onelogin.saml2.utils import OneLogin_Saml2_Utils
from pytest_django import Settings

from accounts.models import SsoCertificate, SsoSource
from accounts.readiness import sso as checks
from accounts.services import sso, sso_certificates, sso_sources
from core import ports, tenancy
from core.actor import Actor
from core.errors import PermissionRefused
from core.findings import Outcome
from core.outbound import Reply
from core.permissions import TenantRole
from tests import make
from tests.fakes.outbound import FakeOutbound
from tests.sso import AT, Desk, Provider, desk_of, linked, signer

pytestmark = pytest.mark.django_db

URL, DAY = "https://idp.airline.example/metadata", timedelta(days=1)
type Serve = Callable[[bytes], None]


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = desk_of()
    with tenancy.scope(tenant_id=desk.tenant_id):
        yield desk


@pytest.fixture
def serve(settings: Settings) -> Iterator[Serve]:
    settings.ADAPTERS = {**settings.ADAPTERS, "outbound": {"BACKEND": "tests.fakes.outbound.FakeOutbound"}}
    FakeOutbound.reset()

    def answer(document: bytes) -> None:
        FakeOutbound.answers[URL] = lambda sent: Reply(200, {}, document, 1)

    yield answer
    FakeOutbound.reset()


def follow(desk: Desk, *, seen: str | None = None) -> SsoSource:
    return sso_sources.follow(tenant_id=desk.tenant_id, url=URL, by=desk.by, at=AT, seen=seen)


def refresh(desk: Desk, *, days: int = 1) -> SsoSource:
    found = sso_sources.refresh(tenant_id=desk.tenant_id, by=Actor.system("beat"), at=AT + days * DAY)
    assert found
    return found


def trusted() -> set[str]:
    rows = SsoCertificate.objects.filter(retired_at=None)
    return {row.subject.removeprefix("CN=") for row in rows}


def one_more(desk: Desk, *, signed_by: str = "") -> bytes:
    signers = {"": None, FIRST: desk.provider.signer}
    return desk.provider.metadata(signer("next"), signed_by=signers.get(signed_by, signer(signed_by or "other")))


FUTURE = "9999-12-31T23:59:59Z"
FIRST = "idp.airline.example"


def test_a_new_key_that_nobody_signed_for_waits_and_the_old_ones_stay_in_force(desk: Desk, serve: Serve) -> None:
    serve(desk.provider.metadata())
    follow(desk)
    serve(one_more(desk))
    for days in (1, 2):
        source = refresh(desk, days=days)
        assert source.proposal
    assert trusted() == {FIRST}
    assert desk.told().count("accounts.sso.change_proposed") == 1
    found = checks.sso_certificates(tenant_id=desk.tenant_id, at=AT + 2 * DAY)
    assert (found.outcome, "waits for your yes" in found.summary, bool(found.fix)) == (Outcome.WARN, True, True)
    assert source.proposal
    sso_sources.accept(tenant_id=desk.tenant_id, digest=source.proposal["digest"], by=desk.by, at=AT + 3 * DAY)
    assert trusted() == {FIRST, "next"}
    assert refresh(desk, days=4).proposal is None
    assert checks.sso_certificates(tenant_id=desk.tenant_id, at=AT + 4 * DAY).outcome is Outcome.PASS


def test_a_no_keeps_it_out_until_the_metadata_say_something_else(desk: Desk, serve: Serve) -> None:
    serve(desk.provider.metadata())
    follow(desk)
    serve(one_more(desk))
    source = refresh(desk)
    assert source.proposal
    sso_sources.refuse(tenant_id=desk.tenant_id, digest=source.proposal["digest"], by=desk.by, at=AT)
    assert (refresh(desk, days=2).proposal, trusted()) == (None, {FIRST})
    serve(desk.provider.metadata(signer("next"), signer("third")))
    assert refresh(desk, days=3).proposal


def test_once_owners_sign_in_by_the_provider_an_owner_says_yes(desk: Desk, serve: Serve) -> None:
    serve(desk.provider.metadata())
    follow(desk)
    serve(one_more(desk))
    source = refresh(desk)
    assert source.proposal
    owner = make.member(make.Tenant.objects.get(pk=desk.tenant_id), TenantRole.OWNER)
    linked(owner, make.actor(owner))
    use = {"tenant_id": desk.tenant_id, "digest": source.proposal["digest"], "at": AT}
    with pytest.raises(PermissionRefused):
        sso_sources.accept(**use, by=desk.by)
    sso_sources.accept(**use, by=make.actor(owner))
    assert trusted() == {FIRST, "next"}


@pytest.mark.parametrize("signed_by", [FIRST, "federation"])
def test_one_that_somebody_trusted_signed_for_counts_at_once(desk: Desk, serve: Serve, signed_by: str) -> None:
    """By a key that signs people in, or by the one that signed the metadata when a person gave their address."""
    serve(desk.provider.metadata(signed_by=signer("federation")))
    pinned = follow(desk).pinned
    assert pinned == ports.identity_provider().certificate(signer("federation").certificate).fingerprint
    serve(one_more(desk, signed_by=signed_by))
    assert refresh(desk).proposal is None
    assert trusted() == {FIRST, "next"}


def changed(document: bytes) -> bytes:
    """Change what was signed."""
    return document.replace(b"NameIDFormat>urn:", b"NameIDFormat>URN:", 1)


def smuggled(document: bytes) -> bytes:
    """Put another entity into the signature of a signed file that describes no provider."""
    root = etree.fromstring(document)
    name = "{http://www.w3.org/2000/09/xmldsig#}"
    evil = Provider(signer=signer("evil")).metadata().split(b"?>", 1)[1]
    root.find(f"{name}Signature/{name}KeyInfo").append(etree.fromstring(evil))
    for descriptor in root.findall("{urn:oasis:names:tc:SAML:2.0:metadata}IDPSSODescriptor"):
        root.remove(descriptor)
    return bytes(etree.tostring(root))


def signed_twice(document: bytes) -> bytes:
    """Add a second signature, of nothing."""
    root = etree.fromstring(document)
    name = "{http://www.w3.org/2000/09/xmldsig#}Signature"
    root.append(etree.fromstring(etree.tostring(root.find(name))))
    return bytes(etree.tostring(root))


@pytest.mark.parametrize("forged", [changed, smuggled, signed_twice])
def test_a_signature_that_does_not_hold_for_all_of_it_vouches_for_nothing(
    desk: Desk, serve: Serve, forged: Callable[[bytes], bytes]
) -> None:
    serve(desk.provider.metadata(signed_by=desk.provider.signer))
    follow(desk)
    serve(forged(one_more(desk, signed_by=FIRST)))
    refresh(desk)
    assert trusted() == {FIRST}


def test_a_strangers_signature_or_one_of_a_retired_key_vouches_for_nothing(desk: Desk, serve: Serve) -> None:
    serve(desk.provider.metadata(signed_by=desk.provider.signer))
    follow(desk)
    serve(one_more(desk, signed_by="evil"))
    assert refresh(desk).proposal
    by_hand = sso_certificates.add(tenant_id=desk.tenant_id, text=signer("third").certificate, by=desk.by, at=AT)
    assert by_hand.subject == "CN=third"
    first = SsoCertificate.objects.get(subject=f"CN={FIRST}")
    sso_certificates.retire(tenant_id=desk.tenant_id, certificate_id=first.pk, by=desk.by, at=AT)
    serve(one_more(desk, signed_by=FIRST))
    assert refresh(desk, days=2).proposal
    assert trusted() == {"third"}


def until(moment: str, document: bytes) -> bytes:
    """Give metadata an end, and sign them by the key that is trusted."""
    ended = document.replace(b"<md:EntityDescriptor ", f'<md:EntityDescriptor validUntil="{moment}" '.encode(), 1)
    assert ended != document
    return bytes(OneLogin_Saml2_Utils.add_sign(ended, signer().key, signer().certificate))


@pytest.mark.parametrize(("moment", "counts"), [("2026", False), ("2000-01-01T00:00:00Z", False), (FUTURE, True)])
def test_metadata_past_their_own_end_vouch_for_nothing(desk: Desk, serve: Serve, moment: str, counts: bool) -> None:
    serve(desk.provider.metadata())
    follow(desk)
    serve(until(moment, desk.provider.metadata(signer("next"))))
    assert (refresh(desk).proposal is None, "next" in trusted()) == (counts, counts)


def test_a_key_that_was_let_go_comes_back_by_a_yes_alone(desk: Desk, serve: Serve) -> None:
    """Who controls the address could serve what the provider signed when the key was its own."""
    of_old = desk.provider.metadata(signer("stolen"), signed_by=desk.provider.signer)
    serve(of_old)
    follow(desk)
    serve(desk.provider.metadata(signed_by=desk.provider.signer))
    for days in (1, 2, 3):
        refresh(desk, days=days)
    assert trusted() == {FIRST}
    serve(of_old)
    proposal = refresh(desk, days=4).proposal
    assert proposal
    assert trusted() == {FIRST}
    sso_sources.accept(tenant_id=desk.tenant_id, digest=proposal["digest"], by=desk.by, at=AT + 4 * DAY)
    assert trusted() == {FIRST, "stolen"}


def test_another_provider_waits_whoever_signed_for_it(desk: Desk, serve: Serve) -> None:
    serve(desk.provider.metadata(signed_by=desk.provider.signer))
    follow(desk)
    other = replace(desk.provider, sso_url="https://idp.airline.example/two")
    serve(other.metadata(signer("next"), signed_by=desk.provider.signer))
    assert refresh(desk).proposal
    assert trusted() == {FIRST}


def test_what_changes_is_shown_before_a_person_changes_it(desk: Desk, serve: Serve) -> None:
    document = desk.provider.metadata(signer("next"))

    def connect(document: bytes, seen: str | None) -> None:
        sso.connect(tenant_id=desk.tenant_id, document=document, by=desk.by, at=AT, seen=seen)

    connect(desk.provider.metadata(), "")  # the first are no change
    connect(desk.provider.metadata(), "")
    with pytest.raises(sso.NotSeenYet) as refused:
        connect(document, "")
    assert trusted() == {FIRST}
    kinds = {text.split(" ")[0]: kind for kind, text in refused.value.changes}
    assert (kinds["CN=next"], kinds[f"CN={FIRST}"], kinds["Entity"]) == ("new", "same", "same")
    assert all(" ends on " in text for _, text in refused.value.changes if "CN=" in text)
    with pytest.raises(sso.NotSeenYet):
        connect(desk.provider.metadata(signer("third")), refused.value.digest)
    connect(document, refused.value.digest)
    assert trusted() == {FIRST, "next"}
    serve(Provider(signer=signer("evil"), entity_id="https://evil.example").metadata())
    with pytest.raises(sso.NotSeenYet) as other:
        follow(desk, seen="")
    assert tuple(kind for kind, text in other.value.changes if "Entity" in text) == ("old", "new")
    assert not SsoSource.objects.exists()
    follow(desk, seen=other.value.digest)
    assert trusted() == {"evil"}
