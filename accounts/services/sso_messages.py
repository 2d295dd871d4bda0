"""A message that a browser brought from a tenant's provider: read once, judged alike for a test and for a sign-in."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from uuid import UUID

from accounts.domain import assertions, attributes, connections
from accounts.domain.assertions import Expected
from accounts.domain.attributes import Person
from accounts.domain.verdicts import Judgement
from accounts.models import SsoConnection, SsoSignIn, SsoTest, UsedAssertion
from accounts.queries import domains
from accounts.queries import sso as known
from accounts.services import sso_certificates
from core import ports
from core.errors import UseCaseError
from core.saml import Assertion, SamlResponse


class UnableToAnswer(UseCaseError):
    """What came in answers nothing that we asked."""

    status = 400


@dataclass(frozen=True, slots=True)
class Heard:
    """A message and what it says. Nothing of it is believed yet.

    `response` reads as the tenant's mapping has it, `said` is the assertion as it was sent.
    """

    connection: SsoConnection
    message: str
    response: SamlResponse
    relay_state: str
    said: Assertion | None = None

    @property
    def person(self) -> Person:
        """What it says of a person, by the tenant's mapping."""
        return attributes.person(self.said or Assertion(), known.mapping(self.connection))

    def asked(self) -> SsoTest | SsoSignIn | None:
        """Return what the message answers: what it names itself, or else what it was sent along with."""
        rows = {"tenant_id": self.connection.tenant_id, "connection": self.connection}
        for name in self._names():
            for kind in (SsoTest, SsoSignIn):
                if found := kind._default_manager.filter(**rows, **name).first():
                    return found
        return None

    def _names(self) -> Iterator[dict[str, object]]:
        if self.response.in_response_to:
            yield {"request_id": self.response.in_response_to[:200]}
        try:
            yield {"pk": UUID(self.relay_state)}
        except ValueError:
            return


@dataclass(frozen=True, slots=True)
class Judged:
    """A message with the strict layer's judgement, made again once it is known whether its assertion was used."""

    heard: Heard
    expected: Expected
    judgement: Judgement
    objection: str

    @property
    def signed_by(self) -> str:
        """The fingerprint of the certificate that it is signed with, if it is."""
        signature = self.heard.said.signature if self.heard.said else None
        return signature.verified_by if signature and self.judgement.is_trusted else ""

    def once(self, *, at: datetime) -> Judgement:
        """Use the assertion up, inside the caller's transaction, and return the judgement that holds then."""
        if self.signed_by:
            sso_certificates.note_signature(self.heard.connection, self.signed_by, at=at)
        if not self.judgement.is_trusted or _use(self.heard, at=at):
            return self.judgement
        again = assertions.judge(self.heard.response, expected=replace(self.expected, is_used=True), at=at)
        return assertions.seconded(again, objection=self.objection)


def hear(*, connection: SsoConnection, message: str, relay_state: str) -> Heard:
    """Read a message."""
    certificates = known.provider(connection).certificates
    response = ports.identity_provider().response(message, certificates=certificates)
    return Heard(connection, message, known.as_mapped(connection, response), relay_state, response.assertion)


def judge(heard: Heard, *, asked: SsoTest | SsoSignIn, at: datetime) -> Judged:
    """Judge a message by the strict layer; what that accepts is put before the library's own checks as well."""
    connection = heard.connection
    idp, sp = known.provider(connection), known.service_provider(connection, failover=asked.is_failover)
    expected = Expected(
        sp=sp,
        entity_id=idp.entity_id,
        certificates=idp.certificates,
        request_id=asked.request_id,
        requested_at=asked.started_at,
        domains=tuple(domains.verified_names(tenant_id=connection.tenant_id)),
    )
    judgement, objection = assertions.judge(heard.response, expected=expected, at=at), ""
    if judgement.is_accepted:
        objection = ports.identity_provider().objection(heard.message, sp=sp, idp=idp, request_id=asked.request_id)
        judgement = assertions.seconded(judgement, objection=objection)
    return Judged(heard, expected, judgement, objection)


def kept(heard: Heard, judgement: Judgement) -> dict[str, object]:
    """Return what is kept of a message under seal."""
    assertion = heard.said
    return {
        "message": heard.message,
        "checks": [[c.code, c.verdict, c.expected, c.got, c.fix, c.is_trusted] for c in judgement.checks],
        "assertion": asdict(assertion) if assertion else None,
        "addresses": list(heard.person.addresses),
    }


def _use(heard: Heard, *, at: datetime) -> bool:
    """Remember the assertion; False if it was used before."""
    assertion, connection = heard.response.assertion, heard.connection
    if assertion is None or not assertion.id:
        return True  # it fails for that
    _, is_new = UsedAssertion.objects.get_or_create(
        tenant_id=connection.tenant_id,
        digest=connections.assertion_digest(entity_id=connection.entity_id, assertion_id=assertion.id),
        defaults={"used_at": at, "forget_at": assertions.remembered_until(assertion, at=at)},
    )
    return is_new
