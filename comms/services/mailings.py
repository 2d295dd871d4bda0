"""Mailings: planned along the timeline, issued to people, open to the customer's choice, never said twice."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from comms.domain import letters, timeline
from comms.domain.ladder import TEMPLATES, Audience, Kind, Template
from comms.domain.mailings import MailingState
from comms.models import Delivery, Mailing
from comms.queries import recipients, wording
from core import ledger, outbox, queue
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission

SEND = "comms.tasks.send_mailing"
ISSUE = "comms.tasks.issue_mailing"
CHANGED = "comms.timeline.changed"


class UnableToChange(UseCaseError):
    """The message cannot be changed so."""


def follow_window(*, tenant_id: UUID, by: Actor, at: datetime) -> int:
    """Plan what is said about the tenant's window, withdraw what spoke of another; return how many are new.

    Safe to repeat: what is planned, sent or skipped for this window stays as it is.
    """
    by.require(Permission.MANAGE_COMMS, tenant_id=tenant_id)
    facts = wording.facts(tenant_id=tenant_id)
    cutover = facts.cutover
    if cutover is None or cutover.window_starts_at is None or cutover.window_ends_at is None:
        return 0
    if cutover.phase not in timeline.BEFORE:
        return 0
    ours = Mailing.objects.filter(tenant_id=tenant_id, occasion__startswith="window:")
    starts_at, ends_at = cutover.window_starts_at, cutover.window_ends_at
    with transaction.atomic(durable=True):
        _take_turns(tenant_id)
        last = ours.filter(kind=Kind.ANNOUNCE).order_by("-planned_at").values_list("occasion", flat=True).first()
        occasion = timeline.occasion_of(starts_at=starts_at, ends_at=ends_at, last=last or "", at=at)
        slots = timeline.plan(occasion=occasion, starts_at=starts_at, zone=facts.tenant.time_zone, at=at)
        rows = [_planned(slot, tenant_id=tenant_id, at=at) for slot in slots]
        others = ours.filter(state=MailingState.PLANNED).exclude(occasion__startswith=occasion)
        withdrawn = others.update(state=MailingState.WITHDRAWN.value, withdrawn_at=at)
        Mailing.objects.bulk_create(rows, ignore_conflicts=True)
        new = list(Mailing.objects.filter(tenant_id=tenant_id, pk__in=[row.pk for row in rows]))
        for mailing in new:
            if mailing.due_at <= at:
                queue.enqueue(ISSUE, tenant_id=tenant_id, key=str(mailing.pk), mailing_id=mailing.pk)
        if new or withdrawn:
            outbox.publish(CHANGED, tenant_id=tenant_id)
            ledger.record(
                "comms.timeline.planned", by=by, at=at, tenant_id=tenant_id, subject=cutover,
                data={"planned": len(new), "withdrawn": withdrawn},
            )  # fmt: skip
    return len(new)


def say(
    key: str,
    *,
    tenant_id: UUID,
    occasion: str,
    by: Actor,
    at: datetime,
    people: Collection[UUID] | None = None,
    since: datetime | None = None,
) -> Mailing | None:
    """Issue a message at once because something has happened; None when it was said on this occasion already.

    `people` are those whom the occasion names; otherwise the message's audience is looked up. `since` is when it
    happened, where that is not `at`.
    """
    by.require(Permission.MANAGE_COMMS, tenant_id=tenant_id)
    template = TEMPLATES[key]
    words = wording.write(template, wording.facts(tenant_id=tenant_id), since=since or at)
    reached = _reached(template, tenant_id=tenant_id, people=people)
    mailing = _row(template, tenant_id=tenant_id, occasion=occasion, due_at=at, at=at)
    mailing.state, mailing.issued_at = MailingState.ISSUED.value, at
    mailing.subject, mailing.text, mailing.link = words.subject, words.text, words.link
    with transaction.atomic(durable=True):
        Mailing.objects.bulk_create([mailing], ignore_conflicts=True)
        if not Mailing.objects.filter(tenant_id=tenant_id, pk=mailing.pk).exists():
            return None
        _hand_out(mailing, reached, by=by, at=at)
    return mailing


def issue(*, tenant_id: UUID, mailing_id: UUID, by: Actor, at: datetime) -> bool:
    """Issue a planned message whose time has come: its words are fixed and everybody gets a copy to be sent.

    One that no longer fits the tenant's phase is withdrawn. Safe to repeat; says whether it was issued now.
    """
    by.require(Permission.MANAGE_COMMS, tenant_id=tenant_id)
    mailing = Mailing.objects.filter(tenant_id=tenant_id, pk=mailing_id, state=MailingState.PLANNED).first()
    if mailing is None or mailing.due_at > at:
        return False
    template, facts = TEMPLATES.get(mailing.template), wording.facts(tenant_id=tenant_id)
    if template is None or not timeline.still_true(template, phase=facts.phase):
        return _withdraw(mailing, by=by, at=at)
    words = wording.write(template, facts, note=mailing.note)
    reached = _reached(template, tenant_id=tenant_id, people=None)
    with transaction.atomic(durable=True):
        mailing.version = template.version
        # With the note and the day as they were read: a change a moment ago is for the next attempt.
        issued = _still(mailing).update(
            state=MailingState.ISSUED.value, issued_at=at, version=template.version,
            subject=words.subject, text=words.text, link=words.link,
        )  # fmt: skip
        if issued:
            _hand_out(mailing, reached, by=by, at=at)
    return bool(issued)


def reschedule(*, mailing: Mailing, due_at: datetime, note: str, by: Actor, at: datetime) -> Mailing:
    """Choose when a planned message to the end users leaves, and what the customer says in it. Safe to repeat.

    Raises UnableToChange with the reason.
    """
    _require_choice(mailing, by=by)
    starts_at = _window_start(mailing)
    if due_at != mailing.due_at and (problem := timeline.reschedule_refusal(due_at=due_at, at=at, starts_at=starts_at)):
        raise UnableToChange(problem)
    words = letters.own_words(note)
    if len(note.strip()) > letters.LONGEST_NOTE:
        raise UnableToChange(f"Your note is longer than {letters.LONGEST_NOTE:,} characters.")
    if (due_at, words) == (mailing.due_at, mailing.note):
        return mailing
    with transaction.atomic(durable=True):
        if not _still(mailing).update(due_at=due_at, note=words):
            raise UnableToChange(_GONE)
        ledger.record(
            "comms.mailing.changed", by=by, at=at, tenant_id=mailing.tenant_id, subject=mailing,
            data={"template": mailing.template, "due_at": due_at}, personal={"note": words} if words else None,
        )  # fmt: skip
    mailing.refresh_from_db()
    return mailing


def skip(*, mailing: Mailing, by: Actor, at: datetime) -> Mailing:
    """Leave a planned message to the end users out. Safe to repeat. Raises UnableToChange when it has left."""
    _require_choice(mailing, by=by)
    with transaction.atomic(durable=True):
        planned = Mailing.objects.filter(pk=mailing.pk, state=MailingState.PLANNED)
        if planned.update(state=MailingState.SKIPPED.value, skipped_at=at, skipped_by=by.known_id):
            outbox.publish(CHANGED, tenant_id=mailing.tenant_id)
            ledger.record(
                "comms.mailing.skipped", by=by, at=at, tenant_id=mailing.tenant_id, subject=mailing,
                data={"template": mailing.template},
            )  # fmt: skip
    mailing.refresh_from_db()
    if mailing.state != MailingState.SKIPPED:
        raise UnableToChange(_GONE)
    return mailing


_GONE = "This message was sent or changed a moment ago. Look at the list again."


def _require_choice(mailing: Mailing, *, by: Actor) -> None:
    by.require(Permission.MANAGE_COMMS, tenant_id=mailing.tenant_id)
    if mailing.is_essential or mailing.audience != Audience.END_USERS:
        raise UnableToChange("Only messages to your end users that are not essential can be changed.")


def _window_start(mailing: Mailing) -> datetime | None:
    cutover = wording.facts(tenant_id=mailing.tenant_id).cutover
    return cutover.window_starts_at if cutover and mailing.kind != Kind.AFTER else None


def _still(mailing: Mailing) -> QuerySet[Mailing]:
    return Mailing.objects.filter(pk=mailing.pk, state=MailingState.PLANNED, due_at=mailing.due_at, note=mailing.note)


def _withdraw(mailing: Mailing, *, by: Actor, at: datetime) -> bool:
    with transaction.atomic(durable=True):
        if _still(mailing).update(state=MailingState.WITHDRAWN.value, withdrawn_at=at):
            ledger.record(
                "comms.mailing.withdrawn", by=by, at=at, tenant_id=mailing.tenant_id, subject=mailing,
                data={"template": mailing.template},
            )  # fmt: skip
    return False


def _take_turns(tenant_id: UUID) -> None:
    """Let one plan of a tenant be made at a time, so that two never withdraw each other's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"comms.timeline:{tenant_id}"])


