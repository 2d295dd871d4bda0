"""Deciding about people, agreeing to it as the second person, and undoing it exactly."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.domain import roles
from accounts.domain.identity_map import decisions as rules
from accounts.domain.identity_map.decisions import Change, Kind, Legacy, New, Refused, Wish
from accounts.domain.identity_map.guids import LEGACY, guid
from accounts.domain.identity_map.outcomes import Outcome
from accounts.models import LegacyPerson, NewPerson, PersonChange, PersonDecision, PersonPart
from accounts.queries import identity_map as queries
from accounts.services.identity_map import runs
from core import ledger, outbox, tokens
from core.actor import Actor, ActorKind
from core.errors import UseCaseError
from core.permissions import Permission, TenantRole

State = PersonDecision.State

_AT_ONCE = 5_000
_FORWARD = """
UPDATE accounts_legacyperson AS p
   SET outcome = c.after_outcome, rule = c.after_rule, new_id = c.after_new_id, person_id = c.after_person_id,
       decision_id = c.decision_id
  FROM accounts_personchange AS c
 WHERE c.decision_id = %(decision)s AND c.tenant_id = %(tenant)s AND p.tenant_id = %(tenant)s AND p.id = c.legacy_id
   AND (p.outcome, p.rule, p.person_id) = (c.before_outcome, c.before_rule, c.before_person_id)
   AND (p.new_id, p.decision_id) IS NOT DISTINCT FROM (c.before_new_id, c.before_decision_id)
"""
_BACK = """
UPDATE accounts_legacyperson AS p
   SET outcome = c.before_outcome, rule = c.before_rule, new_id = c.before_new_id, person_id = c.before_person_id,
       decision_id = c.before_decision_id
  FROM accounts_personchange AS c
 WHERE c.decision_id = %(decision)s AND c.tenant_id = %(tenant)s AND p.tenant_id = %(tenant)s AND p.id = c.legacy_id
   AND p.decision_id = c.decision_id
"""
_HELD_TWICE = """
SELECT count(*) FROM (
    SELECT held.new_id FROM (
        SELECT l.new_id FROM accounts_legacyperson AS l WHERE l.tenant_id = %(tenant)s AND l.outcome = 'mapped'
        UNION ALL
        SELECT part.new_id FROM accounts_personpart AS part
          JOIN accounts_legacyperson AS l ON l.id = part.legacy_id AND l.decision_id = part.decision_id
         WHERE part.tenant_id = %(tenant)s AND l.outcome = 'split'
    ) AS held GROUP BY held.new_id HAVING count(*) > 1
) AS twice
"""
"""People of the new platform whom two of legacy hold, also as one of those who shared an account."""

_ADRIFT = """
SELECT count(*) FROM accounts_legacyperson AS l
  JOIN accounts_legacyperson AS kept ON kept.id = l.person_id AND kept.outcome = ANY (%(closed)s)
  JOIN accounts_personchange AS c ON c.legacy_id = kept.id AND c.decision_id = %(decision)s
 WHERE l.tenant_id = %(tenant)s AND l.outcome = 'merged'
"""
"""People who were merged into somebody whom a decision has changed, so that they do not stand for both any more."""

_TAKEN = "Somebody else of legacy is mapped to the same person since."


class UnableToDecide(UseCaseError):
    """The decision cannot be carried out."""


class UnableToUndo(UseCaseError):
    """The decision cannot be undone."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody says of one person of legacy: to whom they are mapped, or into whom merged, by their ids."""

    legacy_id: UUID
    kind: Kind
    new_ids: tuple[UUID, ...] = ()
    into_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with one thing asked; `index` counts from 0."""

    index: int
    message: str
    fix: str


class Flawed(UnableToDecide):
    """Something of what was asked cannot be done, so nothing was."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__(flaws[0].message, fix=flaws[0].fix)
        self.flaws = flaws


