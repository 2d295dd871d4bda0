"""Many decisions by one file: all of its lines or none."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from accounts.domain.identity_map import sheets
from accounts.domain.identity_map.decisions import Kind, State
from accounts.domain.identity_map.outcomes import Outcome
from accounts.domain.identity_map.sheets import Flaw, Line
from accounts.models import LegacyPerson, NewPerson, PersonDecision
from accounts.queries import identity_map as queries
from accounts.services.identity_map import decisions
from accounts.services.identity_map.decisions import Asked, UnableToDecide
from core import ledger
from core.actor import Actor
from core.permissions import Permission


class FlawedFile(UnableToDecide):
    """Something in the file is wrong, so nothing of it was done; `flaws` names each line."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        count = sum(flaw.line > 0 for flaw in flaws)
        what = f"{count:,} line{'' if count == 1 else 's'} of the file" if count else "The file"
        super().__init__(
            f"{what} cannot be carried out, so nothing was changed.",
            fix="Mend what is listed and upload the file again.",
        )
        self.flaws = sorted(flaws, key=lambda flaw: flaw.line)


def rows(*, tenant_id: UUID, by: Actor, at: datetime, outcome: str = "") -> Iterator[Sequence[object]]:
    """Return the lines of a download, read as they are sent; the download itself leaves an entry in the ledger."""
    by.require(Permission.VIEW_MEMBERS, tenant_id=tenant_id)
    ledger.append(
        "accounts.people.downloaded", by=by, at=at, tenant_id=tenant_id, subject=("accounts.tenant", tenant_id)
    )
    found = queries.people(tenant_id=tenant_id, outcome=outcome)
    return map(_told, found.iterator(chunk_size=2000))


def upload(*, tenant_id: UUID, content: bytes, reason: str, by: Actor, at: datetime) -> PersonDecision:
    """Carry out what a file decides, as one decision that can be undone; raises FlawedFile, and nothing changed."""
    by.require(Permission.MAP_PEOPLE, tenant_id=tenant_id)
    try:
        lines, flaws = sheets.read(content)
    except sheets.Unreadable as refusal:
        raise FlawedFile([refusal.flaw]) from refusal
    if not lines and not flaws:
        raise UnableToDecide(
            "The file decides nothing.", fix="Write what becomes of people into the column “decision”."
        )
    asked, more = _asked(tenant_id, lines)
    if flaws or more:
        raise FlawedFile([*flaws, *more])
    try:
        return decisions.decide(tenant_id=tenant_id, asked=asked, reason=reason, by=by, at=at, kind=Kind.BULK)
    except decisions.Flawed as refusal:
        numbers = [line.number for line in lines]
        raise FlawedFile(
            [Flaw(numbers[flaw.index], "decision", flaw.message, flaw.fix) for flaw in refusal.flaws]
        ) from refusal


def _told(row: LegacyPerson) -> Sequence[object]:
    why = row.get_rule_display()
    new = row.new if row.outcome in (Outcome.MAPPED, Outcome.PROPOSED, Outcome.CONFLICT) else None
    state = State(row.outcome, row.rule, row.new_id, row.person_id)
    return (
        row.pk, row.key, row.name, row.user_name, row.email, row.role, row.outcome, why, new.key if new else "",
        new.name if new else "", sheets.mark(state, row.decision_id), "", "",
    )  # fmt: skip


def _asked(tenant_id: UUID, lines: Sequence[Line]) -> tuple[list[Asked], list[Flaw]]:
    """Look the keys of all lines up; a line that names nobody, or speaks of yesterday, is a flaw."""
    legacy = queries.facts(tenant_id=tenant_id, ids=[line.guid for line in lines])
    wanted = {key for line in lines if line.kind in (Kind.MAP, Kind.SPLIT) for key in line.targets}
    new = queries.ids_by_key(NewPerson, tenant_id=tenant_id, keys=wanted)
    merged = {line.targets[0] for line in lines if line.kind is Kind.MERGE}
    others = queries.ids_by_key(LegacyPerson, tenant_id=tenant_id, keys=merged)
    asked, flaws = [], []
    for line in lines:
        row = legacy.get(line.guid)
        known = others if line.kind is Kind.MERGE else new
        if row is None:
            flaws.append(
                Flaw(line.number, "guid", "There is nobody with this id.", "Take the ids from a fresh download.")
            )
        elif sheets.mark(row.state, row.decision_id) != line.state:
            flaws.append(
                Flaw(
                    line.number,
                    "state",
                    "This person changed since the download.",
                    "Take the line from a fresh download.",
                )
            )
        elif missing := [key for key in line.targets if key not in known]:
            side = "legacy" if line.kind is Kind.MERGE else "the new platform"
            flaws.append(
                Flaw(
                    line.number,
                    "target",
                    f"{side.capitalize()} has nobody with the key “{missing[0][:60]}”.",
                    "Correct it.",
                )
            )
        else:
            ids = tuple(known[key] for key in line.targets)
            merges = line.kind is Kind.MERGE
            asked.append(Asked(line.guid, line.kind, () if merges else ids, ids[0] if merges else None))
    return asked, flaws
