"""Sign-in by a tenant's provider: ask it for one browser, judge what comes back, hand the person over to be signed in.

The session itself is made by allauth, where the browser comes back (`accounts.views.sso_sign_in`).
"""

import json
import secrets
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from accounts.domain import assertions, directory, people, signing_in
from accounts.domain.invitations import TOKEN_BYTES, digest
from accounts.domain.signing_in import Decision, Outcome, Reason
from accounts.domain.verdicts import Judgement
from accounts.models import Member, SsoConnection, SsoSignIn, User
from accounts.models.identities import Source
from accounts.queries import identities
from accounts.queries import sso as known
from accounts.services import identity_links, members
from accounts.services.sso_messages import Heard, Judged, UnableToAnswer, judge, kept
from core import ports, sealing
from core.actor import Actor
from core.errors import UseCaseError

MESSAGE_KEPT = timedelta(days=7)
ROWS_KEPT = timedelta(days=90)
AGAIN = "Go back to the sign-in page, and start there."


class UnableToSignIn(UseCaseError):
    """Nobody can be signed in by this now. `reference` finds it again in the tenant's history of sign-ins.

    `waits`: it is no refusal, somebody of the tenant has yet to approve.
    """

    status = 403
    reference = ""
    waits = False


def new_browser() -> str:
    """Draw what only the browser that asks will hold."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def start(
    *, connection_id: UUID, tenant_id: UUID, browser: str, leads_to: str, at: datetime, failover: bool = False
) -> SsoSignIn:
    """Write a request to the tenant's provider for one browser; `leaves_for` is the address to leave by.

    It is answered once, within ten minutes. `leads_to` is a page of ours: the caller has made sure of that.
    """
    connection = SsoConnection.objects.get(pk=connection_id, tenant_id=tenant_id)
    if not connection.is_connected:
        raise UnableToSignIn("This single sign-on is not connected.", fix="Sign in with your password.")
    sign_in_id = uuid4()
    request = ports.identity_provider().request(
        sp=known.service_provider(connection, failover=failover),
        idp=known.provider(connection),
        relay_state=str(sign_in_id),
    )
    return SsoSignIn.objects.create(
        pk=sign_in_id,
        tenant_id=tenant_id,
        connection=connection,
        fingerprint=connection.fingerprint,
        request_id=request.id,
        is_failover=failover,
        leaves_for=request.url,
        browser=digest(browser),
        leads_to=leads_to,
        started_at=at,
        expires_at=at + assertions.REQUEST_LASTS,
    )


def judge_answer(heard: Heard, *, sign_in: SsoSignIn, by: Actor, at: datetime) -> SsoSignIn:
    """Judge a message and decide what becomes of it. The request is used up, whatever becomes of it.

    Makes no session: what came from another site carries no cookie of ours, so nobody knows yet whose browser it was.
    """
    if sign_in.answered_at is not None:
        raise UnableToAnswer("This sign-in was answered already; an answer counts once.", fix=AGAIN)
    judged = judge(heard, asked=sign_in, at=at)
    try:
        _keep(judged, sign_in=sign_in, by=by, at=at)
    except IntegrityError:  # somebody linked or joined the same person at the same moment: now that is known
        _keep(judged, sign_in=sign_in, by=by, at=at)
    sign_in.refresh_from_db()
    return sign_in


def _keep(judged: Judged, *, sign_in: SsoSignIn, by: Actor, at: datetime) -> None:
    """Decide from a judged message and keep what becomes of it, all or nothing."""
    heard = judged.heard
    with transaction.atomic(durable=True):
        judgement = judged.once(at=at)
        decision = _decide(heard, judgement, by=by, at=at)
        answered = SsoSignIn.objects.filter(pk=sign_in.pk, answered_at=None).update(
            answered_at=at,
            outcome=decision.outcome,
            reason=decision.reason,
            member_id=decision.member_id,
            verdicts={check.code.value: check.verdict.value for check in judgement.checks},
            sealed=sealing.seal(json.dumps(kept(heard, judgement))),
            session_ends_at=assertions.session_end(heard.said) if decision.is_in and heard.said else None,
            leaves_for="",
        )
        if not answered:
            raise UnableToAnswer("This sign-in was answered already; an answer counts once.", fix=AGAIN)


def finish(*, sign_in: SsoSignIn, browser: str, at: datetime) -> User:
    """Use an accepted sign-in up for the browser that asked for it, and return who is to be signed in there.

    Raises `UnableToSignIn` for any other browser: neither a stolen address nor one that somebody is lured to counts.
    """
    require_browser(sign_in=sign_in, browser=browser)
    if sign_in.outcome in (Outcome.REFUSED, Outcome.WAITING):
        message, fix = signing_in.words_for_person(Reason(sign_in.reason))
        refusal = UnableToSignIn(message, fix=fix)
        refusal.reference, refusal.waits = sign_in.reference, sign_in.outcome == Outcome.WAITING
        raise refusal
    if at >= sign_in.expires_at:
        raise UnableToSignIn("That took longer than ten minutes.", fix=AGAIN)
    linked = Member.objects.select_related("user").filter(
        sso_sign_ins=sign_in, deactivated_at=None, identities__isnull=False
    )
    member = linked.first()  # a link that was undone on the way lets nobody in
    if member is None or not member.user.is_active or member.user.is_staff:
        raise UnableToSignIn("This sign-in counts no longer.", fix=AGAIN)
    accepted = SsoSignIn.objects.filter(
        pk=sign_in.pk, used_at=None, outcome__in=(Outcome.SIGNED_IN, Outcome.JOINED), member=member
    )
    if not accepted.update(used_at=at):
        raise UnableToSignIn("This sign-in was used already; it counts once.", fix=AGAIN)
    return member.user


def require_browser(*, sign_in: SsoSignIn, browser: str) -> None:
    """Raise `UnableToSignIn` unless this is the browser that asked."""
    if not browser or not secrets.compare_digest(sign_in.browser, digest(browser)):
        raise UnableToSignIn(
            "This sign-in was begun in another browser.", fix="Nobody was signed in. Start again in this one."
        )


def purge(*, at: datetime) -> int:
    """Forget messages older than a week, and sign-ins older than a quarter; needs a staff scope."""
    SsoSignIn.objects.filter(started_at__lt=at - ROWS_KEPT).delete()
    SsoSignIn.objects.filter(answered_at=None, expires_at__lt=at - MESSAGE_KEPT).delete()
    old = SsoSignIn.objects.filter(answered_at__lt=at - MESSAGE_KEPT).exclude(sealed="")
    return old.update(sealed="", purged_at=at)


def _decide(heard: Heard, judgement: Judgement, *, by: Actor, at: datetime) -> Decision:
    """Decide, and link, let join or propose what the decision says, inside the caller's transaction."""
    tenant_id, assertion = heard.connection.tenant_id, heard.response.assertion
    if not judgement.is_accepted or assertion is None:
        return Decision(Outcome.REFUSED, Reason.ANSWER_REFUSED)
    key, addresses = directory.asserted(assertion), people.addresses(assertion)

    def decided() -> Decision:
        facts = identities.facts(tenant_id=tenant_id, is_accepted=True, key=key, addresses=addresses)
        return signing_in.decide(facts)

    decision = decided()
    if decision.links or decision.outcome is Outcome.WAITING:
        SsoConnection.objects.select_for_update().get(pk=heard.connection.pk)  # one newcomer after the other
        decision = decided()
    if decision.outcome is Outcome.WAITING and decision.member_id:
        identity_links.propose(
            member_id=decision.member_id, reason=decision.reason, tenant_id=tenant_id, key=key, by=by, at=at
        )
    if decision.outcome is Outcome.JOINED:
        member = members.join(
            tenant_id=tenant_id, address=addresses[0], role=heard.person.role, why="standing rule", by=by, at=at
        )
        identity_links.link(member=member, key=key, source=Source.JOINED, by=by, at=at)
        return Decision(decision.outcome, decision.reason, member.pk)
    if decision.reason is Reason.LINKED:
        identity_links.complete(tenant_id=tenant_id, key=key, by=by, at=at)
    if decision.links and decision.member_id:
        member = Member.objects.select_related("user").get(pk=decision.member_id)
        identity_links.link(member=member, key=key, source=Source.RULE, by=by, at=at)
    return decision
