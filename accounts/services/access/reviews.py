"""Access reviews as a whole: begin one, finish it with a summary for signature, abandon it, and take it as a file."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, connection, transaction

from accounts.domain import access as domain
from accounts.domain.access import Access
from accounts.models import AccessLine, AccessReview
from accounts.queries import access as queries
from accounts.queries import tenants
from accounts.queries.access import frozen, standing
from accounts.services.access import UnableToReview, authorise, locked, record, signing
from core import ledger, outbox, queue
from core.actor import Actor
from core.permissions import Permission

AT_ONCE = 2_000
"""People of one side whose access is written down while somebody waits; that of more is written down by the queue."""

_FREEZE = """
INSERT INTO accounts_accessline (
       id, tenant_id, review_id, number, member_id, legacy_id, new_id, old_role, platform_role, role,
       is_old_owner, is_platform_owner, difference, ways, seen_at, verdict)
SELECT gen_random_uuid(), %(tenant)s, %(review)s, number, member_id, legacy_id, new_id, old_role, platform_role, role,
       is_old_owner, is_platform_owner, difference, to_jsonb(ways), seen_at, ''
  FROM sorted
"""


def listed(*, tenant_id: UUID, form: str, by: Actor, at: datetime) -> Iterator[Access]:
    """Return everybody's access for a file, to be read while it is sent; the ledger says that it was taken."""
    by.require(Permission.VIEW_MEMBERS, tenant_id=tenant_id)
    _told_file(tenant_id, form, by=by, at=at)
    return standing.everybody(tenant_id=tenant_id)


def lines(*, review: AccessReview, form: str, by: Actor, at: datetime) -> Iterator[AccessLine]:
    """Return a review's lines for a file, to be read while it is sent; the ledger says that it was taken."""
    by.require(Permission.VIEW_MEMBERS, tenant_id=review.tenant_id)
    _told_file(review.tenant_id, form, by=by, at=at)
    return (line for some in queries.batches(queries.lines(review)) for line in some)


def record_lines(*, review: AccessReview, by: Actor, at: datetime) -> Iterator[bytes]:
    """Return the bytes whose SHA-256 is signed: a finished review's lines by ids. The ledger says that it was taken."""
    by.require(Permission.VIEW_MEMBERS, tenant_id=review.tenant_id)
    _told_file(review.tenant_id, "jsonl", by=by, at=at)
    return frozen.lines(review)


def begin(*, tenant_id: UUID, due_on: date, by: Actor, at: datetime) -> AccessReview:
    """Freeze who has which access now, for reviewers to decide about by `due_on`, a day where the tenant is.

    For more than a few people the queue does so by `write_down`; until then the review has no lines.
    """
    authorise(by, tenant_id)
    today = at.astimezone(ZoneInfo(tenants.get(tenant_id=tenant_id).time_zone)).date()
    if not today <= due_on <= today + domain.LONGEST:
        raise UnableToReview(
            "Choose a day that is not past and at most two months away.", fix="Two weeks are enough for most."
        )
    few = standing.are_few(tenant_id=tenant_id, most=AT_ONCE)
    facts = standing.facts(tenant_id=tenant_id) if few else {}
    try:
        with transaction.atomic(durable=True):
            review = AccessReview.objects.create(
                tenant_id=tenant_id, begun_at=at, begun_by=by.known_id, due_on=due_on, people=0
            )
            if few:
                _write_down(review, facts, by=by, at=at)
            else:
                record("requested", review, by=by, at=at, data={"due_on": due_on.isoformat()})
                queue.enqueue(queries.TASK, tenant_id=tenant_id, key=str(review.pk), by=by, review_id=review.pk)
    except IntegrityError as error:
        raise UnableToReview(
            "A review is under way already, or somebody joined or left just now.", fix="Look at the page again."
        ) from error
    return review


def write_down(*, review_id: UUID, by: Actor, now: Callable[[], datetime], job_id: UUID | None = None) -> None:
    """Freeze who has which access now for a review that waits for it: all of them or, until it is done, nobody.

    Safe to repeat. Raises `queue.Cancelled` where the review was abandoned meanwhile.
    """
    review = AccessReview.objects.filter(pk=review_id, people=0, abandoned_at=None).first()
    if review is None:
        return
    queue.progress(job_id, 0, message="Bringing people of both platforms together")
    facts = standing.facts(tenant_id=review.tenant_id)
    queue.progress(job_id, 0, message="Writing down who has which access")
    with transaction.atomic(durable=True):
        _write_down(review, facts, by=by, at=now())
        queue.progress(job_id, review.people, review.people)


