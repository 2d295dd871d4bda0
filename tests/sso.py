"""An identity provider of a test's own: its metadata, and the answers it signs."""

import base64
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from accounts.domain.directory import Key
from accounts.models import Domain, LinkedIdentity, Member, SsoConnection, SsoSignIn, SsoTest
from accounts.models.identities import Source
from accounts.queries import sso as known
from accounts.services import identity_links, sso, sso_answers, sso_sign_ins, sso_tests
from core import ledger, tenancy
from core.actor import Actor
from core.permissions import TenantRole
from portal.demo import minting
from portal.demo.minting import Answer
from portal.saml_keys import Signer, new_signer
from tests import make

ENTITY_ID = "https://idp.airline.example/entity"
SSO_URL = "https://idp.airline.example/sso?app=crossing&v=2"
EMAIL = "olivia@airline.example"
AT = datetime.now(UTC).replace(microsecond=0)


@cache
def signer(name: str = "idp.airline.example", *, days: int = 400) -> Signer:
    """Return a signer that is drawn once for all tests: making a key is slow."""
    begins = datetime.now(UTC) - timedelta(days=500)
    return new_signer(name, begins=begins, ends=datetime.now(UTC) + timedelta(days=days))


@dataclass(frozen=True)
class Provider:
    """A customer's identity provider."""

    signer: Signer = field(default_factory=signer)
    entity_id: str = ENTITY_ID
    sso_url: str = SSO_URL

    def metadata(self, *more: Signer, signed_by: Signer | None = None) -> bytes:
        url = self.sso_url.replace("&", "&amp;")
        document = minting.metadata(entity_id=self.entity_id, sso_url=url, signers=[self.signer, *more]).encode()
        if signed_by is None:
            return document
        signed: bytes = OneLogin_Saml2_Utils.add_sign(document, signed_by.key, signed_by.certificate)
        return signed

    def answer(
        self, connection: SsoConnection, test: SsoTest | SsoSignIn, *, at: datetime | None = None, **other: Any
    ) -> Answer:
        """Return the right answer to a test, with what is to be wrong about it."""
        sp = known.service_provider(connection)
        right = Answer(
            issuer=self.entity_id, audience=sp.entity_id, acs_url=sp.acs_url, request_id=test.request_id,
            email=EMAIL, at=at or timezone.now(),
        )  # fmt: skip
        return replace(right, **other)

    def message(self, answer: Answer, *, before: Callable[[Any], object] | None = None) -> str:
        """Sign an answer; `before` changes the response first."""
        root = minting.response(answer)
        if before:
            before(root)
        minting.sign(minting.assertion_of(root), self.signer)
        return minting.encoded(root)


def connected(tenant_id: Any, by: Actor, *, provider: Provider | None = None) -> SsoConnection:
    """Connect a tenant to a provider, through the use case."""
    document = (provider or Provider()).metadata()
    return sso.connect(tenant_id=tenant_id, document=document, by=by, at=timezone.now())


def try_sign_in(tenant_id: Any, by: Actor, *, email: str, provider: Provider | None = None, **wrong: Any) -> SsoTest:
    """Connect, ask, and answer as the provider does."""
    provider = provider or Provider()
    connection = connected(tenant_id, by, provider=provider)
    test = sso_tests.start(tenant_id=tenant_id, by=by, at=timezone.now())
    message = provider.message(provider.answer(connection, test, email=email, **wrong))
    return sso_tests.answer(
        connection_id=connection.pk, tenant_id=tenant_id, message=message, relay_state=str(test.pk),
        by=Actor.system("sso"), at=timezone.now(),
    )  # fmt: skip


@dataclass
class Desk:
    """One tenant's admin, with the provider of the tenant's people."""

    tenant_id: UUID
    by: Actor
    provider: Provider

    def connect(self, document: bytes | None = None) -> SsoConnection:
        return sso.connect(tenant_id=self.tenant_id, document=document or self.provider.metadata(), by=self.by, at=AT)

    def start(self) -> SsoTest:
        return sso_tests.start(tenant_id=self.tenant_id, by=self.by, at=AT)

    def answer(self, message: str, *, relay_state: str = "", at: datetime = AT) -> SsoTest:
        connection = SsoConnection.objects.get(tenant_id=self.tenant_id)
        return sso_tests.answer(
            connection_id=connection.pk, tenant_id=self.tenant_id, message=message, relay_state=relay_state,
            by=Actor.system("sso"), at=at,
        )  # fmt: skip

    def told(self) -> list[str]:
        return [entry.event for entry in reversed(ledger.recent(tenant_id=self.tenant_id, limit=100))]