def decide(
    *, tenant_id: UUID, asked: Sequence[Asked], reason: str, by: Actor, at: datetime, kind: Kind | None = None
) -> PersonDecision:
    """Decide about people, all of them or none; with a reason that is kept.

    Where it is about an owner, or people have different roles, it waits for a second person. Raises Flawed, naming
    each thing that cannot be done.
    """
    by.require(Permission.MAP_PEOPLE, tenant_id=tenant_id)
    reason = worded(reason)
    if not asked:
        raise UnableToDecide("There is nothing to decide.", fix="Say of at least one person what becomes of them.")
    if not reason:
        raise UnableToDecide("Say why: the reason is kept with the decision.", fix="A few words are enough.")
    with transaction.atomic(durable=True):
        link = runs.link(tenant_id=tenant_id, by=by, at=at)
        wishes = _wishes(tenant_id, asked)
        changes = _changes(wishes)
        why = rules.second_person([wish for wish in wishes if wish is not None])
        decision = PersonDecision.objects.create(
            tenant_id=tenant_id, kind=kind or asked[0].kind, state=State.WAITING, people=len(changes), reason=reason,
            evidence=_evidence(wishes), second_person=why,
            is_about_owner=any(rules.touches_owner(wish) for wish in wishes if wish is not None),
            decided_at=at, decided_by=by.known_id,
        )  # fmt: skip
        write_changes(decision, changes)
        PersonPart.objects.bulk_create(_parts(decision, wishes, tenant=link.legacy_ref), batch_size=_AT_ONCE)
        if not why:
            carry_out(decision)
        _record("decided", decision, by=by, at=at)
    return decision


def decide_by_keys(
    *, person: LegacyPerson, kind: Kind, new_keys: Sequence[str], into_id: UUID | None, reason: str, by: Actor,
    at: datetime,
) -> PersonDecision:  # fmt: skip
    """Decide about one person as `decide` does, with people of the new platform named by that platform's own keys."""
    by.require(Permission.MAP_PEOPLE, tenant_id=person.tenant_id)
    found = queries.ids_by_key(NewPerson, tenant_id=person.tenant_id, keys=new_keys)
    if missing := [key for key in new_keys if key not in found]:
        raise UnableToDecide(
            f"The new platform has nobody with the key “{missing[0][:60]}”.",
            fix="Correct it, or map your people again.",
        )
    asked = Asked(person.pk, kind, tuple(found[key] for key in new_keys), into_id)
    return decide(tenant_id=person.tenant_id, asked=[asked], reason=reason, by=by, at=at)


def agree(*, decision: PersonDecision, by: Actor, at: datetime) -> PersonDecision:
    """Agree to a decision of somebody else that waits for it, and carry it out."""
    by.require(Permission.MAP_PEOPLE, tenant_id=decision.tenant_id)
    asked_by = {decision.decided_by, tokens.issuer(decision.decided_by, tenant_id=decision.tenant_id)}
    if by.known_id in asked_by:  # a token is whoever issued it
        raise UnableToDecide("Somebody else has to agree: you asked for it.", fix="Ask a colleague who may.")
    _require_person(decision, by)
    with transaction.atomic(durable=True):
        runs.link(tenant_id=decision.tenant_id, by=by, at=at)
        waiting = PersonDecision.objects.filter(pk=decision.pk, tenant_id=decision.tenant_id, state=State.WAITING)
        if not waiting.update(agreed_at=at, agreed_by=by.known_id):
            raise UnableToDecide("This decision waits no longer.", fix="Look at the list again.")
        carry_out(decision)
        _record("agreed", decision, by=by, at=at)
    decision.refresh_from_db()
    return decision


def decline(*, decision: PersonDecision, by: Actor, at: datetime) -> PersonDecision:
    """Decline a decision that waits, or take one's own back; nothing has changed then."""
    by.require(Permission.MAP_PEOPLE, tenant_id=decision.tenant_id)
    with transaction.atomic(durable=True):
        waiting = PersonDecision.objects.filter(pk=decision.pk, tenant_id=decision.tenant_id, state=State.WAITING)
        if waiting.update(state=State.DECLINED, declined_at=at, declined_by=by.known_id):
            _record("declined", decision, by=by, at=at)
    decision.refresh_from_db()
    if decision.state != State.DECLINED:
        raise UnableToDecide("This decision waits no longer.", fix="Look at the list again.")
    return decision


