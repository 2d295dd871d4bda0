"""Access reviews: which there are, their lines, how far each is, and who may decide."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Case, Count, Exists, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from accounts.domain import roles
from accounts.domain.access import ACTION, Asked, Verdict, shown, unable_to_attest, unable_to_revoke
from accounts.models import AccessLine, AccessReview, Member, User
from accounts.queries.access.standing import hashed
from core import queue
from core.actor import Actor
from core.approvals import reading
from core.models import ApprovalRequest, Signature
from core.permissions import Permission, TenantRole

TASK = "accounts.tasks.write_down_access"
_AT_ONCE = 2000
_OF_LINES = [field.name for field in AccessLine._meta.concrete_fields]
_OF_PEOPLE = (
    "member__role", "member__deactivated_at", "member__user__name", "member__user__email",
    *(f"{side}__{told}" for side in ("new", "legacy") for told in ("key", "name", "user_name", "email")),
)  # fmt: skip


def reviews(*, tenant_id: UUID) -> QuerySet[AccessReview]:
    """Return a tenant's reviews, newest first."""
    return AccessReview.objects.filter(tenant_id=tenant_id)


def told(*, tenant_id: UUID) -> QuerySet[AccessReview]:
    """Return a tenant's reviews with how many are decided about and when the summary was signed."""
    lines = AccessLine.objects.filter(review=OuterRef("pk"), verdict__in=(Verdict.ATTESTED, Verdict.REVOKED))
    counted = lines.order_by().values("review").annotate(count=Count("pk")).values("count")
    signatures = Signature.objects.filter(tenant_id=tenant_id, request_id=OuterRef("approval_id"))
    return reviews(tenant_id=tenant_id).annotate(
        decided=Coalesce(Subquery(counted), 0), signed_at=Subquery(signatures.values("signed_at")[:1])
    )


def open_one(*, tenant_id: UUID) -> AccessReview | None:
    """Return the review that is under way."""
    return reviews(tenant_id=tenant_id).filter(finished_at=None, abandoned_at=None).first()


def writing(review: AccessReview) -> queue.JobView | None:
    """Return the job that writes a large account's access down for a review."""
    return next(iter(queue.jobs(review.tenant_id, task=TASK, key=str(review.pk), limit=1)), None)


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
        return 0 < self.people == self.decided


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


def by_reviewer(review: AccessReview) -> list[dict[str, object]]:
    """Return who decided about how many, as ids: whom they attested, and from whom they took access away."""
    rows = AccessLine.objects.filter(tenant_id=review.tenant_id, review=review).exclude(verdict=Verdict.OPEN)
    columns = ("decided_by", "agreed_by", "verdict")
    counted = rows.values_list(*columns).annotate(count=Count("pk")).order_by(*columns)
    return [dict(zip((*columns, "people"), row, strict=True)) for row in counted]


@dataclass(frozen=True, slots=True)
class Since:
    """What became otherwise since a review began."""

    changed: int
    """People who hold another role in Crossing than their line says, other than those whose access was taken away."""
    joined: int
    """Members who came since, of whom the review says nothing."""


def since(review: AccessReview) -> Since:
    """Return how many people's access became otherwise since a review began."""
    rows = AccessLine.objects.filter(tenant_id=review.tenant_id, review=review)
    now = Case(When(member__deactivated_at__isnull=False, then=Value("")), default=F("member__role"))
    moved = rows.filter(member__isnull=False).exclude(verdict=Verdict.REVOKED).exclude(role=now)
    there = rows.filter(member=OuterRef("pk"))
    joined = Member.objects.filter(~Exists(there), tenant_id=review.tenant_id, deactivated_at=None)
    with hashed():
        return Since(moved.count(), joined.count())


def batches(rows: QuerySet[AccessLine]) -> Iterator[list[AccessLine]]:
    """Yield lines by number, some thousand at a time, so that no more of them are ever in memory.

    Of the people they are about, only what a line says of them is read.
    """
    last, needed = 0, rows.only(*_OF_LINES, *_OF_PEOPLE)
    while some := list(needed.filter(number__gt=last).order_by("number")[:_AT_ONCE]):
        yield some
        last = some[-1].number


