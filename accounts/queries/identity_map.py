"""The identity map: counts, people, decisions and checkpoints, for pages, checks and use cases."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import batched
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet

from accounts.domain.identity_map.decisions import ERASED, Legacy, New, State
from accounts.domain.identity_map.outcomes import OUTCOMES, Outcome
from accounts.models import (
    LegacyPerson,
    LinkCheckpoint,
    LinkedIdentity,
    MapRun,
    Member,
    NewPerson,
    PersonChange,
    PersonDecision,
    PersonPart,
    TenantLink,
    User,
)
from core.people import Person
from core.permissions import TenantRole

_AT_ONCE = 5_000
_SAMPLE = 5
_MEMBER = "member:"
"""What the key of a member begins with, beside those of the new platform."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NAMING = ("external_id", "user_name", "email", "name")
"""What names somebody; the platform's own key does not."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the map stands: the newest run, the last that ended, how many people are where, and what waits."""

    newest: MapRun | None
    last: MapRun | None
    counts: dict[str, int] = field(default_factory=dict)
    waiting: int = 0

    @property
    def people(self) -> int:
        """How many people of legacy there are."""
        return sum(self.counts.values())

    def count(self, outcome: Outcome) -> int:
        """Return how many people ended there."""
        return self.counts.get(outcome, 0)


def standing(*, tenant_id: UUID) -> Standing:
    """Return how a tenant's map stands."""
    runs = MapRun.objects.filter(tenant_id=tenant_id)
    rows = LegacyPerson.objects.filter(tenant_id=tenant_id).values_list("outcome").annotate(count=Count("pk"))
    found = dict(rows.order_by("outcome"))
    return Standing(
        newest=runs.first(),
        last=runs.filter(state=MapRun.State.DONE).first(),
        counts={outcome.value: found.get(outcome, 0) for outcome in OUTCOMES},
        waiting=waiting(tenant_id=tenant_id).count(),
    )


def by_rule(*, tenant_id: UUID) -> list[tuple[str, str, int]]:
    """Return how many people ended where, by which rule."""
    rows = LegacyPerson.objects.filter(tenant_id=tenant_id).values_list("outcome", "rule").annotate(count=Count("pk"))
    return list(rows.order_by("outcome", "rule"))


def people(*, tenant_id: UUID, outcome: str = "", words: str = "") -> QuerySet[LegacyPerson]:
    """Return people of legacy by key; only those of an outcome, only those whom the words are found of."""
    rows = LegacyPerson.objects.filter(tenant_id=tenant_id).select_related("new", "person")
    if outcome:
        rows = rows.filter(outcome=outcome)
    if words:
        text = words.replace("\0", "")[:100]
        rows = rows.filter(
            Q(name__icontains=text) | Q(user_name__icontains=text) | Q(email__icontains=text) | Q(key=text)
        )
    return rows.order_by("key")


def person(*, tenant_id: UUID, person_id: UUID) -> LegacyPerson | None:
    """Return one person of legacy."""
    return people(tenant_id=tenant_id).select_related("new", "person", "decision").filter(pk=person_id).first()


def same(row: LegacyPerson) -> QuerySet[LegacyPerson]:
    """Return who was merged into a person."""
    return LegacyPerson.objects.filter(tenant_id=row.tenant_id, person=row).exclude(pk=row.pk).order_by("key")


def parts(row: LegacyPerson) -> QuerySet[PersonPart]:
    """Return the people among whom an account was split, as it stands."""
    found = PersonPart.objects.filter(tenant_id=row.tenant_id, legacy=row, decision=row.decision_id)
    return found.select_related("new").order_by("guid")


def history(row: LegacyPerson) -> QuerySet[PersonChange]:
    """Return what was decided about a person, newest first."""
    found = PersonChange.objects.filter(tenant_id=row.tenant_id, legacy=row)
    return found.select_related("decision", "before_new", "after_new", "after_person").order_by(
        "-decision__decided_at", "-pk"
    )


