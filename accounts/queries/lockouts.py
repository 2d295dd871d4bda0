"""The lockout forecast of a tenant: every member with what would become of them, in a constant number of queries.

All that a prediction looks at is few values, which the database computes. Members are counted by these values, each
combination is judged once, and a list of one outcome is a condition on them: so neither memory nor queries grow with
the number of members.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Case, CharField, Count, Exists, F, Func, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Lower

from accounts.domain import lockouts as domain
from accounts.domain.lockouts import Forecast, Link, Outcome, Person, Prediction, Why
from accounts.domain.people import domain_of
from accounts.domain.signing_in import WAITING, Reason
from accounts.domain.verdicts import Code, Verdict
from accounts.models import Domain, Invitation, LinkedIdentity, LinkProposal, Member, SsoSignIn, StandingRule, User
from accounts.queries import sso
from accounts.queries.identities import SIGNED_IN
from core.permissions import TenantRole

NEWEST = 20
"""How many of the provider's newest answers are looked at for what stops everybody."""
_CHUNK = 2000

_KEYS = ("is_on", "is_proven", "has_rule", "link", "user__is_staff", "has_passkey", "is_owner")


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the list."""

    name: str
    email: str
    role: str
    prediction: Prediction
    has_passkey: bool
    is_invited: bool = False
    member_id: UUID | None = None
    """Of somebody who is a member already."""


@dataclass(frozen=True, slots=True)
class Group:
    """Members of whom the same is known: what would become of them, and how to select them."""

    prediction: Prediction
    count: int
    where: Q
    is_on: bool
    is_owner: bool
    has_passkey: bool

    @property
    def is_stuck(self) -> bool:
        """Whether an active member of it would not come in by themselves, nor by a passkey."""
        stuck = self.prediction.outcome not in (Outcome.SIGNS_IN, Outcome.NEW_ACCOUNT)
        return self.is_on and stuck and not self.has_passkey


def barrier(*, tenant_id: UUID) -> Why | None:
    """Return what would stop everybody."""
    connection = sso.of_tenant(tenant_id=tenant_id)
    if connection is None or not connection.is_connected:
        return Why.NOT_CONNECTED
    now_connected = {"connection": connection, "fingerprint": connection.fingerprint, "answered_at__isnull": False}
    tests = list(sso.tests(tenant_id=tenant_id).filter(**now_connected).order_by("-answered_at")[:NEWEST])
    # Anybody may begin a sign-in and answer it with rubbish: of these only what the provider signed tells of it.
    signed = SsoSignIn.objects.filter(tenant_id=tenant_id, **now_connected).exclude(
        verdicts__contains={Code.SIGNATURE.value: Verdict.FAIL.value}
    )
    known = signed.filter(verdicts__has_key=Code.SIGNATURE.value).order_by("-answered_at")[:NEWEST]
    newest = sorted([*tests, *known], key=_answered, reverse=True)
    return domain.barrier_of(map(_answer, newest), is_connected=True)


def groups(*, tenant_id: UUID, stop: Why | None) -> list[Group]:
    """Return the tenant's members by what is known of them; a dozen or so, however many members there are."""
    counted = people(tenant_id=tenant_id).order_by().values(*_KEYS).annotate(count=Count("pk"))
    return [_group(row, stop) for row in counted]


def forecast(*, tenant_id: UUID) -> Forecast:
    """Return what would become of the tenant's active members if their company's sign-in were the only way."""
    return forecast_of(tenant_id=tenant_id, found=groups(tenant_id=tenant_id, stop=barrier(tenant_id=tenant_id)))


def forecast_of(*, tenant_id: UUID, found: Collection[Group]) -> Forecast:
    """Return the forecast of groups that were counted already."""
    active = [group for group in found if group.is_on]
    stuck = [group for group in active if group.is_stuck]
    return Forecast(
        people=sum(group.count for group in active),
        counts={each: sum(g.count for g in active if g.prediction.outcome is each) for each in Outcome},
        stuck=sum(group.count for group in stuck),
        owners_stuck=sum(group.count for group in stuck if group.is_owner),
        digest=_digest(tenant_id, stuck),
    )


def listed(*, tenant_id: UUID, found: Collection[Group], outcome: Outcome | None = None) -> QuerySet[Member]:
    """Return the members of an outcome by name, annotated for `row`; all of them without one."""
    rows = people(tenant_id=tenant_id).order_by("user__name", "user__email", "pk")
    if outcome is None:
        return rows
    wanted = [group.where for group in found if group.prediction.outcome is outcome]
    return rows.filter(reduce(or_, wanted)) if wanted else rows.none()


