"""Who has which role where, how they sign in and when they were seen; and the reviews of it.

Everybody is read in a constant number of queries. People of the platforms and members are brought together by the keys
of `accounts/domain/directory.py`; an address counts too, for members have shown theirs to be their own.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import get_hashers
from django.db import connection
from django.db.models import Count, F, Func, Max, QuerySet, TextField, Value

from accounts.domain.access import DIFFERENCES, Access, Difference, Standing, Verdict, Way
from accounts.domain.identity_map.outcomes import Outcome
from accounts.models import (
    AccessLine,
    AccessReview,
    LegacyPerson,
    LinkedIdentity,
    Member,
    NewPerson,
    PersonPart,
    SsoSignIn,
    User,
)
from accounts.models.identities import Source
from accounts.queries import removals, sso
from core.permissions import TenantRole

_KEYS = ("external_id", "user_name", "email")


@dataclass(slots=True)
class _Found:
    """One person, while what is known of them is brought together."""

    member: Member | None = None
    new: NewPerson | None = None
    legacy: LegacyPerson | None = None


def everybody(*, tenant_id: UUID) -> list[Access]:
    """Return everybody who has access on either platform or in Crossing; what needs a look comes first."""
    members = {member.pk: member for member in _members(tenant_id)}
    keys = _Keys(tenant_id, members.values())
    ways, seen = _ways(tenant_id, members.values(), keys), _seen(tenant_id, members.values())
    order = list(DIFFERENCES)
    made = [_access(found, ways, seen) for found in _together(tenant_id, members, keys)]
    return sorted(made, key=lambda one: (order.index(one.standing.difference), one.name.lower(), str(one.email)))


def counts(people: Collection[Access]) -> list[tuple[Difference, int]]:
    """Return how many stand how."""
    return [(each, sum(one.standing.difference is each for one in people)) for each in DIFFERENCES]


def reviews(*, tenant_id: UUID) -> QuerySet[AccessReview]:
    """Return a tenant's reviews, newest first."""
    return AccessReview.objects.filter(tenant_id=tenant_id)


def open_one(*, tenant_id: UUID) -> AccessReview | None:
    """Return the review that is under way."""
    return reviews(tenant_id=tenant_id).filter(finished_at=None).first()


def last_finished(*, tenant_id: UUID) -> AccessReview | None:
    """Return the review that was finished last."""
    return reviews(tenant_id=tenant_id).filter(finished_at__isnull=False).order_by("-finished_at").first()


def lines(review: AccessReview, *, difference: str = "", verdict: str | None = None) -> QuerySet[AccessLine]:
    """Return a review's lines with the people they are about; those of a difference or a decision only."""
    rows = AccessLine.objects.filter(tenant_id=review.tenant_id, review=review)
    if difference:
        rows = rows.filter(difference=difference)
    if verdict is not None:
        rows = rows.filter(verdict=verdict)
    return rows.select_related("member__user", "legacy", "new").order_by("number")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a review is."""

    people: int
    by_verdict: dict[str, int] = field(default_factory=dict)

    @property
    def decided(self) -> int:
        """How many are decided about."""
        return self.by_verdict.get(Verdict.ATTESTED, 0) + self.by_verdict.get(Verdict.REVOKED, 0)

    @property
    def is_done(self) -> bool:
        """Whether everybody is decided about."""
        return self.decided == self.people


def progress(review: AccessReview) -> Progress:
    """Return how far a review is."""
    rows = AccessLine.objects.filter(tenant_id=review.tenant_id, review=review).values_list("verdict")
    return Progress(review.people, dict(rows.annotate(count=Count("pk")).order_by("verdict")))


def by_difference(review: AccessReview) -> dict[str, dict[str, int]]:
    """Return how many of a review's lines were decided how, by difference."""
    rows = AccessLine.objects.filter(tenant_id=review.tenant_id, review=review).values_list("difference", "verdict")
    told: dict[str, dict[str, int]] = {}
    for difference, verdict, count in rows.annotate(count=Count("pk")).order_by("difference", "verdict"):
        told.setdefault(difference, {})[verdict] = count
    return told


def reviewers(*, tenant_id: UUID) -> dict[UUID, str]:
    """Return who may decide about access, each with their role, by user."""
    rows = Member.objects.filter(
        tenant_id=tenant_id, deactivated_at=None, user__is_active=True, role__in=(TenantRole.OWNER, TenantRole.ADMIN)
    )
    return dict(rows.values_list("user_id", "role"))


