"""Test sign-ins: ask the tenant's provider, judge what comes back, sign nobody in."""

import json
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction

from accounts.domain import assertions
from accounts.models import SsoConnection, SsoTest, UsedAssertion
from accounts.queries import sso as known
from accounts.services.sso_messages import Heard, UnableToAnswer, hear, judge, kept
from core import ledger, outbox, ports, sealing
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission

MESSAGE_KEPT = timedelta(days=7)
AGAIN = "Start a new test from your account's page “Single sign-on”."

__all__ = ["UnableToAnswer", "UnableToTest", "answer", "judge_answer", "purge", "start"]


class UnableToTest(UseCaseError):
    """No test can be started now."""


def start(*, tenant_id: UUID, by: Actor, at: datetime, failover: bool = False) -> SsoTest:
    """Write a request to the tenant's provider; `leaves_for` of the test is the address to leave by.

    It is answered once, within ten minutes, and bound to who asked. `failover` rehearses our second address.
    """
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    connection = known.of_tenant(tenant_id=tenant_id)
    if connection is None or not connection.is_connected:
        raise UnableToTest("No provider is connected yet.", fix="Upload its metadata first.")
    if failover and not settings.FAILOVER_URL:
        raise UnableToTest("There is no second address here.")
    test_id = uuid4()
    request = ports.identity_provider().request(
        sp=known.service_provider(connection, failover=failover),
        idp=known.provider(connection),
        relay_state=str(test_id),
    )
    with transaction.atomic(durable=True):
        test = SsoTest.objects.create(
            pk=test_id,
            tenant_id=tenant_id,
            connection=connection,
            fingerprint=connection.fingerprint,
            request_id=request.id,
            is_failover=failover,
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
    connection = SsoConnection.objects.get(pk=connection_id, tenant_id=tenant_id)
    heard = hear(connection=connection, message=message, relay_state=relay_state)
    test = heard.asked()
    if not isinstance(test, SsoTest):
        raise UnableToAnswer("We did not ask for this sign-in.", fix=f"Nobody was signed in. {AGAIN}")
    return judge_answer(heard, test=test, by=by, at=at)


def judge_answer(heard: Heard, *, test: SsoTest, by: Actor, at: datetime) -> SsoTest:
    """Judge a message that answers a test, and keep the judgement with it."""
    connection, tenant_id = heard.connection, heard.connection.tenant_id
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    if test.answered_at is not None:
        raise UnableToAnswer("This test was answered already; an answer counts once.", fix=AGAIN)
    if test.fingerprint != connection.fingerprint:
        raise UnableToAnswer("The connection was changed after this test began.", fix=AGAIN)
    judged = judge(heard, asked=test, at=at)
    with transaction.atomic(durable=True):
        judgement = judged.once(at=at)
        answered = SsoTest.objects.filter(pk=test.pk, answered_at=None).update(
            answered_at=at,
            outcome="passed" if judgement.is_accepted else "failed",
            verdicts={check.code.value: check.verdict.value for check in judgement.checks},
            sealed=sealing.seal(json.dumps(kept(heard, judgement))),
            signed_by=judged.signed_by,
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