def desk_of(role: TenantRole = TenantRole.ADMIN) -> Desk:
    member = make.member(make.tenant(), role)
    return Desk(member.tenant_id, make.actor(member), Provider())


def asked(url: str) -> str:
    """Return the AuthnRequest that an address carries."""
    packed = parse_qs(urlsplit(url).query)["SAMLRequest"][0]
    return zlib.decompress(base64.b64decode(packed), -15).decode()


def attribute(text: str, name: str) -> str:
    """Return the value of an attribute in a message."""
    found = re.search(rf'\s{name}="([^"]*)"', text)
    assert found
    return found[1]


@dataclass
class Browser:
    """A person's browser on its way to the provider and back."""

    connection: SsoConnection
    provider: Provider = field(default_factory=Provider)
    client: Client = field(default_factory=Client)

    def ask(self, *, to: str = "") -> SsoSignIn:
        """Begin to sign in, and go to the page that leads to the provider."""
        began = self.client.post(reverse("sso:start", args=[self.connection.provider_id]), {"next": to})
        page = self.client.get(began["Location"])
        assert page.status_code == 200, page.content
        with tenancy.scope(tenant_id=self.connection.tenant_id):
            return SsoSignIn.objects.get(request_id=attribute(asked(page.context["sign_in"].leaves_for), "ID"))

    def post(self, message: str, *, relay_state: str = "") -> Any:
        """Bring the provider's answer as its page does: from another site, so without our cookies."""
        where = reverse("sso:acs", args=[self.connection.provider_id])
        return Client().post(where, {"SAMLResponse": message, "RelayState": relay_state})

    def back(self, posted: Any) -> Any:
        """Follow where that leads, with our cookies again."""
        return self.client.get(posted["Location"])

    def sign_in(self, *, to: str = "", **wrong: Any) -> Any:
        """Go all the way."""
        sign_in = self.ask(to=to)
        message = self.provider.message(self.provider.answer(self.connection, sign_in, **wrong))
        return self.back(self.post(message, relay_state=str(sign_in.pk)))

    @property
    def person(self) -> str | None:
        """The id of who is signed in."""
        return self.client.session.get("_auth_user_id")


def prove(tenant_id: Any, name: str, by: Actor) -> Domain:
    """Let a tenant have proven a domain."""
    at = timezone.now()
    return Domain.objects.create(
        tenant_id=tenant_id, name=name, text=name, token="t", claimed_by=by.id, verified_at=at, verified_by=by.id,
        proven_at=at,
    )  # fmt: skip


def linked(member: Member, by: Actor, *, name: str = EMAIL) -> LinkedIdentity:
    """Let a member be linked to a person of the directory, as an approval does."""
    with tenancy.scope(tenant_id=member.tenant_id), transaction.atomic():
        return identity_links.link(
            member=member, key=Key(user_name=name), source=Source.APPROVAL, by=by, at=timezone.now()
        )


def try_to_enter(tenant_id: Any, *, email: str, provider: Provider | None = None, **wrong: Any) -> SsoSignIn:
    """Ask for a sign-in, and answer as the provider does; the tenant is connected already."""
    connection, provider = SsoConnection.objects.get(tenant_id=tenant_id), provider or Provider()
    sign_in = sso_sign_ins.start(
        connection_id=connection.pk, tenant_id=tenant_id, browser="secret", leads_to="", at=timezone.now()
    )
    message = provider.message(provider.answer(connection, sign_in, email=email, **wrong))
    answered = sso_answers.take(
        connection_id=connection.pk, tenant_id=tenant_id, message=message, relay_state=str(sign_in.pk),
        by=Actor.system("sso"), at=timezone.now(),
    )  # fmt: skip
    assert isinstance(answered, SsoSignIn)
    return answered