def names(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return people's names by user."""
    return {user.pk: str(user) for user in User.objects.filter(pk__in={each for each in ids if each})}


def _members(tenant_id: UUID) -> list[Any]:
    algorithm = Func(F("user__password"), Value("$"), Value(1), function="split_part", output_field=TextField())
    rows = Member.objects.filter(tenant_id=tenant_id, deactivated_at=None).select_related("user")
    return list(rows.annotate(algorithm=algorithm).order_by("user__email"))


class _Keys:
    """By what a member is found."""

    def __init__(self, tenant_id: UUID, members: Iterable[Member]) -> None:
        self.linked: dict[UUID, set[str]] = {}
        self._found: dict[tuple[str, str], UUID] = {("email", member.user.email): member.pk for member in members}
        rows = LinkedIdentity.objects.filter(tenant_id=tenant_id)
        for member_id, source, *keys in rows.values_list("member_id", "source", "external_id", "user_name"):
            self.linked.setdefault(member_id, set()).add(source)
            self._found |= {(name, key): member_id for name, key in zip(_KEYS, keys, strict=False) if key}

    def find(self, person: NewPerson | LegacyPerson) -> UUID | None:
        """Return the member who a person of a platform is, by the first key that answers."""
        for name in _KEYS:
            if found := self._found.get((name, getattr(person, name))):
                return found
        return None


def _together(tenant_id: UUID, members: dict[UUID, Any], keys: _Keys) -> list[_Found]:
    by_member = {pk: _Found(member=member) for pk, member in members.items()}
    everyone, by_new = list(by_member.values()), {}
    for new in NewPerson.objects.filter(tenant_id=tenant_id, is_active=True, gone_at=None).order_by("key"):
        found = by_member.get(keys.find(new) or new.pk)
        if found is None or found.new is not None:
            found = _Found()
            everyone.append(found)
        found.new, by_new[new.pk] = new, found
    for legacy, new_id in _legacy(tenant_id):
        found = (by_new.get(new_id) if new_id else None) or by_member.get(keys.find(legacy) or legacy.pk)
        if found is None or found.legacy is not None:
            found = _Found()
            everyone.append(found)
        found.legacy = legacy
    return everyone


def _legacy(tenant_id: UUID) -> Iterable[tuple[LegacyPerson, UUID | None]]:
    """Yield who has access in legacy, with whom they are on the new platform.

    Whoever was merged counts with whom they are; an account that several used counts for each of them.
    """
    rows = list(LegacyPerson.objects.filter(tenant_id=tenant_id, is_active=True, gone_at=None).order_by("key"))
    kept = {row.pk: row for row in rows if row.outcome != Outcome.MERGED}
    parts: dict[UUID, list[UUID]] = {}
    shared = PersonPart.objects.filter(
        tenant_id=tenant_id, legacy__outcome=Outcome.SPLIT, decision_id=F("legacy__decision_id")
    )
    for legacy_id, new_id in shared.values_list("legacy_id", "new_id"):
        parts.setdefault(legacy_id, []).append(new_id)
    for row in rows:
        if row.outcome != Outcome.MERGED:
            continue
        whole = kept.setdefault(row.person_id, row)  # who stands for both may be switched off, and this one not
        if row.is_owner and not whole.is_owner:
            whole.is_owner, whole.role = True, row.role
    for row in kept.values():
        alone = row.new_id if row.outcome == Outcome.MAPPED else None
        for part in parts.get(row.pk, (alone,)):
            yield row, part


def _ways(tenant_id: UUID, members: Iterable[Any], keys: _Keys) -> dict[UUID, tuple[Way, ...]]:
    """Return the ways in that are open to each member now."""
    company = sso.of_tenant(tenant_id=tenant_id)
    is_connected = company is not None and company.is_connected
    works = {hasher.algorithm for hasher in get_hashers()} if not _is_sso_only(tenant_id) else set()
    seats = Member.objects.filter(tenant_id=tenant_id, deactivated_at=None).values("user_id")
    passkeys = Authenticator.objects.filter(user_id__in=seats, type=Authenticator.Type.WEBAUTHN)
    holders = set(passkeys.values_list("user_id", flat=True))
    told = {}
    for member in members:
        sources = keys.linked.get(member.pk, set()) if is_connected else set()
        ways = {
            Way.COMPANY: bool(sources),
            Way.PASSKEY: member.user_id in holders,
            Way.PASSWORD: member.algorithm in works,
            Way.PROVISIONED: Source.PROVISIONING in sources,
        }
        told[member.pk] = tuple(way for way, is_open in ways.items() if is_open and member.user.is_active)
    return told


def _is_sso_only(tenant_id: UUID) -> bool:
    """Ask what decides at sign-in too: whether a password opens nothing of this tenant."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT crossing.sso_only(%s)", [tenant_id])
        return bool(cursor.fetchone()[0])


def _seen(tenant_id: UUID, members: Iterable[Any]) -> dict[UUID, datetime]:
    """Return when each member was seen last; of who belongs to another account too, only what happened for this one."""
    used = SsoSignIn.objects.filter(tenant_id=tenant_id, used_at__isnull=False, member__isnull=False)
    by_company = dict(used.values_list("member_id").annotate(at=Max("used_at")).order_by())
    seats = Member.objects.filter(tenant_id=tenant_id, deactivated_at=None).values("user_id")
    sessions = UserSession.objects.filter(user_id__in=seats)
    in_session = dict(sessions.values_list("user_id").annotate(at=Max("last_seen_at")).order_by())
    elsewhere = removals.elsewhere(tenant_id=tenant_id)
    told = {}
    for member in members:
        moments = [by_company.get(member.pk)]
        if member.user_id not in elsewhere:
            moments += [member.user.last_login, in_session.get(member.user_id)]
        if known := [moment for moment in moments if moment]:
            told[member.pk] = max(known)
    return told


def _access(found: _Found, ways: dict[UUID, tuple[Way, ...]], seen: dict[UUID, datetime]) -> Access:
    member, new, legacy = found.member, found.new, found.legacy
    other = new or legacy
    return Access(
        standing=Standing(
            old_role=(legacy.role or "user") if legacy else "",
            platform_role=(new.role or "user") if new else "",
            role=member.role if member else "",
            is_old_owner=legacy is not None and legacy.is_owner,
            is_platform_owner=new is not None and new.is_owner,
        ),
        name=str(member.user if member else other),
        email=member.user.email if member else other.email if other else "",
        ways=ways.get(member.pk, ()) if member else (),
        seen_at=seen.get(member.pk) if member else None,
        member_id=member.pk if member else None,
        legacy_id=legacy.pk if legacy else None,
        new_id=new.pk if new else None,
    )
