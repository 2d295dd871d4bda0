"""Why somebody may or may not: the facts that are known of a member, under the rules that enforce."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.queries import members, second_factors
from accounts.queries.members import Member
from core import toggles
from core.domain.decisions import Decision, conclude
from entitlements.domain import decision
from entitlements.domain.decision import Before, Facts, LegacyFacts, Names
from entitlements.models import AccessRequest, Snapshot
from entitlements.queries import abilities, matrix, previews
from entitlements.queries.abilities import Question

FLAG = "product."
"""What the name of a product's flag among the toggles begins with."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question about one member."""

    question: Question
    member: Member
    decision: Decision
    before: Before | None
    """The legacy platform's answer; None for what only this portal has."""
    seen_at: datetime | None
    """When both platforms were last looked at."""


def answer(*, member: Member, ability_id: str, at: datetime) -> Answer | None:
    """Answer a question about a member of the scope's tenant; None for a question that nobody knows."""
    question = abilities.question(ability_id)
    if question is None:
        return None
    tenant_id = member.tenant_id
    snapshot = previews.latest(tenant_id=tenant_id)
    seen_at = snapshot.taken_at if snapshot else None
    portal = abilities.of_portal().get(ability_id)
    if portal is not None:
        steps = portal.steps(tenant_id=tenant_id, user_id=member.user_id, role=member.role, at=at)
        return Answer(question, member, conclude(steps), None, seen_at)
    ability = abilities.product()[ability_id]
    fresh = snapshot if snapshot and at - snapshot.taken_at <= previews.STALE_AFTER else None
    names = Names({rule.to: rule.name for rule in matrix.declared().roles.values()})
    return Answer(
        question,
        member,
        decision.decide(ability, facts(member=member, snapshot=fresh, at=at), names),
        decision.before(ability, _legacy(member, fresh)),
        seen_at,
    )


def facts(*, member: Member, snapshot: Snapshot | None, at: datetime) -> Facts:
    """Gather what is known of a member; what was not seen lately stays unknown."""
    on = toggles.on(tenant_id=member.tenant_id, at=at)
    granted = _granted(member)
    roles: frozenset[str] | None = None
    if snapshot is not None:
        legacy = matrix.declared().roles.get(_legacy_role(member, snapshot) or "")
        roles = granted | ({legacy.to} if legacy else frozenset())
    elif granted:
        roles = granted
    return Facts(
        flags=frozenset(name.removeprefix(FLAG) for name in on if name.startswith(FLAG)),
        features=frozenset(snapshot.features) if snapshot and snapshot.features is not None else None,
        plan=str((snapshot.new or {}).get("plan_name", "")) if snapshot else "",
        roles=roles,
        policies=snapshot.policies if snapshot else None,
        second_factor=bool(second_factors.holders(user_ids=[member.user_id])),
    )


def find_member(*, tenant_id: UUID, email: str) -> Member | None:
    """Return the tenant's active member with this address."""
    return members.active(tenant_id=tenant_id).filter(user__email=email.strip().lower()).first()


def member_by_id(*, tenant_id: UUID, member_id: UUID) -> Member | None:
    """Return the tenant's active member with this id."""
    return members.active(tenant_id=tenant_id).filter(pk=member_id).first()


def member_of(*, tenant_id: UUID, user_id: UUID) -> Member | None:
    """Return the tenant's active member behind a user."""
    return members.active(tenant_id=tenant_id).filter(user_id=user_id).first()


def open_requests(*, tenant_id: UUID) -> list[AccessRequest]:
    """Return the requests that wait for an answer, the oldest first."""
    rows = AccessRequest.objects.filter(tenant_id=tenant_id, answered_at=None)
    return list(rows.select_related("member__user").order_by("requested_at"))


def requests_of(*, member: Member, limit: int = 20) -> list[AccessRequest]:
    """Return a member's own requests, the newest first."""
    rows = AccessRequest.objects.filter(tenant_id=member.tenant_id, member=member)
    return list(rows.select_related("member__user").order_by("-requested_at")[:limit])


def find_request(*, tenant_id: UUID, request_id: UUID) -> AccessRequest | None:
    """Return a request of the tenant."""
    return AccessRequest.objects.select_related("member__user").filter(tenant_id=tenant_id, pk=request_id).first()


def count_open(tenant_id: UUID) -> int:
    """Count the requests that wait for the customer's owners and admins."""
    return (
        AccessRequest.objects.filter(tenant_id=tenant_id, answered_at=None)
        .exclude(wanted__startswith="flag:")
        .exclude(wanted__startswith="feature:")
        .count()
    )


def _granted(member: Member) -> frozenset[str]:
    rows = AccessRequest.objects.filter(
        tenant_id=member.tenant_id,
        member=member,
        wanted__startswith="product_role:",
        outcome=AccessRequest.Outcome.GRANTED,
    )
    return frozenset(wanted.partition(":")[2] for wanted in rows.values_list("wanted", flat=True))


def _legacy_role(member: Member, snapshot: Snapshot) -> str | None:
    role: str | None = snapshot.people.get(str(member.user_id))
    return role


def _legacy(member: Member, snapshot: Snapshot | None) -> LegacyFacts:
    if snapshot is None:
        return LegacyFacts()
    role = _legacy_role(member, snapshot)
    rule = matrix.declared().roles.get(role or "")
    held = snapshot.legacy or {}
    return LegacyFacts(
        plan=held.get("plan"),
        plan_name=held.get("plan_name", ""),
        role=role,
        role_name=rule.was if rule else role or "",
        is_known=snapshot.legacy is not None,
    )