def undo(*, decision: PersonDecision, by: Actor, at: datetime) -> PersonDecision:
    """Restore exactly what was before a decision. Safe to repeat.

    Refused while a later decision stands over one of its people: that one is undone first.
    """
    by.require(Permission.MAP_PEOPLE, tenant_id=decision.tenant_id)
    _require_person(decision, by)
    with transaction.atomic(durable=True):
        runs.link(tenant_id=decision.tenant_id, by=by, at=at)
        standing = PersonDecision.objects.filter(pk=decision.pk, tenant_id=decision.tenant_id, state=State.STANDING)
        if standing.update(state=State.UNDONE, undone_at=at, undone_by=by.known_id):
            left = decision.people - _move(_BACK, decision)
            if left:
                raise UnableToUndo(
                    f"A later decision changed {left} of the {decision.people} people.", fix="Undo that one first."
                )
            if _is_held_twice(decision):
                raise UnableToUndo(_TAKEN, fix="Decide about that one first, then undo this.")
            if _is_adrift(decision, Outcome.MERGED, Outcome.SPLIT, Outcome.DROPPED):
                raise UnableToUndo("Another person was merged into one of them since.", fix="Undo that merge first.")
            _record("undone", decision, by=by, at=at)
    decision.refresh_from_db()
    if decision.state != State.UNDONE:
        raise UnableToUndo("This decision does not stand.", fix="Look at the list again.")
    return decision


def worded(reason: str) -> str:
    """Return a reason as it is kept: in one line, without what no database takes."""
    return " ".join(reason.replace("\0", "").split())[:300]


def carry_out(decision: PersonDecision) -> None:
    """Make the changes of a decision, in the caller's transaction; raises UnableToDecide where people have changed."""
    changed = decision.people - _move(_FORWARD, decision)
    if changed:
        raise UnableToDecide(
            f"{changed} of the {decision.people} people changed since this was asked for.",
            fix="Look at them and decide anew.",
        )
    if _is_held_twice(decision):
        raise UnableToDecide(_TAKEN, fix="Decide about that one first, then this.")
    if _is_adrift(decision, Outcome.MERGED, Outcome.SPLIT):
        raise UnableToDecide("Another person was merged into one of them since.", fix="Undo that merge first.")
    PersonDecision.objects.filter(pk=decision.pk).update(state=State.STANDING)
    decision.state = State.STANDING


def write_changes(decision: PersonDecision, changes: Iterable[Change]) -> None:
    """Keep what a decision makes of each person, and what was before."""
    PersonChange.objects.bulk_create(
        (
            PersonChange(
                tenant_id=decision.tenant_id, decision=decision, legacy_id=change.legacy.id,
                before_outcome=change.legacy.state.outcome, before_rule=change.legacy.state.rule,
                before_new_id=change.legacy.state.new_id, before_person_id=change.legacy.state.person_id,
                before_decision_id=change.legacy.decision_id, after_outcome=change.after.outcome,
                after_rule=change.after.rule, after_new_id=change.after.new_id, after_person_id=change.after.person_id,
            )
            for change in changes
        ),
        batch_size=_AT_ONCE,
    )  # fmt: skip


def _move(statement: str, decision: PersonDecision) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"decision": decision.pk, "tenant": decision.tenant_id})
        return int(cursor.rowcount)


def _is_held_twice(decision: PersonDecision) -> bool:
    """Tell whether two of legacy now hold one person; the database would refuse most of it, at the commit only."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD_TWICE, {"tenant": decision.tenant_id})
        return bool(cursor.fetchone()[0])


def _is_adrift(decision: PersonDecision, *closed: Outcome) -> bool:
    """Tell whether somebody is merged into a person who by this decision stands for nobody else."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"decision": decision.pk, "tenant": decision.tenant_id, "closed": [*closed]}
        cursor.execute(_ADRIFT, values)
        return bool(cursor.fetchone()[0])


def _wishes(tenant_id: UUID, asked: Sequence[Asked]) -> list[Wish | None]:
    """Return what was asked with everything that decides about it; None for a person there is none of."""
    ids = {one.legacy_id for one in asked} | {one.into_id for one in asked if one.into_id}
    legacy = queries.facts(tenant_id=tenant_id, ids=ids)
    suggested = {row.state.new_id for row in legacy.values() if row.state.new_id}
    chosen = {new_id for one in asked for new_id in one.new_ids}
    new = queries.new_facts(tenant_id=tenant_id, ids=suggested | chosen)
    return [_wish(one, legacy, new) for one in asked]