def row(member: Any, *, stop: Why | None) -> Row:
    """Return one listed member with their prediction."""
    prediction = domain.predict(_person({key: _of(member, key) for key in _KEYS}), barrier=stop)
    user = member.user
    return Row(user.name, user.email, member.role, prediction, member.has_passkey, member_id=member.pk)


def rows(*, tenant_id: UUID, at: datetime, outcome: Outcome | None = None) -> Iterator[Row]:
    """Yield every member and everybody invited with their prediction, or those of one outcome; a few at a time."""
    stop = barrier(tenant_id=tenant_id)
    found = groups(tenant_id=tenant_id, stop=stop)
    members = listed(tenant_id=tenant_id, found=found, outcome=outcome)
    for member in members.iterator(chunk_size=_CHUNK):
        yield row(member, stop=stop)
    for each in invited(tenant_id=tenant_id, stop=stop, at=at):
        if outcome in (None, each.prediction.outcome):
            yield each


def count_of(outcome: Outcome, *, found: Collection[Group], invited: Collection[Row]) -> int:
    """Return how many people have an outcome, members and invited."""
    members = sum(group.count for group in found if group.prediction.outcome is outcome)
    return members + sum(each.prediction.outcome is outcome for each in invited)


def invited(*, tenant_id: UUID, stop: Why | None, at: datetime) -> list[Row]:
    """Return who is invited and has not joined, with what would become of them; there are never more than a few."""
    proven = _proven(tenant_id)
    joining = _ruled(tenant_id, StandingRule.Kind.JOIN)
    waiting = Invitation.objects.filter(tenant_id=tenant_id, accepted_at=None, revoked_at=None, expires_at__gt=at)
    has_account = Exists(User.objects.filter(email=OuterRef("email")))
    found = waiting.annotate(domain=_domain_of("email"), has_account=has_account).order_by("email")
    return [
        Row(
            "",
            each.email,
            each.role,
            domain.predict(
                Person(
                    is_active=True, is_invited=True, is_proven=each.domain in proven,
                    has_rule=each.domain in joining, has_account=each.has_account,
                ),
                barrier=stop,
            ),
            has_passkey=False,
            is_invited=True,
        )
        for each in found
    ]  # fmt: skip


def people(*, tenant_id: UUID) -> QuerySet[Member]:
    """Return all members with what a prediction looks at."""
    # A security key that is only a second factor signs nobody in by itself.
    passkeys = Authenticator.objects.filter(
        user_id=OuterRef("user_id"),
        type=Authenticator.Type.WEBAUTHN,
        data__credential__clientExtensionResults__credProps__rk=True,
    )
    return (
        Member.objects.filter(tenant_id=tenant_id)
        .select_related("user")
        .annotate(domain=_domain_of("user__email"), last=_last(tenant_id), waits=_waits(tenant_id))
        .annotate(
            is_on=_says(Q(deactivated_at=None, user__is_active=True)),
            is_proven=_says(Q(domain__in=_proven(tenant_id))),
            has_rule=_says(Q(domain__in=_ruled(tenant_id, StandingRule.Kind.LINK))),
            is_owner=_says(Q(role=TenantRole.OWNER)),
            has_passkey=Exists(passkeys),
            link=_link(tenant_id),
        )
    )


def _last(tenant_id: UUID) -> Subquery:
    """Return how a member fared when the provider named them last."""
    answered = SsoSignIn.objects.filter(tenant_id=tenant_id, member_id=OuterRef("pk"), answered_at__isnull=False)
    return Subquery(answered.order_by("-answered_at", "-pk").values("reason")[:1])


def _waits(tenant_id: UUID) -> Subquery:
    """Return how the newest link of a member stands that nobody has approved."""
    proposals = LinkProposal.objects.filter(tenant_id=tenant_id, member_id=OuterRef("pk")).exclude(is_approved=True)
    state = Case(
        When(is_approved=False, then=Value(Link.REJECTED.value)),
        When(reason=Reason.NAME_HAS_NEW_OWNER.value, then=Value(Link.CLASH.value)),
        default=Value(Link.PENDING.value),
        output_field=CharField(),
    )
    return Subquery(proposals.order_by("-proposed_at", "-pk").annotate(state=state).values("state")[:1])


