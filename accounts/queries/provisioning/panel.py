"""Provisioning as a tenant's people look at it: how it stands, each call, who needs somebody, what groups give."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet

from accounts.domain.provisioning.plans import REASONS, WORDS, Outcome, Reason
from accounts.models import ProvisionedGroup, ProvisionedUser, Provisioning, ProvisioningCall
from accounts.queries.provisioning import resources

A_PAGE = 50
MOST_SHOWN = 25
ONLY = {"": "All calls", "changes": "What changed somebody", "refused": "Refused"}
"""Which calls to look at."""
_STATES = {
    Outcome.WAITING: "warn",
    Outcome.NOBODY: "warn",
    Outcome.REFUSED: "fail",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One call, and what came of it in words."""

    call: ProvisioningCall
    who: str
    state: str
    words: str
    detail: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the directory whom nothing has come of yet."""

    user: ProvisionedUser
    words: str
    fix: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How provisioning stands: its setting, how many people and groups there are, how many need somebody."""

    setting: Provisioning | None
    people: int
    active: int
    groups: int
    waiting: int

    @property
    def is_enabled(self) -> bool:
        """Whether what the directory says changes members."""
        return self.setting is not None and self.setting.enabled_at is not None


def standing(*, tenant_id: UUID) -> Standing:
    """Return how provisioning stands."""
    users = resources.users(tenant_id=tenant_id)
    counted = users.aggregate(
        people=Count("pk"), active=Count("pk", filter=Q(is_active=True)), waiting=Count("pk", filter=_NEEDY)
    )
    groups = resources.groups(tenant_id=tenant_id).count()
    return Standing(Provisioning.objects.filter(tenant_id=tenant_id).first(), groups=groups, **counted)


def calls(*, tenant_id: UUID, only: str = "") -> QuerySet[ProvisioningCall]:
    """Return the calls of the last fortnight, the newest first, or those of them that `ONLY` names."""
    rows = ProvisioningCall.objects.filter(tenant_id=tenant_id)
    match only:
        case "changes":
            return rows.exclude(method="GET").exclude(outcome__in=("", Outcome.NOTHING.value))
        case "refused":
            return rows.filter(status__gte=400)
    return rows


def lines(*, tenant_id: UUID, number: str | None, only: str = "") -> tuple[Page[ProvisioningCall], Sequence[Line]]:
    """Return a page of calls, the newest first, each with whom it is about."""
    page = Paginator(calls(tenant_id=tenant_id, only=only), A_PAGE).get_page(number)
    ids = {call.resource_id for call in page if call.resource_id}
    names: dict[UUID, str] = {}
    for model in (ProvisionedUser, ProvisionedGroup):
        rows: QuerySet[ProvisionedUser] | QuerySet[ProvisionedGroup] = model.objects.filter(tenant_id=tenant_id)
        names |= {row.pk: str(row) for row in rows.filter(pk__in=ids)}
    return page, [_line(call, names) for call in page]


def needy(*, tenant_id: UUID, enabled: bool) -> list[Person]:
    """Return the first people of whom nothing comes unless somebody does something."""
    rows = resources.users(tenant_id=tenant_id).filter(_NEEDY).order_by("-modified_at", "-pk")[:MOST_SHOWN]
    return [_person(row, enabled=enabled) for row in rows]


def deleted(*, tenant_id: UUID) -> list[ProvisionedUser]:
    """Return the people whom the directory deleted last."""
    gone = ProvisionedUser.objects.filter(tenant_id=tenant_id, deleted_at__isnull=False)
    return list(gone.order_by("-deleted_at", "-pk")[:MOST_SHOWN])


def groups(*, tenant_id: UUID) -> list[ProvisionedGroup]:
    """Return the groups by name, those with a role first, each with how many are in it (`size`)."""
    live = Count("memberships", filter=Q(memberships__user__deleted_at=None))
    return list(resources.groups(tenant_id=tenant_id).annotate(size=live).order_by("-role", "name_key", "pk")[:200])


_NEEDY = Q(outcome__in=[outcome.value for outcome in _STATES])


def _line(call: ProvisioningCall, names: dict[UUID, str]) -> Line:
    who = names.get(call.resource_id, "") if call.resource_id else ""
    if call.status >= 400:
        return Line(call, who, "fail", "Refused", call.refusal)
    if not call.outcome or call.method == "GET":
        return Line(call, who, "pass", "Answered", "")
    outcome = Outcome(call.outcome)
    return Line(call, who, _STATES.get(outcome, "pass"), WORDS[outcome][0 if call.was_trial else 1], "")


def _person(row: ProvisionedUser, *, enabled: bool) -> Person:
    words = WORDS[Outcome(row.outcome)][1 if enabled else 0]
    if row.reason:
        return Person(row, words, REASONS[Reason(row.reason)])
    return Person(row, words, "Approve the link under “Linked people”.")
