"""Requests for access: asked for by who lacks something, answered by who can give it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.services import members
from core import ledger, outbox, toggles
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from core.toggles import Toggle
from entitlements.domain.abilities import Flag
from entitlements.models import AccessRequest
from entitlements.queries import abilities, decisions, previews

Outcome = AccessRequest.Outcome
OURS = ("flag", "feature")
"""What only the vendor can give."""
LONGEST = 500


class UnableToAsk(UseCaseError):
    """Access cannot be asked for so."""


class UnableToAnswer(UseCaseError):
    """The request cannot be answered so."""


def ask(*, tenant_id: UUID, ability_id: str, reason: str, by: Actor, at: datetime) -> AccessRequest:
    """Ask for what the first failing gate lacks. Safe to repeat while the request is open."""
    by.require(Permission.VIEW_TENANT, tenant_id=tenant_id)
    member = decisions.member_of(tenant_id=tenant_id, user_id=by.known_id)
    told = decisions.answer(member=member, ability_id=ability_id, at=at) if member else None
    if member is None or told is None:
        raise UnableToAsk("Nobody knows this question.", fix="Choose one from the list.")
    if told.decision.is_allowed:
        raise UnableToAsk("You can do this already.")
    grant = told.decision.nearest_grant
    if grant is None or not grant.key:
        raise UnableToAsk("Nobody can give this by a request.", fix="The answer says what is missing.")
    if not reason.strip():
        raise UnableToAsk("Say what you need it for: who answers reads nothing else.")
    try:
        with transaction.atomic(durable=True):
            asked = AccessRequest.objects.create(
                tenant_id=tenant_id,
                member=member,
                ability=ability_id,
                wanted=grant.key,
                reason=reason.strip()[:LONGEST],
                requested_at=at,
                requested_by=by.known_id,
            )
            outbox.publish("entitlements.access.requested", tenant_id=tenant_id, request_id=asked.pk)
            _record("requested", asked, by=by, at=at)
    except IntegrityError:  # asked already, by this member, for this
        return AccessRequest.objects.get(tenant_id=tenant_id, member=member, wanted=grant.key, answered_at=None)
    return asked


def grant(*, request: AccessRequest, answer: str, by: Actor, at: datetime) -> AccessRequest:
    """Give what was asked for, then say so: the gate that failed passes from now on.

    A role is changed by the use case of members, a flag switched on by that of toggles, with all their own refusals;
    what the plan lacks must be in the plan before it can be called granted.
    """
    _require(request, by=by)
    kind, _, what = request.wanted.partition(":")
    give: dict[str, Callable[[], None]] = {
        "role": lambda: _change_role(request, what, by=by, at=at),
        "product_role": lambda: None,  # a granted request is itself the fact
        "flag": lambda: _switch_on(request, what, by=by, at=at),
        "feature": lambda: _require_feature(request, what),
    }
    with transaction.atomic(durable=True):
        _lock(request)
        if _is_lacking(request, at=at):
            give[kind]()
        _answer(request, Outcome.GRANTED, answer, by=by, at=at)
    request.refresh_from_db()
    return request


def decline(*, request: AccessRequest, answer: str, by: Actor, at: datetime) -> AccessRequest:
    """Decline with a reason, which who asked reads."""
    _require(request, by=by)
    if not answer.strip():
        raise UnableToAnswer("Say why not: who asked reads the reason.")
    with transaction.atomic(durable=True):
        _lock(request)
        _answer(request, Outcome.DECLINED, answer, by=by, at=at)
    request.refresh_from_db()
    return request


def _require(request: AccessRequest, *, by: Actor) -> None:
    is_ours = request.wanted.partition(":")[0] in OURS
    by.require(Permission.ANSWER_ACCESS if is_ours else Permission.MANAGE_MEMBERS, tenant_id=request.tenant_id)
    if request.requested_by == by.id and not by.can(Permission.APPROVE_CUTOVER, tenant_id=request.tenant_id):
        raise UnableToAnswer("Nobody but an owner answers their own request.", fix="Ask an owner or another admin.")


def _lock(request: AccessRequest) -> None:
    """Let one answer be given at a time, so that nothing is given which another answer declines."""
    waiting = AccessRequest.objects.filter(pk=request.pk, tenant_id=request.tenant_id, answered_at=None)
    if waiting.select_for_update().first() is None:
        raise UnableToAnswer("Somebody has answered this already.", fix="Look at the page again.")


def _is_lacking(request: AccessRequest, *, at: datetime) -> bool:
    """Say whether the member still lacks what was asked for: a later change may have given it, or more."""
    told = decisions.answer(member=request.member, ability_id=request.ability, at=at)
    return told is None or any(step.grant and step.grant.key == request.wanted for step in told.decision.steps)


def _change_role(request: AccessRequest, role: str, *, by: Actor, at: datetime) -> None:
    try:
        members.change_role(member=request.member, role=role, by=by, at=at, durable=False)
    except members.UnableToChangeRole as refusal:
        raise UnableToAnswer(refusal.message, fix=refusal.fix) from refusal


def _switch_on(request: AccessRequest, code: str, *, by: Actor, at: datetime) -> None:
    flag = next((one.flag for one in abilities.product().values() if one.flag and one.flag.code == code), None)
    if flag is None:
        raise UnableToAnswer("This feature is no longer switched by hand.", fix="Decline, and say what holds now.")
    toggle = _toggle(flag)
    if toggles.is_on(toggle.name, tenant_id=request.tenant_id, at=at):
        return
    ability = abilities.question(request.ability)
    reason = f"Asked for by a member, to {ability.title if ability else request.ability}"
    toggles.switch_on(
        toggle.name,
        tenant_id=request.tenant_id,
        expires_at=at + toggle.longest,
        reason=reason,
        by=by,
        at=at,
        durable=False,
    )


def _toggle(flag: Flag) -> Toggle:
    """Return the toggle behind a product's flag; declared by the catalogue, so known once the catalogue is read."""
    name = f"{decisions.FLAG}{flag.code}"
    return toggles.TOGGLES.add(name, Toggle(name, flag.title, Permission.ANSWER_ACCESS, timedelta(days=flag.days)))


def _require_feature(request: AccessRequest, code: str) -> None:
    snapshot = previews.latest(tenant_id=request.tenant_id)
    if snapshot is None or code not in (snapshot.features or []):
        raise UnableToAnswer(
            "The customer's plan on the new platform does not include this yet.",
            fix="Change the plan there, compare again, then grant; or decline with a reason.",
        )


def _answer(request: AccessRequest, outcome: Outcome, answer: str, *, by: Actor, at: datetime) -> None:
    """Write the answer of a locked request, in the caller's transaction."""
    AccessRequest.objects.filter(pk=request.pk, tenant_id=request.tenant_id).update(
        outcome=outcome, answer=answer.strip()[:LONGEST], answered_at=at, answered_by=by.known_id
    )
    outbox.publish("entitlements.access.answered", tenant_id=request.tenant_id, request_id=request.pk)
    _record(outcome.value, request, by=by, at=at)


def _record(word: str, request: AccessRequest, *, by: Actor, at: datetime) -> None:
    ledger.record(
        f"entitlements.access.{word}",
        by=by,
        at=at,
        tenant_id=request.tenant_id,
        subject=request,
        data={"ability": request.ability, "wanted": request.wanted, "member": request.member_id},
    )