def _link(tenant_id: UUID) -> Case:
    """Return how a member stands to the directory: by the name it gave them last, or else by what is linked.

    Who was not let in by that name is not, whatever other name they are linked by, until somebody decides.
    """
    linked = LinkedIdentity.objects.filter(tenant_id=tenant_id, member_id=OuterRef("pk"))
    clashes = LinkProposal.objects.filter(
        tenant_id=tenant_id, member_id=OuterRef("pk"), reason=Reason.NAME_HAS_NEW_OWNER.value, is_approved=None
    )
    came_in = Q(last__in=[Reason.LINKED, Reason.LINKED_BY_RULE, Reason.JOINED_BY_RULE])
    stayed_out = Q(last__in=[*WAITING, Reason.LINK_REJECTED])
    pending = Q(waits=Link.PENDING.value)
    return Case(
        When(pending & Q(last=Reason.NAME_HAS_NEW_OWNER), then=Value(Link.CLASH.value)),
        When(stayed_out & pending & Exists(linked.filter(source__in=SIGNED_IN)), then=Value(Link.SECOND.value)),
        When(stayed_out & Q(waits__isnull=False), then=F("waits")),
        When(came_in & Exists(linked), then=Value(Link.LINKED.value)),
        When(Exists(clashes), then=Value(Link.CLASH.value)),
        When(Exists(linked), then=Value(Link.LINKED.value)),
        default=Coalesce(F("waits"), Value(Link.NONE.value)),
        output_field=CharField(),
    )


def _says(condition: Q) -> Case:
    return Case(When(condition, then=Value(True)), default=Value(False))


def _domain_of(field: str) -> Lower:
    return Lower(Func(F(field), Value("@"), Value(2), function="split_part", output_field=CharField()))


def _proven(tenant_id: UUID) -> list[str]:
    """Return the tenant's proven domains, as DNS and as people write them."""
    rows = Domain.objects.filter(tenant_id=tenant_id, verified_at__isnull=False).values_list("name", "text")
    return sorted({form.lower() for forms in rows for form in forms})


def _ruled(tenant_id: UUID, kind: str) -> list[str]:
    """Return the domains for which a standing rule decides, as DNS and as people write them."""
    rules = StandingRule.objects.filter(tenant_id=tenant_id, kind=kind, ended_at=None).values("domain")
    rows = Domain.objects.filter(tenant_id=tenant_id, verified_at__isnull=False, name__in=rules)
    return sorted({form.lower() for forms in rows.values_list("name", "text") for form in forms})


def _group(found: dict[str, Any], stop: Why | None) -> Group:
    where = Q(**{key: found[key] for key in _KEYS})
    prediction = domain.predict(_person(found), barrier=stop)
    return Group(prediction, found["count"], where, found["is_on"], found["is_owner"], found["has_passkey"])


def _person(known: dict[str, Any]) -> Person:
    return Person(
        is_active=known["is_on"],
        is_proven=known["is_proven"],
        has_rule=known["has_rule"],
        link=Link(known["link"]),
        is_staff=known["user__is_staff"],
    )


def _of(member: Any, key: str) -> Any:
    return member.user.is_staff if key == "user__is_staff" else getattr(member, key)


def _digest(tenant_id: UUID, stuck: Collection[Group]) -> str:
    """Return a digest of who is stuck and why; an empty text for nobody."""
    if not stuck:
        return ""
    reasons = Case(
        *(When(group.where, then=Value(group.prediction.why.value)) for group in stuck), output_field=CharField()
    )
    chosen = people(tenant_id=tenant_id).filter(reduce(or_, (group.where for group in stuck)))
    lines = chosen.order_by("pk").values_list(Cast("pk", CharField()), reasons)
    made = hashlib.sha256()
    for member_id, why in lines.iterator(chunk_size=_CHUNK):
        made.update(f"{member_id} {why}\n".encode())
    return made.hexdigest()


def _answered(answer: Any) -> Any:
    return answer.answered_at


def _answer(kept: Any) -> domain.Answer:
    failed = frozenset(code for code, verdict in kept.verdicts.items() if verdict == Verdict.FAIL)
    return domain.Answer(failed, has_address=_has_address(kept, failed))


def _has_address(kept: Any, failed: frozenset[str]) -> bool:
    """Say whether a refused answer named one address; only its sealed words tell, and only for a week."""
    if failed != {Code.EMAIL} or not kept.sealed:
        return True
    named = [address for address in sso.opened(kept).addresses if domain_of(address)]
    return len(named) == 1
