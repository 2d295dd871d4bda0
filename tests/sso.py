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

from django.utils import timezone

from accounts.models import SsoConnection, SsoTest
from accounts.queries import sso as known
from accounts.services import sso, sso_tests
from core.actor import Actor
from portal.demo import minting
from portal.demo.minting import Answer, Signer

ENTITY_ID = "https://idp.airline.example/entity"
SSO_URL = "https://idp.airline.example/sso?app=crossing&v=2"
EMAIL = "olivia@airline.example"


@cache
def signer(name: str = "idp.airline.example", *, days: int = 400) -> Signer:
    """Return a signer that is drawn once for all tests: making a key is slow."""
    begins = datetime.now(UTC) - timedelta(days=500)
    return minting.new_signer(name, begins=begins, ends=datetime.now(UTC) + timedelta(days=days))


@dataclass(frozen=True)
class Provider:
    """A customer's identity provider."""

    signer: Signer = field(default_factory=signer)
    entity_id: str = ENTITY_ID
    sso_url: str = SSO_URL

    def metadata(self, *more: Signer) -> bytes:
        url = self.sso_url.replace("&", "&amp;")
        return minting.metadata(entity_id=self.entity_id, sso_url=url, signers=[self.signer, *more]).encode()

    def answer(self, connection: SsoConnection, test: SsoTest, *, at: datetime | None = None, **other: Any) -> Answer:
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


def asked(url: str) -> str:
    """Return the AuthnRequest that an address carries."""
    packed = parse_qs(urlsplit(url).query)["SAMLRequest"][0]
    return zlib.decompress(base64.b64decode(packed), -15).decode()


def attribute(text: str, name: str) -> str:
    """Return the value of an attribute in a message."""
    found = re.search(rf'\s{name}="([^"]*)"', text)
    assert found
    return found[1]