def choices(row: LegacyPerson, *, words: str, limit: int = 20) -> list[NewPerson]:
    """Return people of the new platform who could be meant: those the words are found of, or who share something."""
    rows = NewPerson.objects.filter(tenant_id=row.tenant_id, gone_at=None, is_active=True)
    text = words.replace("\0", "").strip()[:100]
    if text:
        found = rows.filter(
            Q(name__icontains=text) | Q(user_name__icontains=text) | Q(email__icontains=text) | Q(key=text)
        )
    else:
        alike = Q(pk=row.new_id)
        for name in ("external_id", "user_name", "email", "name"):
            if getattr(row, name):
                alike |= Q(**{name: getattr(row, name)})
        found = rows.filter(alike)
    return list(found.order_by("name", "key")[:limit])


def alike(row: LegacyPerson, *, limit: int = 20) -> list[LegacyPerson]:
    """Return other people of legacy who share a key or the person of the new platform, to merge with."""
    shared = Q(new_id=row.new_id) if row.new_id else Q(pk__in=[])
    for name in ("external_id", "user_name", "email", "name"):
        if getattr(row, name):
            shared |= Q(**{name: getattr(row, name)})
    closed = [Outcome.MERGED, Outcome.SPLIT, Outcome.DROPPED]
    rows = LegacyPerson.objects.filter(shared, tenant_id=row.tenant_id).exclude(pk=row.pk).exclude(outcome__in=closed)
    return list(rows.order_by("key")[:limit])


def decisions(*, tenant_id: UUID) -> QuerySet[PersonDecision]:
    """Return the decisions about a tenant's people, newest first."""
    return PersonDecision.objects.filter(tenant_id=tenant_id).order_by("-decided_at", "-pk")


def waiting(*, tenant_id: UUID) -> QuerySet[PersonDecision]:
    """Return the decisions that wait for a second person, each with the first few changes that it asks for (`sample`).

    Two queries, however many wait.
    """
    changes = PersonChange.objects.filter(tenant_id=tenant_id).select_related("legacy", "after_new")
    sample = Prefetch("changes", queryset=changes.order_by("legacy_id")[:_SAMPLE], to_attr="sample")
    return decisions(tenant_id=tenant_id).filter(state=PersonDecision.State.WAITING).prefetch_related(sample)


def names(rows: Collection[PersonDecision]) -> dict[UUID, str]:
    """Return who decided, agreed, declined and undid, by name; the house itself has none."""
    ids = {each for row in rows for each in (row.decided_by, row.agreed_by, row.declined_by, row.undone_by) if each}
    return {user.pk: str(user) for user in User.objects.filter(pk__in=ids)}


def link(*, tenant_id: UUID) -> TenantLink | None:
    """Return the link between a tenant's two accounts."""
    return TenantLink.objects.filter(tenant_id=tenant_id).first()


def checkpoints(*, tenant_id: UUID) -> QuerySet[LinkCheckpoint]:
    """Return the checkpoints of a tenant's map, newest first."""
    return LinkCheckpoint.objects.filter(tenant_id=tenant_id)


def decided_on_gone(*, tenant_id: UUID) -> QuerySet[LegacyPerson]:
    """Return people whom somebody mapped to a person who is gone or switched off on the new platform since."""
    rows = people(tenant_id=tenant_id, outcome=Outcome.MAPPED).filter(decision__isnull=False)
    return rows.filter(Q(new__gone_at__isnull=False) | Q(new__is_active=False))


def members(*, tenant_id: UUID, after: str | None, limit: int) -> dict[UUID, Person]:
    """Return the next members, by id, whom the tenant's directory knows: by provisioning, or by signing in.

    They are people of the new platform to be, under the keys by which they are linked. Their role there is not known.
    """
    linked = LinkedIdentity.objects.filter(tenant_id=tenant_id, member_id=OuterRef("pk"))
    rows = Member.objects.filter(Exists(linked), tenant_id=tenant_id)
    if after:
        rows = rows.filter(pk__gt=UUID(after.removeprefix(_MEMBER)))
    keys = Prefetch("identities", queryset=LinkedIdentity.objects.order_by("linked_at", "pk"))
    return {row.pk: _person(row) for row in rows.select_related("user").prefetch_related(keys).order_by("pk")[:limit]}


def _person(row: Member) -> Person:
    keys = list(row.identities.all())
    return Person(
        key=f"{_MEMBER}{row.pk}",
        external_id=next((key.external_id for key in keys if key.external_id), ""),
        user_name=next((key.user_name for key in keys if key.user_name), ""),
        email=row.user.email,
        name=row.user.name,
        is_owner=row.role == TenantRole.OWNER,
        is_active=row.deactivated_at is None and row.user.is_active,
    )