def give_up(*, by: Actor, at: datetime) -> None:
    """End the reviews for which the queue gave up writing access down; others can begin. Needs a staff scope."""
    by.require(Permission.MANAGE_MEMBERS)
    for review in AccessReview.objects.filter(people=0, finished_at=None, abandoned_at=None):
        job = queries.writing(review)
        if job is not None and not job.is_over:
            continue
        why = (job.problem if job else "") or "The work was given up."
        reason = f"Everybody's access could not be written down. {why}"[: domain.LONGEST_REASON]
        ended = {"abandoned_at": at, "abandoned_by": by.known_id, "reason": reason}
        with transaction.atomic(durable=True):
            if AccessReview.objects.filter(pk=review.pk, people=0, abandoned_at=None).update(**ended):
                record("given_up", review, by=by, at=at)
                outbox.publish("accounts.access_review.given_up", tenant_id=review.tenant_id, review_id=review.pk)


def finish(*, review: AccessReview, by: Actor, at: datetime) -> AccessReview:
    """End a review once everybody is decided about, and ask for a signature under its summary. Safe to repeat."""
    authorise(by, review.tenant_id)
    witness = signing.witness(tenant_id=review.tenant_id, at=at)
    with transaction.atomic(durable=True):
        found = locked(review)
        if found.finished_at is not None:
            return found
        if found.abandoned_at is not None:
            raise UnableToReview("This review was abandoned.", fix="Begin a new one.")
        if found.is_being_written:
            raise UnableToReview("Everybody's access is still being written down.", fix="Wait until the list is there.")
        left = found.people - queries.progress(found).decided
        if left:
            raise UnableToReview(
                f"{left:,} {'person is' if left == 1 else 'people are'} not decided about yet.",
                fix="Attest their access or take it away.",
            )
        since = queries.since(found)
        found.summary = {
            "people": found.people,
            "by_difference": queries.by_difference(found),
            "changed_since": since.changed,
            "joined_since": since.joined,
        }
        found.sha256 = frozen.digest(found)
        found.finished_at, found.finished_by = at, by.known_id
        found.approval_id = signing.ask(found, witness=witness, at=at).pk
        found.save(update_fields=["summary", "sha256", "finished_at", "finished_by", "approval_id"])
        record("finished", found, by=by, at=at, data={**found.summary, "sha256": found.sha256})
        outbox.publish("accounts.access_review.finished", tenant_id=found.tenant_id, review_id=found.pk)
    return found


def abandon(*, review: AccessReview, reason: str, by: Actor, at: datetime) -> AccessReview:
    """End a review undecided, with the reason; what was taken away in it stays so. Safe to repeat."""
    authorise(by, review.tenant_id)
    words = " ".join(reason.split())
    if not words or len(words) > domain.LONGEST_REASON or not words.isprintable():
        raise UnableToReview(
            f"Say in one line why it is abandoned, in at most {domain.LONGEST_REASON} characters.",
            fix="Whoever reads the ledger wants to know.",
        )
    with transaction.atomic(durable=True):
        found = locked(review)
        if found.abandoned_at is not None:
            return found
        if found.finished_at is not None:
            raise UnableToReview("This review is finished, and stays so.", fix="Begin a new one.")
        found.abandoned_at, found.abandoned_by, found.reason = at, by.known_id, words
        found.save(update_fields=["abandoned_at", "abandoned_by", "reason"])
        data = {"people": found.people, "decided": queries.progress(found).decided}
        record("abandoned", found, by=by, at=at, data=data, personal={"reason": words})
        told = "abandoned" if found.people else "given_up"  # nobody was told that it began
        outbox.publish(f"accounts.access_review.{told}", tenant_id=found.tenant_id, review_id=found.pk)
    return found


def _write_down(review: AccessReview, facts: dict[str, Any], *, by: Actor, at: datetime) -> None:
    """Write everybody's line, and that the review begins with them; inside the caller's transaction."""
    with standing.hashed(), connection.cursor() as cursor:
        cursor.execute(standing.EVERYBODY + _FREEZE, facts | {"review": review.pk})
        review.people, review.begun_at = cursor.rowcount, at
    waiting = AccessReview.objects.filter(pk=review.pk, people=0, abandoned_at=None)
    if not waiting.update(people=review.people, begun_at=at):
        raise queue.Cancelled
    data = {"people": review.people, "due_on": review.due_on.isoformat()}
    record("begun", review, by=by, at=at, data=data)
    outbox.publish("accounts.access_review.begun", tenant_id=review.tenant_id, review_id=review.pk)


def _told_file(tenant_id: UUID, form: str, *, by: Actor, at: datetime) -> None:
    subject = ("accounts.tenant", tenant_id)
    ledger.append("accounts.access.downloaded", by=by, at=at, tenant_id=tenant_id, subject=subject, data={"form": form})
