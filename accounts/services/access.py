"""Access reviews: begin one, attest or take away by line, finish it with a summary whose digest the ledger holds."""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.domain import access as domain
from accounts.domain.access import Access, Asked, Difference, Standing, Verdict
from accounts.models import AccessLine, AccessReview, Member
from accounts.queries import access as queries
from accounts.services import members
from core import ledger
from core.actor import Actor, ActorKind
from core.errors import UseCaseError
from core.permissions import Permission, TenantRole

_AT_ONCE = 2000


class UnableToReview(UseCaseError):
    """The review cannot be begun or finished so."""


class UnableToDecide(UseCaseError):
    """Nothing can be decided so about this access."""


@dataclass(frozen=True, slots=True)
class Attested:
    """What became of lines that were to be attested."""

    count: int
    changed: int
    """Their role is another since the review began: it stands in the line now, and waits for a second look."""


def listed(*, tenant_id: UUID, form: str, by: Actor, at: datetime) -> list[Access]:
    """Return everybody's access for a file; that it was taken leaves an entry in the ledger."""
    by.require(Permission.VIEW_MEMBERS, tenant_id=tenant_id)
    people = queries.everybody(tenant_id=tenant_id)
    _told_file(tenant_id, form, by=by, at=at)
    return people


def lines(*, review: AccessReview, form: str, by: Actor, at: datetime) -> list[AccessLine]:
    """Return a review's lines for a file; that it was taken leaves an entry in the ledger."""
    by.require(Permission.VIEW_MEMBERS, tenant_id=review.tenant_id)
    rows = list(queries.lines(review))
    _told_file(review.tenant_id, form, by=by, at=at)
    return rows


def begin(*, tenant_id: UUID, due_on: date, by: Actor, at: datetime) -> AccessReview:
    """Freeze who has which access now, for reviewers to decide about by `due_on`."""
    _authorise(by, tenant_id)
    if not at.date() <= due_on <= (at + domain.LONGEST).date():
        raise UnableToReview(
            "Choose a day that is not past and at most two months away.", fix="Two weeks are enough for most."
        )
    people = queries.everybody(tenant_id=tenant_id)
    try:
        with transaction.atomic(durable=True):
            review = AccessReview.objects.create(
                tenant_id=tenant_id, begun_at=at, begun_by=by.known_id, due_on=due_on, people=len(people)
            )
            AccessLine.objects.bulk_create(_frozen(review, people), batch_size=_AT_ONCE)
            _record("begun", review, by=by, at=at, data={"people": len(people), "due_on": due_on.isoformat()})
    except IntegrityError as error:
        raise UnableToReview(
            "A review is under way already, or somebody joined or left just now.", fix="Look at the page again."
        ) from error
    return review


def attest(*, review: AccessReview, line_ids: Collection[UUID] | None, by: Actor, at: datetime) -> Attested:
    """Say of lines that their access is right; of all that are the same as before without `line_ids`. Safe to repeat.

    All of those chosen or none: raises UnableToDecide with the first that this reviewer cannot attest. Without
    `line_ids` those are left out. A line whose role changed since the review began shows the new one, undecided.
    """
    _authorise(by, review.tenant_id)
    chosen = queries.lines(review, verdict=Verdict.OPEN)
    chosen = chosen.filter(difference=Difference.SAME) if line_ids is None else chosen.filter(pk__in=line_ids)
    with transaction.atomic(durable=True):
        _lock_open(review)
        reviewers, right, changed = queries.reviewers(tenant_id=review.tenant_id), [], []
        for line in chosen.select_for_update(of=("self",)):
            if _is_refreshed(line):
                changed.append(line)
            elif problem := domain.unable_to_attest(_asked(line, by, reviewers)):
                if line_ids is not None:
                    raise UnableToDecide(problem[0], fix=problem[1])
            else:
                right.append(line.pk)
        AccessLine.objects.bulk_update(changed, ["role", "difference"], batch_size=_AT_ONCE)
        AccessLine.objects.filter(pk__in=right).update(verdict=Verdict.ATTESTED, decided_at=at, decided_by=by.known_id)
        if right:
            data = {"people": len(right), "lines": _digest(right)}
            _record("attested", review, by=by, at=at, data=data)
    return Attested(len(right), len(changed))


