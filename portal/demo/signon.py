"""How the demo's airlines come to their single sign-on: metadata given, a test signed by the demo's own provider."""

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from accounts.queries import sso as known
from accounts.services import sso, sso_tests
from core.actor import Actor
from portal.demo.airlines import Airline, Story
from portal.demo.idp import Fault, IdentityProvider

TESTED_AGAIN_AFTER = timedelta(days=7)


def connect(airline: Airline, tenant_id: UUID, *, provider: IdentityProvider, by: Actor, at: datetime) -> None:
    """Connect an airline and test it. Safe to repeat: what stands and was tested lately is left alone.

    American gave us its metadata before its provider changed the certificate, and its test says so.
    """
    connection = known.of_tenant(tenant_id=tenant_id)
    is_blocked = airline.story is Story.BLOCKED
    stands = connection is not None and connection.entity_id == provider.entity_id(airline)
    if is_blocked and stands:
        return  # whoever tries the demo may have put it right
    document = provider.metadata(airline, former=is_blocked).encode()
    connection = sso.connect(tenant_id=tenant_id, document=document, by=by, at=at)
    last = known.latest_answered(connection=connection)
    if last is None or (last.answered_at and last.answered_at < at - TESTED_AGAIN_AFTER):
        _test(airline, tenant_id, provider, by=by, at=at)


def _test(airline: Airline, tenant_id: UUID, provider: IdentityProvider, *, by: Actor, at: datetime) -> None:
    test = sso_tests.start(tenant_id=tenant_id, by=by, at=at)
    asked = provider.read(parse_qs(urlsplit(test.leaves_for).query)["SAMLRequest"][0])
    message = provider.answer(airline, asked, email=f"owner@{airline.domain}", fault=Fault.NONE, at=at)
    sso_tests.answer(
        connection_id=test.connection_id,
        tenant_id=tenant_id,
        message=message,
        relay_state=str(test.pk),
        by=by,
        at=at,
    )
