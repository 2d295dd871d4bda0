"""Deciding about lines of an access review: attest, take away, agree as a second owner, think again."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.domain import access as domain
from accounts.domain.access import Difference, Standing, Verdict
from accounts.models import AccessLine, AccessReview, Member
from accounts.queries import access as queries
from accounts.services import members
from accounts.services.access import UnableToDecide, authorise, locked, record
from core import outbox
from core.actor import Actor
from core.permissions import TenantRole

_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Attested:
    """What became of lines that were to be attested."""

    count: int
    changed: int
    """Their role is another since the review began: it stands in the line now, and waits for a second look."""


def attest(*, review: AccessReview, line_ids: Collection[UUID] | None, by: Actor, at: datetime) -> Attested:
    """Say of lines that their access is right; of all that are the same as before without `line_ids`. Safe to repeat.

    Of those named, one that `by` may not attest refuses them all, with the reason; without `line_ids` those are left
    out. A line whose role changed since the review began shows the new one, undecided.
    """
    authorise(by, review.tenant_id)
    chosen = queries.lines(review, verdict=Verdict.OPEN)
    chosen = chosen.filter(difference=Difference.SAME) if line_ids is None else chosen.filter(pk__in=line_ids)
    right: list[UUID] = []
    refreshed = 0
    with transaction.atomic(durable=True):
        _lock_open(review)
        deciders = queries.reviewers(tenant_id=review.tenant_id)
        if line_ids is None:
            right += _attest_plain(chosen, by=by, deciders=deciders, at=at)
        for some in queries.batches(chosen):
            changed, able = [], []
            for line in some:
                if _is_refreshed(line):
                    changed.append(line)
                elif problem := domain.unable_to_attest(queries.asked(line, by=by, deciders=deciders)):
                    if line_ids is not None:
                        raise UnableToDecide(problem[0], fix=problem[1])
                else:
                    able.append(line.pk)
            AccessLine.objects.bulk_update(changed, ["role", "difference"], batch_size=_AT_ONCE)
            rows = AccessLine.objects.filter(pk__in=able)
            rows.update(verdict=Verdict.ATTESTED, decided_at=at, decided_by=by.known_id)
            right += able
            refreshed += len(changed)
        if right:
            record("attested", review, by=by, at=at, data={"people": len(right), "lines": _digest(right)})
    return Attested(len(right), refreshed)


def _attest_plain(chosen: QuerySet[AccessLine], *, by: Actor, deciders: queries.Reviewers, at: datetime) -> list[UUID]:
    """Attest all but one's own whose role is still what the line says, without looking at each; return their ids.

    Whether `by` may is then a question of the role alone, and is asked once for each.
    """
    is_still = Q(member=None, role="") | Q(member__deactivated_at=None, member__role=F("role"))
    others = chosen.filter(is_still).exclude(member__user=by.id)
    able = [
        line.role
        for line in others.order_by("role", "number").distinct("role")
        if domain.unable_to_attest(queries.asked(line, by=by, deciders=deciders)) is None
    ]
    right = list(others.filter(role__in=able).order_by().values_list("pk", flat=True))
    for some in batched(right, _AT_ONCE):
        rows = AccessLine.objects.filter(pk__in=some)
        rows.update(verdict=Verdict.ATTESTED, decided_at=at, decided_by=by.known_id)
    return right


def revoke(*, line: AccessLine, by: Actor, at: datetime) -> AccessLine:
    """Take a person's access to Crossing away; from an owner once a second owner agrees. Safe to repeat.

    They are told. Raises UnableToDecide, or the refusal of `members.deactivate`: the last owner stays.
    """
    authorise(by, line.tenant_id)
    with transaction.atomic(durable=True):
        _lock_open(line.review)
        line = _locked(line)
        if line.verdict in (Verdict.REVOKED, Verdict.ASKED):
            return line
        if line.verdict == Verdict.ATTESTED:
            raise UnableToDecide("Somebody has attested this access already.", fix="Open it again first.")
        if _is_refreshed(line):
            line.save(update_fields=["role", "difference"])
        deciders = queries.reviewers(tenant_id=line.tenant_id)
        if problem := domain.unable_to_revoke(queries.asked(line, by=by, deciders=deciders)):
            raise UnableToDecide(problem[0], fix=problem[1])
        line.verdict, line.decided_at, line.decided_by = Verdict.ASKED, at, by.known_id
        if line.role != TenantRole.OWNER:
            line.verdict = Verdict.REVOKED
            _take_away(line, by=by, at=at)
        line.save(update_fields=["verdict", "decided_at", "decided_by"])
        record("revoked" if line.verdict == Verdict.REVOKED else "revocation_asked", line, by=by, at=at)
        if line.verdict == Verdict.ASKED:
            outbox.publish(
                "accounts.access.second_owner_asked", tenant_id=line.tenant_id, line_id=line.pk, asked_by=by.known_id,
                occasion=f"{line.pk}:{at.isoformat()}",
            )  # fmt: skip
    return line


def agree(*, line: AccessLine, by: Actor, at: datetime) -> AccessLine:
    """Agree, as a second owner, that an owner's access is taken away, and take it away. They are told."""
    authorise(by, line.tenant_id)
    with transaction.atomic(durable=True):
        _lock_open(line.review)
        line = _waiting(line)
        if by.known_id == line.decided_by:
            raise UnableToDecide("Somebody else has to agree: you asked for it.", fix="Ask another owner.")
        if TenantRole.OWNER not in by.roles:
            raise UnableToDecide("An owner's access is taken away by owners.", fix="Ask an owner of your account.")
        _take_away(line, by=by, at=at)
        line.verdict, line.agreed_at, line.agreed_by = Verdict.REVOKED, at, by.known_id
        line.save(update_fields=["verdict", "agreed_at", "agreed_by"])
        record("revoked", line, by=by, at=at)
    return line