def revoke(*, line: AccessLine, by: Actor, at: datetime) -> AccessLine:
    """Take a person's access to Crossing away; from an owner once a second owner agrees. Safe to repeat.

    Raises UnableToDecide, or the refusal of `members.deactivate`: the last owner stays.
    """
    _authorise(by, line.tenant_id)
    with transaction.atomic(durable=True):
        _lock_open(line.review)
        line = _locked(line)
        if line.verdict in (Verdict.REVOKED, Verdict.ASKED):
            return line
        if _is_refreshed(line):
            line.save(update_fields=["role", "difference"])
        if problem := domain.unable_to_revoke(_asked(line, by, queries.reviewers(tenant_id=line.tenant_id))):
            raise UnableToDecide(problem[0], fix=problem[1])
        line.verdict, line.decided_at, line.decided_by = Verdict.ASKED, at, by.known_id
        if line.role != TenantRole.OWNER:
            line.verdict = Verdict.REVOKED
            members.deactivate(member=_member(line), by=by, at=at, durable=False)
        line.save(update_fields=["verdict", "decided_at", "decided_by"])
        _record("revoked" if line.verdict == Verdict.REVOKED else "revocation_asked", line, by=by, at=at)
    return line


def agree(*, line: AccessLine, by: Actor, at: datetime) -> AccessLine:
    """Agree, as a second owner, that an owner's access is taken away, and take it away."""
    _authorise(by, line.tenant_id)
    with transaction.atomic(durable=True):
        _lock_open(line.review)
        line = _waiting(line)
        if by.known_id == line.decided_by:
            raise UnableToDecide("Somebody else has to agree: you asked for it.", fix="Ask another owner.")
        if TenantRole.OWNER not in by.roles:
            raise UnableToDecide("An owner's access is taken away by owners.", fix="Ask an owner of your account.")
        members.deactivate(member=_member(line), by=by, at=at, durable=False)
        line.verdict, line.agreed_at, line.agreed_by = Verdict.REVOKED, at, by.known_id
        line.save(update_fields=["verdict", "agreed_at", "agreed_by"])
        _record("revoked", line, by=by, at=at)
    return line


def decline(*, line: AccessLine, by: Actor, at: datetime) -> AccessLine:
    """Leave an owner their access for now, or take one's own wish back: the line is open again."""
    _authorise(by, line.tenant_id)
    with transaction.atomic(durable=True):
        _lock_open(line.review)
        line = _waiting(line)
        if TenantRole.OWNER not in by.roles:
            raise UnableToDecide("An owner's access is decided by owners.", fix="Ask an owner of your account.")
        line.verdict, line.decided_at, line.decided_by = Verdict.OPEN, None, None
        line.save(update_fields=["verdict", "decided_at", "decided_by"])
        _record("revocation_declined", line, by=by, at=at)
    return line


def finish(*, review: AccessReview, by: Actor, at: datetime) -> AccessReview:
    """End a review once everybody is decided about, with its summary and the digest of its lines. Safe to repeat."""
    _authorise(by, review.tenant_id)
    with transaction.atomic(durable=True):
        locked = AccessReview.objects.select_for_update(of=("self",)).get(pk=review.pk)
        if locked.finished_at is not None:
            return locked
        left = locked.people - queries.progress(locked).decided
        if left:
            raise UnableToReview(
                f"{left:,} {'person is' if left == 1 else 'people are'} not decided about yet.",
                fix="Attest their access or take it away.",
            )
        locked.summary = {"people": locked.people, "by_difference": queries.by_difference(locked)}
        locked.sha256 = hashlib.sha256(_canonical(locked)).hexdigest()
        locked.finished_at, locked.finished_by = at, by.known_id
        locked.save(update_fields=["summary", "sha256", "finished_at", "finished_by"])
        _record("finished", locked, by=by, at=at, data={**locked.summary, "sha256": locked.sha256})
    return locked