def _wish(one: Asked, legacy: dict[UUID, Legacy], new: dict[UUID, New]) -> Wish | None:
    row, into = legacy.get(one.legacy_id), legacy.get(one.into_id) if one.into_id else None
    if row is None:
        return None
    ids: Sequence[UUID | None] = one.new_ids
    if one.kind is Kind.ACCEPT:
        ids = (row.state.new_id,)
    elif one.kind is Kind.MERGE:
        ids = tuple(dict.fromkeys((row.state.new_id, into.state.new_id if into else None)))
    return Wish(row, one.kind, [new[each] for each in ids if each in new], into)


def _changes(wishes: Sequence[Wish | None]) -> list[Change]:
    """Return all changes; raises Flawed with everything that is wrong, also between what was asked."""
    changes: dict[UUID, Change] = {}
    flaws: list[Flaw] = []
    taken: set[UUID] = set()
    for index, wish in enumerate(wishes):
        if wish is None:
            flaws.append(Flaw(index, "There is no such person of legacy.", "Take the ids from a fresh download."))
            continue
        try:
            made = list(rules.changes(wish))
            wanted = _compatible(wish, made, changes=changes, taken=taken)
        except Refused as refusal:
            flaws.append(Flaw(index, refusal.message, refusal.fix))
            continue
        taken |= wanted
        changes |= {change.legacy.id: change for change in made}
    if flaws:
        raise Flawed(flaws)
    return list(changes.values())


def _compatible(wish: Wish, made: Sequence[Change], *, changes: Collection[UUID], taken: set[UUID]) -> set[UUID]:
    """Return the people of the new platform that a wish wants; raises Refused where another wish stands against it."""
    if any(change.legacy.id in changes for change in made):
        raise Refused("Two decisions are about this person.", "Decide about the others first, then about this one.")
    wanted = {change.after.new_id for change in made if change.after.outcome == Outcome.MAPPED and change.after.new_id}
    wanted |= {new.id for new in wish.new} if wish.kind is Kind.SPLIT else set()
    if wanted & taken:
        raise Refused("Another line maps somebody to the same person.", "Merge the two, or choose another one.")
    return wanted


def _parts(decision: PersonDecision, wishes: Sequence[Wish | None], *, tenant: str) -> list[PersonPart]:
    return [
        PersonPart(
            tenant_id=decision.tenant_id, decision=decision, legacy_id=wish.legacy.id, new_id=new.id,
            guid=guid(system=LEGACY, tenant=tenant, key=wish.legacy.key, part=number),
        )
        for wish in wishes
        if wish is not None and wish.kind is Kind.SPLIT
        for number, new in enumerate(sorted(wish.new, key=lambda each: each.key), start=1)
    ]  # fmt: skip


def _evidence(wishes: Sequence[Wish | None]) -> dict[str, int]:
    """Return how many of the people came from which rule: what spoke for it, and nothing of a person."""
    found: dict[str, int] = {}
    for wish in wishes:
        if wish is not None:
            found[wish.legacy.state.rule] = found.get(wish.legacy.state.rule, 0) + 1
    return found


def _require_person(decision: PersonDecision, by: Actor) -> None:
    """Refuse a machine where a second person counts, and whoever could not make an owner where it is about one."""
    if not decision.second_person:
        return
    if by.kind is ActorKind.TOKEN:
        raise UnableToDecide("A person has to do this, not a token.", fix="Do it on the page “Decisions”.")
    if decision.is_about_owner and by.kind is ActorKind.MEMBER and TenantRole.OWNER not in roles.grantable(by.roles):
        raise UnableToDecide("It is about an owner, so an owner has to do this.", fix="Ask an owner of your account.")


def _record(what: str, decision: PersonDecision, *, by: Actor, at: datetime) -> None:
    outbox.publish("accounts.people.decided", tenant_id=decision.tenant_id)
    ledger.record(
        f"accounts.people.{what}", by=by, at=at, tenant_id=decision.tenant_id, subject=decision,
        data={"kind": decision.kind, "people": decision.people, "state": decision.state},
    )  # fmt: skip