def decline(*, line: AccessLine, by: Actor, at: datetime) -> AccessLine:
    """Leave an owner their access for now, or take one's own wish back: the line is open again."""
    authorise(by, line.tenant_id)
    with transaction.atomic(durable=True):
        _lock_open(line.review)
        line = _waiting(line)
        if TenantRole.OWNER not in by.roles:
            raise UnableToDecide("An owner's access is decided by owners.", fix="Ask an owner of your account.")
        _open_again(line)
        record("revocation_declined", line, by=by, at=at)
    return line


def reopen(*, line: AccessLine, by: Actor, at: datetime) -> AccessLine:
    """Think again about an access that was attested: the line is to be decided once more. Safe to repeat."""
    authorise(by, line.tenant_id)
    with transaction.atomic(durable=True):
        _lock_open(line.review)
        line = _locked(line)
        if line.verdict == Verdict.OPEN:
            return line
        if line.verdict != Verdict.ATTESTED:
            raise UnableToDecide("This was not attested.", fix="Look at the list again.")
        if line.role == TenantRole.OWNER and TenantRole.OWNER not in by.roles:
            raise UnableToDecide("An owner's access is decided by owners.", fix="Ask an owner of your account.")
        _open_again(line)
        record("reopened", line, by=by, at=at)
    return line


def _take_away(line: AccessLine, *, by: Actor, at: datetime) -> None:
    member = _member(line)
    members.deactivate(member=member, by=by, at=at, durable=False)
    outbox.publish("accounts.access.revoked", tenant_id=line.tenant_id, line_id=line.pk, user_id=member.user_id)


def _open_again(line: AccessLine) -> None:
    line.verdict, line.decided_at, line.decided_by = Verdict.OPEN, None, None
    line.save(update_fields=["verdict", "decided_at", "decided_by"])


def _lock_open(review: AccessReview) -> None:
    found = locked(review)
    if not found.is_open:
        raise UnableToDecide("This review has ended.", fix="Begin a new one.")
    if found.is_being_written:
        raise UnableToDecide("Everybody's access is still being written down.", fix="Wait until the list is there.")


def _locked(line: AccessLine) -> AccessLine:
    rows = AccessLine.objects.filter(tenant_id=line.tenant_id).select_related("member__user", "legacy", "new")
    return rows.select_for_update(of=("self",)).get(pk=line.pk)


def _waiting(line: AccessLine) -> AccessLine:
    found = _locked(line)
    if found.verdict != Verdict.ASKED:
        raise UnableToDecide("This waits no longer.", fix="Look at the list again.")
    return found


def _is_refreshed(line: AccessLine) -> bool:
    """Write a role that changed since into the line; tell whether it did."""
    if line.role_now == line.role:
        return False
    line.role = line.role_now
    line.difference = Standing(
        line.old_role, line.platform_role, line.role, line.is_old_owner, line.is_platform_owner
    ).difference
    return True


def _member(line: AccessLine) -> Member:
    if line.member is None:
        raise UnableToDecide("They are no member here.", fix="Look at the list again.")
    return line.member


def _digest(ids: Iterable[UUID]) -> str:
    """Return a digest of which lines one entry of the ledger is about."""
    return hashlib.sha256(b"".join(each.bytes for each in sorted(ids))).hexdigest()