def signed(review: AccessReview) -> Signature | None:
    """Return the signature under a finished review's summary."""
    if review.approval_id is None:
        return None
    rows = Signature.objects.filter(tenant_id=review.tenant_id, request_id=review.approval_id)
    return rows.select_related("user", "statement", "request__pack").first()


def request_of(review: AccessReview) -> ApprovalRequest | None:
    """Return the request for the signature under a review's summary."""
    return reading.find(request_id=review.approval_id, action=ACTION) if review.approval_id else None


@dataclass(frozen=True, slots=True)
class Reviewers:
    """Who may decide about access: owners about everybody, admins about all but owners."""

    owners: set[UUID]
    everybody: set[UUID]


def asked(line: AccessLine, *, by: Actor, deciders: Reviewers) -> Asked:
    """Return what a decision of `by` about a line looks at; `deciders` are the `reviewers` of its tenant."""
    is_owner = line.role == TenantRole.OWNER
    able = deciders.owners if is_owner else deciders.everybody
    return Asked(
        has_access=bool(line.role or line.platform_role),
        is_member=bool(line.role),
        is_own=line.member is not None and line.member.user_id == by.id,
        is_owner=is_owner,
        by_owner=TenantRole.OWNER in by.roles,
        may_give=line.role in roles.grantable(by.roles),
        others=len(able) - (by.id in able),
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """A line, and what somebody can do about it now."""

    line: AccessLine
    why_not_attest: str = ""
    is_elsewhere: bool = False
    """Their access is the new platform's alone, and the customer's directory takes it away."""
    may_attest: bool = False
    may_revoke: bool = False
    may_reopen: bool = False
    may_settle: bool = False
    """Decline that an owner's access is taken away, or take the wish back."""
    may_agree: bool = False


def choices(lines: Iterable[AccessLine], *, review: AccessReview, by: Actor) -> list[Choice]:
    """Return lines with what `by` can do about each; nothing once the review has ended."""
    if not review.is_open or not by.can(Permission.MANAGE_MEMBERS, tenant_id=review.tenant_id):
        return [Choice(line) for line in lines]
    deciders = reviewers(tenant_id=review.tenant_id)
    return [_choice(line, by=by, deciders=deciders) for line in lines]


def _choice(line: AccessLine, *, by: Actor, deciders: Reviewers) -> Choice:
    is_owner = TenantRole.OWNER in by.roles
    if line.verdict == Verdict.ASKED:
        return Choice(line, may_settle=is_owner, may_agree=is_owner and line.decided_by != by.id)
    if line.verdict != Verdict.OPEN:
        may_reopen = line.verdict == Verdict.ATTESTED and (is_owner or line.role != TenantRole.OWNER)
        return Choice(line, may_reopen=may_reopen)
    known = asked(line, by=by, deciders=deciders)
    problem = unable_to_attest(known)
    why = problem[0] if problem else ""
    return Choice(
        line,
        why_not_attest=why,
        may_attest=not problem,
        may_revoke=unable_to_revoke(known) is None,
        is_elsewhere=known.has_access and not known.is_member,
    )


def reviewers(*, tenant_id: UUID) -> Reviewers:
    """Return who may decide about access, as users."""
    rows = Member.objects.filter(
        tenant_id=tenant_id, deactivated_at=None, user__is_active=True, role__in=(TenantRole.OWNER, TenantRole.ADMIN)
    )
    found = dict(rows.values_list("user_id", "role"))
    return Reviewers({user for user, role in found.items() if role == TenantRole.OWNER}, set(found))


def deciders(review: AccessReview) -> dict[UUID, str]:
    """Return the names of everybody who decided in a review."""
    rows = AccessLine.objects.filter(tenant_id=review.tenant_id, review=review).order_by()
    return names(each for pair in rows.values_list("decided_by", "agreed_by").distinct() for each in pair)


def names(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the names of people by id."""
    return {user.pk: shown(str(user)) for user in User.objects.filter(pk__in={each for each in ids if each})}