def _authorise(by: Actor, tenant_id: UUID) -> None:
    """Let in whoever manages members, and of these people alone: a machine attests nothing."""
    by.require(Permission.MANAGE_MEMBERS, tenant_id=tenant_id)
    if by.kind is not ActorKind.MEMBER:
        raise UnableToReview("Access is reviewed by people of the account.", fix="Ask an owner or admin of it.")


def _frozen(review: AccessReview, people: Iterable[Access]) -> list[AccessLine]:
    return [
        AccessLine(
            tenant_id=review.tenant_id, review=review, number=number, member_id=one.member_id,
            legacy_id=one.legacy_id, new_id=one.new_id, old_role=one.standing.old_role,
            platform_role=one.standing.platform_role, role=one.standing.role, is_old_owner=one.standing.is_old_owner,
            is_platform_owner=one.standing.is_platform_owner, difference=one.standing.difference,
            ways=list(one.ways), seen_at=one.seen_at,
        )
        for number, one in enumerate(people, start=1)
    ]  # fmt: skip


def _lock_open(review: AccessReview) -> None:
    """Let no two decide at once, nor anybody once it is finished."""
    rows = AccessReview.objects.filter(pk=review.pk, tenant_id=review.tenant_id, finished_at=None)
    if rows.select_for_update(of=("self",)).first() is None:
        raise UnableToDecide("This review is finished.", fix="Begin a new one.")


def _locked(line: AccessLine) -> AccessLine:
    rows = AccessLine.objects.filter(tenant_id=line.tenant_id).select_related("member")
    return rows.select_for_update(of=("self",)).get(pk=line.pk)


def _waiting(line: AccessLine) -> AccessLine:
    locked = _locked(line)
    if locked.verdict != Verdict.ASKED:
        raise UnableToDecide("This waits no longer.", fix="Look at the list again.")
    return locked


def _is_refreshed(line: AccessLine) -> bool:
    """Write a role that changed since into the line; tell whether it did."""
    member = line.member
    role = "" if member is None or member.deactivated_at else member.role
    if role == line.role:
        return False
    line.role = role
    line.difference = Standing(
        line.old_role, line.platform_role, role, line.is_old_owner, line.is_platform_owner
    ).difference
    return True


def _member(line: AccessLine) -> Member:
    if line.member is None:
        raise UnableToDecide("They are no member here.", fix="Look at the list again.")
    return line.member


def _asked(line: AccessLine, by: Actor, reviewers: dict[UUID, str]) -> Asked:
    is_owner = line.role == TenantRole.OWNER
    able = {user for user, role in reviewers.items() if not is_owner or role == TenantRole.OWNER}
    return Asked(
        has_access=bool(line.role or line.platform_role),
        is_member=bool(line.role),
        is_own=line.member is not None and line.member.user_id == by.id,
        is_owner=is_owner,
        by_owner=TenantRole.OWNER in by.roles,
        others=len(able - {by.id}),
    )


def _canonical(review: AccessReview) -> bytes:
    """Return a review's lines as bytes that are the same for the same lines; nothing in them names a person."""
    columns = (
        "number", "member_id", "legacy_id", "new_id", "old_role", "platform_role", "role", "difference", "verdict",
        "decided_by", "agreed_by",
    )  # fmt: skip
    rows: list[Any] = list(review.lines.order_by("number").values_list(*columns))
    return json.dumps([columns, *rows], default=str, separators=(",", ":"), ensure_ascii=False).encode()


def _digest(ids: Iterable[UUID]) -> str:
    """Return a digest of which lines one entry of the ledger is about."""
    return hashlib.sha256(b"".join(each.bytes for each in sorted(ids))).hexdigest()


def _told_file(tenant_id: UUID, form: str, *, by: Actor, at: datetime) -> None:
    subject = ("accounts.tenant", tenant_id)
    ledger.append("accounts.access.downloaded", by=by, at=at, tenant_id=tenant_id, subject=subject, data={"form": form})


def _record(
    what: str, row: AccessReview | AccessLine, *, by: Actor, at: datetime, data: dict[str, Any] | None = None
) -> None:
    ledger.record(f"accounts.access_review.{what}", by=by, at=at, tenant_id=row.tenant_id, subject=row, data=data)
