"""Checkpoints of the link between a tenant's two accounts: the whole map as it was, and the way back to it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from accounts.domain.identity_map.decisions import Kind
from accounts.models import CheckpointPerson, LegacyPerson, LinkCheckpoint, PersonDecision
from accounts.services.identity_map import runs
from accounts.services.identity_map.decisions import State, UnableToDecide, worded
from core import ledger, outbox
from core.actor import Actor
from core.permissions import Permission

MOST = 20
"""Checkpoints that are kept of a link: each is a copy of the whole map, and the oldest goes when another is taken."""

_TAKE = """
INSERT INTO accounts_checkpointperson
       (id, tenant_id, checkpoint_id, legacy_id, outcome, rule, new_id, person_id, decision_id)
SELECT gen_random_uuid(), tenant_id, %(checkpoint)s, id, outcome, rule, new_id, person_id, decision_id
  FROM accounts_legacyperson WHERE tenant_id = %(tenant)s AND outcome <> 'pending'
"""
_DIFFERING = """
  FROM accounts_checkpointperson AS c
  JOIN accounts_legacyperson AS p ON p.id = c.legacy_id AND p.tenant_id = %(tenant)s
 WHERE c.checkpoint_id = ANY(%(checkpoints)s) AND c.tenant_id = %(tenant)s
   AND ((p.outcome, p.rule, p.person_id) <> (c.outcome, c.rule, c.person_id)
        OR p.new_id IS DISTINCT FROM c.new_id OR (p.outcome = 'split' AND p.decision_id IS DISTINCT FROM c.decision_id))
"""
_CHANGES = f"""
INSERT INTO accounts_personchange
       (id, tenant_id, decision_id, legacy_id, before_outcome, before_rule, before_new_id, before_person_id,
        before_decision_id, after_outcome, after_rule, after_new_id, after_person_id)
SELECT gen_random_uuid(), p.tenant_id, %(decision)s, p.id, p.outcome, p.rule, p.new_id, p.person_id, p.decision_id,
       c.outcome, c.rule, c.new_id, c.person_id
{_DIFFERING}
"""
_PARTS = f"""
INSERT INTO accounts_personpart (id, tenant_id, decision_id, legacy_id, guid, new_id)
SELECT gen_random_uuid(), part.tenant_id, %(decision)s, part.legacy_id, part.guid, part.new_id
  FROM accounts_personpart AS part
  JOIN (SELECT c.legacy_id, c.decision_id {_DIFFERING} AND c.outcome = 'split') AS was
    ON was.legacy_id = part.legacy_id AND was.decision_id = part.decision_id
 WHERE part.tenant_id = %(tenant)s
"""  # noqa: S608 - text of ours


def take(*, tenant_id: UUID, reason: str, by: Actor, at: datetime) -> LinkCheckpoint:
    """Keep the whole map as it is now; of more than `MOST` checkpoints the oldest goes."""
    by.require(Permission.MAP_PEOPLE, tenant_id=tenant_id)
    reason = worded(reason)
    if not reason:
        raise UnableToDecide(
            "Say what the checkpoint is for.", fix="A few words are enough, such as “before the merges”."
        )
    with transaction.atomic(durable=True):
        runs.link(tenant_id=tenant_id, by=by, at=at)
        last = LinkCheckpoint.objects.filter(tenant_id=tenant_id).aggregate(last=Max("number"))["last"] or 0
        counts = runs.count(tenant_id=tenant_id)
        counts.pop("pending", None)
        if not counts:
            raise UnableToDecide("Nobody is mapped yet.", fix="Map your people first.")
        made = LinkCheckpoint.objects.create(
            tenant_id=tenant_id, number=last + 1, reason=reason, people=sum(counts.values()), outcomes=counts,
            taken_at=at, taken_by=by.known_id,
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, {"checkpoint": made.pk, "tenant": tenant_id})
        ledger.record(
            "accounts.tenant_link.checkpoint_taken", by=by, at=at, tenant_id=tenant_id, subject=made,
            data={"number": made.number, "people": made.people, "outcomes": counts},
        )  # fmt: skip
        for old in LinkCheckpoint.objects.filter(tenant_id=tenant_id)[MOST:]:
            CheckpointPerson.objects.filter(tenant_id=tenant_id, checkpoint=old).delete()
            ledger.record(
                "accounts.tenant_link.checkpoint_dropped", by=by, at=at, tenant_id=tenant_id, subject=old,
                data={"number": old.number, "most": MOST},
            )  # fmt: skip
            old.delete()
    return made


def differing(*, tenant_id: UUID, checkpoints: Collection[LinkCheckpoint]) -> dict[UUID, int]:
    """Count for each checkpoint the people who stand otherwise now; who came since stays as they are."""
    values: dict[str, Any] = {"checkpoints": [each.pk for each in checkpoints], "tenant": tenant_id}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.checkpoint_id, count(*) {_DIFFERING} GROUP BY 1", values)
        found = dict(cursor.fetchall())
    return {each.pk: found.get(each.pk, 0) for each in checkpoints}


def restore(*, checkpoint: LinkCheckpoint, reason: str, by: Actor, at: datetime) -> PersonDecision:
    """Ask for the map to be put back to a checkpoint: a decision that waits for a second person and can be undone."""
    tenant_id = checkpoint.tenant_id
    by.require(Permission.MAP_PEOPLE, tenant_id=tenant_id)
    reason = worded(reason)
    if not reason:
        raise UnableToDecide("Say why: the reason is kept with the decision.", fix="A few words are enough.")
    with transaction.atomic(durable=True):
        runs.link(tenant_id=tenant_id, by=by, at=at)
        count = differing(tenant_id=tenant_id, checkpoints=[checkpoint])[checkpoint.pk]
        if not count:
            raise UnableToDecide("Everybody stands as at this checkpoint.", fix="There is nothing to restore.")
        owners = LegacyPerson.objects.filter(tenant_id=tenant_id, is_owner=True).exists()
        decision = PersonDecision.objects.create(
            tenant_id=tenant_id, kind=Kind.RESTORE, state=State.WAITING, people=count, reason=reason,
            evidence={"checkpoint": checkpoint.number}, second_person="It restores many people at once.",
            is_about_owner=owners, decided_at=at, decided_by=by.known_id,
        )  # fmt: skip
        with connection.cursor() as cursor:
            values: dict[str, Any] = {"checkpoints": [checkpoint.pk], "tenant": tenant_id, "decision": decision.pk}
            cursor.execute(_CHANGES, values)
            cursor.execute(_PARTS, values)
        outbox.publish("accounts.people.decided", tenant_id=tenant_id)
        ledger.record(
            "accounts.people.decided", by=by, at=at, tenant_id=tenant_id, subject=decision,
            data={"kind": Kind.RESTORE, "people": count, "state": decision.state, "checkpoint": checkpoint.number},
        )  # fmt: skip
    return decision


__all__ = ["MOST", "differing", "restore", "take"]