def _hand_out(mailing: Mailing, people: Collection[UUID], *, by: Actor, at: datetime) -> None:
    """Give everybody a copy to be sent, in the caller's transaction."""
    Delivery.objects.bulk_create(
        [Delivery(tenant_id=mailing.tenant_id, mailing=mailing, person_id=person, next_at=at) for person in people],
        ignore_conflicts=True,
    )
    if people:
        queue.enqueue(SEND, tenant_id=mailing.tenant_id, key=str(mailing.pk), mailing_id=mailing.pk)
    ledger.record(
        "comms.mailing.issued", by=by, at=at, tenant_id=mailing.tenant_id, subject=mailing,
        data={"template": mailing.template, "version": mailing.version, "audience": mailing.audience,
              "people": len(people)},
    )  # fmt: skip


def _reached(template: Template, *, tenant_id: UUID, people: Collection[UUID] | None) -> list[UUID]:
    found = list(people) if people is not None else recipients.of_tenant(template.audience, tenant_id=tenant_id)
    if template.essential:
        return found
    unwilling = recipients.without_reminders(tenant_id=tenant_id, people=found)
    return [person for person in found if person not in unwilling]


def _planned(slot: timeline.Slot, *, tenant_id: UUID, at: datetime) -> Mailing:
    return _row(slot.template, tenant_id=tenant_id, occasion=slot.occasion, due_at=slot.due_at, at=at)


def _row(template: Template, *, tenant_id: UUID, occasion: str, due_at: datetime, at: datetime) -> Mailing:
    return Mailing(
        tenant_id=tenant_id,
        template=template.key,
        version=template.version,
        kind=template.kind.value,
        audience=template.audience.value,
        occasion=occasion,
        is_essential=template.essential,
        due_at=due_at,
        planned_at=at,
    )
