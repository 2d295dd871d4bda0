"""Test sign-ins: ask the tenant's provider, judge what comes back, sign nobody in."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction

from accounts.domain import assertions, connections, people
from accounts.domain.assertions import Expected
from accounts.domain.verdicts import Judgement
from accounts.models import SsoConnection, SsoTest, UsedAssertion
from accounts.queries import domains
from accounts.queries import sso as known
from core import ledger, outbox, ports, sealing
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from core.saml import SamlResponse

MESSAGE_KEPT = timedelta(days=7)
AGAIN = "Start a new test from your account's page “Single sign-on”."


class UnableToTest(UseCaseError):
    """No test can be started now."""


class UnableToAnswer(UseCaseError):
    """What came in answers no test of ours."""

    status = 400


def start(*, tenant_id: UUID, by: Actor, at: datetime) -> SsoTest:
    """Write a request to the tenant's provider; `leaves_for` of the test is the address to leave by.

    It is answered once, within ten minutes, and bound to who asked.
    """
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    connection = known.of_tenant(tenant_id=tenant_id)
    if connection is None or not connection.is_connected:
        raise UnableToTest("No provider is connected yet.", fix="Upload its metadata first.")
    test_id = uuid4()
    request = ports.identity_provider().request(
        sp=known.service_provider(connection), idp=known.provider(connection), relay_state=str(test_id)
    )
    with transaction.atomic(durable=True):
        test = SsoTest.objects.create(
            pk=test_id,
            tenant_id=tenant_id,
            connection=connection,
            fingerprint=connection.fingerprint,
            request_id=request.id,
            leaves_for=request.url,
            started_at=at,
            started_by=by.known_id,
            expires_at=at + assertions.REQUEST_LASTS,
        )
        ledger.record("accounts.sso.test_started", by=by, at=at, tenant_id=tenant_id, subject=test)
    return test


def answer(*, connection_id: UUID, tenant_id: UUID, message: str, relay_state: str, by: Actor, at: datetime) -> SsoTest:
    """Judge what a browser brought from the provider, and keep the judgement with the test that it answers.

    Signs nobody in. A second answer of a test, and one that nobody asked for, is refused and leaves nothing.
    """
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    connection = SsoConnection.objects.get(pk=connection_id, tenant_id=tenant_id)
    idp = known.provider(connection)
    response = ports.identity_provider().response(message, certificates=idp.certificates)
    test = _asked(connection, response, relay_state)
    expected = Expected(
        sp=known.service_provider(connection),
        entity_id=idp.entity_id,
        certificates=idp.certificates,
        request_id=test.request_id,
        requested_at=test.started_at,
        domains=tuple(domains.verified_names(tenant_id=tenant_id)),
    )
    judgement = assertions.judge(response, expected=expected, at=at)
    with transaction.atomic(durable=True):
        if judgement.is_trusted and not _use(connection, response, at=at):
            judgement = assertions.judge(response, expected=replace(expected, is_used=True), at=at)
        answered = SsoTest.objects.filter(pk=test.pk, answered_at=None).update(
            answered_at=at,
            outcome="passed" if judgement.is_accepted else "failed",
            verdicts={check.code.value: check.verdict.value for check in judgement.checks},
            sealed=sealing.seal(json.dumps(_kept(message, response, judgement))),
            leaves_for="",
        )
        if not answered:
            raise UnableToAnswer("This test was answered already; an answer counts once.", fix=AGAIN)
        outbox.publish("accounts.sso.tested", tenant_id=tenant_id, test_id=test.pk)
        ledger.record(
            "accounts.sso.tested",
            by=by,
            at=at,
            tenant_id=tenant_id,
            subject=test,
            data={
                "outcome": "passed" if judgement.is_accepted else "failed",
                "failed": [check.code.value for check in judgement.failed],
                "fingerprint": connection.fingerprint,
            },
        )
    test.refresh_from_db()
    return test


def purge(*, at: datetime) -> int:
    """Forget messages that are older than a week, and assertions that could not come again; needs a staff scope.

    The verdicts stay.
    """
    UsedAssertion.objects.filter(forget_at__lt=at).delete()
    old = SsoTest.objects.filter(answered_at__lt=at - MESSAGE_KEPT).exclude(sealed="")
    return old.update(sealed="", purged_at=at)


def _asked(connection: SsoConnection, response: SamlResponse, relay_state: str) -> SsoTest:
    """Return the open test that a response answers: the one it names, or else the one it was sent along with."""
    tests = SsoTest.objects.filter(tenant_id=connection.tenant_id, connection=connection)
    test = next((found for name in _names(response, relay_state) if (found := tests.filter(**name).first())), None)
    if test is None:
        raise UnableToAnswer("We did not ask for this sign-in.", fix=f"Nobody was signed in. {AGAIN}")
    if test.answered_at is not None:
        raise UnableToAnswer("This test was answered already; an answer counts once.", fix=AGAIN)
    if test.fingerprint != connection.fingerprint:
        raise UnableToAnswer("The connection was changed after this test began.", fix=AGAIN)
    return test


def _names(response: SamlResponse, relay_state: str) -> Iterator[dict[str, object]]:
    if response.in_response_to:
        yield {"request_id": response.in_response_to[:200]}
    try:
        yield {"pk": UUID(relay_state)}
    except ValueError:
        return


def _use(connection: SsoConnection, response: SamlResponse, *, at: datetime) -> bool:
    """Remember the assertion; False if it was used before."""
    assertion = response.assertion
    if assertion is None or not assertion.id:
        return True  # it fails for that
    _, is_new = UsedAssertion.objects.get_or_create(
        tenant_id=connection.tenant_id,
        digest=connections.assertion_digest(entity_id=connection.entity_id, assertion_id=assertion.id),
        defaults={"used_at": at, "forget_at": assertions.remembered_until(assertion, at=at)},
    )
    return is_new


def _kept(message: str, response: SamlResponse, judgement: Judgement) -> dict[str, object]:
    """Return what is kept under seal."""
    assertion = response.assertion
    return {
        "message": message,
        "checks": [[c.code, c.verdict, c.expected, c.got, c.fix, c.is_trusted] for c in judgement.checks],
        "assertion": asdict(assertion) if assertion else None,
        "addresses": list(people.addresses(assertion)) if assertion else [],
    }
