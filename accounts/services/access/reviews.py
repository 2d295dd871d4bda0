"""Access reviews as a whole: begin one, finish it with a summary for signature, abandon it, and take it as a file."""

from collections.abc import Iterator
from datetime import date, datetime
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
from core import ledger, outbox
from core.actor import Actor
from core.permissions import Permission

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
    """Freeze who has which access now, for reviewers to decide about by `due_on`, a day where the tenant is."""
    authorise(by, tenant_id)
    today = at.astimezone(ZoneInfo(tenants.get(tenant_id=tenant_id).time_zone)).date()
    if not today <= due_on <= today + domain.LONGEST:
        raise UnableToReview(
            "Choose a day that is not past and at most two months away.", fix="Two weeks are enough for most."
        )
    facts = standing.facts(tenant_id=tenant_id)
    try:
        with transaction.atomic(durable=True):
            review = AccessReview.objects.create(
                tenant_id=tenant_id, begun_at=at, begun_by=by.known_id, due_on=due_on, people=0
            )
            with standing.hashed(), connection.cursor() as cursor:
                cursor.execute(standing.EVERYBODY + _FREEZE, facts | {"review": review.pk})
                review.people = cursor.rowcount
            review.save(update_fields=["people"])
            record("begun", review, by=by, at=at, data={"people": review.people, "due_on": due_on.isoformat()})
            outbox.publish("accounts.access_review.begun", tenant_id=tenant_id, review_id=review.pk)
    except IntegrityError as error:
        raise UnableToReview(
            "A review is under way already, or somebody joined or left just now.", fix="Look at the page again."
        ) from error
    return review


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
        outbox.publish("accounts.access_review.abandoned", tenant_id=found.tenant_id, review_id=found.pk)
    return found


def _told_file(tenant_id: UUID, form: str, *, by: Actor, at: datetime) -> None:
    subject = ("accounts.tenant", tenant_id)
    ledger.append("accounts.access.downloaded", by=by, at=at, tenant_id=tenant_id, subject=subject, data={"form": form})