def is_key_of_member(*, tenant_id: UUID, keys: Iterable[str]) -> bool:
    """Say whether one of a platform's keys is that of a member of the tenant, linked or not."""
    told = {key.removeprefix(_MEMBER) for key in keys if key.startswith(_MEMBER)}
    ids = {each for each in told if _UUID.fullmatch(each)}
    return bool(ids) and Member.objects.filter(tenant_id=tenant_id, pk__in=ids).exists()


def ids_by_key(
    model: type[NewPerson] | type[LegacyPerson], *, tenant_id: UUID, keys: Collection[str]
) -> dict[str, UUID]:
    """Return the ids of people whom their platform calls so; whoever is not known is missing."""
    found: dict[str, UUID] = {}
    for some in batched(sorted(set(keys)), _AT_ONCE):
        found.update(model.objects.filter(tenant_id=tenant_id, key__in=some).values_list("key", "pk"))
    return found


def is_named() -> Q:
    """Return the condition that a row says anything that names somebody."""
    named = Q(pk__in=[])
    for name in NAMING:
        named |= ~Q(**{name: ""})
    return named


def named(*, tenant_id: UUID) -> dict[str, int]:
    """Count what still names somebody, by kind of row; a reason that somebody wrote may."""
    told: dict[str, Any] = {"people of legacy": LegacyPerson.objects, "people of the new platform": NewPerson.objects}
    people = {what: rows.filter(is_named(), tenant_id=tenant_id).count() for what, rows in told.items()}
    written: dict[str, Any] = {
        "reasons of decisions": PersonDecision.objects,
        "reasons of checkpoints": LinkCheckpoint.objects,
    }
    return people | {
        what: rows.filter(tenant_id=tenant_id).exclude(reason=ERASED).count() for what, rows in written.items()
    }


def facts(*, tenant_id: UUID, ids: Collection[UUID]) -> dict[UUID, Legacy]:
    """Return people of legacy as a decision meets them, by id."""
    kept = set(
        LegacyPerson.objects.filter(tenant_id=tenant_id, outcome=Outcome.MERGED).values_list("person_id", flat=True)
    )
    columns = ("pk", "key", "outcome", "rule", "new_id", "person_id", "decision_id", "role", "is_owner")
    return {
        pk: Legacy(pk, key, State(*state), decision_id, role, is_owner, pk in kept)
        for some in batched(ids, _AT_ONCE)
        for pk, key, *state, decision_id, role, is_owner in LegacyPerson.objects.filter(
            tenant_id=tenant_id, pk__in=some
        ).values_list(*columns)
    }


def new_facts(*, tenant_id: UUID, ids: Collection[UUID]) -> dict[UUID, New]:
    """Return people of the new platform as a decision meets them, by id, each with who of legacy holds them."""
    found: dict[UUID, New] = {}
    for some in batched(ids, _AT_ONCE):
        holders: dict[UUID, set[UUID]] = {}
        for new_id, legacy_id in _held(tenant_id=tenant_id, ids=some):
            holders.setdefault(new_id, set()).add(legacy_id)
        rows = NewPerson.objects.filter(tenant_id=tenant_id, pk__in=some)
        for pk, key, role, is_owner, is_active, gone_at in rows.values_list(
            "pk", "key", "role", "is_owner", "is_active", "gone_at"
        ):
            found[pk] = New(
                id=pk, key=key, role=role, is_owner=is_owner, is_there=is_active and gone_at is None,
                holders=frozenset(holders.get(pk, ())),
            )  # fmt: skip
    return found


def _held(*, tenant_id: UUID, ids: Collection[UUID]) -> Iterator[tuple[UUID, UUID]]:
    mapped = LegacyPerson.objects.filter(tenant_id=tenant_id, outcome=Outcome.MAPPED, new_id__in=ids)
    for legacy_id, new_id in mapped.values_list("pk", "new_id"):
        if new_id is not None:
            yield new_id, legacy_id
    split = PersonPart.objects.filter(
        tenant_id=tenant_id, new_id__in=ids, legacy__outcome=Outcome.SPLIT, decision_id=F("legacy__decision_id")
    )
    yield from split.values_list("new_id", "legacy_id")
