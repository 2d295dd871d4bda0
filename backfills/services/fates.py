"""Where objects ended: one by its key, asked of both platforms, or those that ended in one way."""

from dataclasses import dataclass
from uuid import UUID

from accounts.queries import tenants
from backfills.domain import keys, wording
from backfills.domain.judgement import Fate
from backfills.domain.spec import Spec
from backfills.domain.wording import Words
from backfills.models import DeadLetter
from backfills.queries.runs import EntityRow, Outcome
from core import ports, pseudonyms
from core.actor import Actor
from core.errors import NotFound, UseCaseError
from core.moving import HELD, Trace
from core.permissions import Permission

LONGEST_KEY = 200
PAGE, PAGES = 50, 20
"""Rows on a page, and pages at most: whoever needs them all has the platforms themselves."""


class UnableToFind(UseCaseError):
    """Nobody can tell now."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a key: its trace, why it ended so, and whether legacy holds such a row now."""

    key: str
    trace: Trace | None
    words: Words | None
    label: str
    in_legacy: bool
    target_key: str = ""
    """The object's key on the new platform, where that may be shown."""
    source_key: str = ""
    """The row's key in legacy, where that may be shown to somebody who may not have asked by it."""
    merged_with: str = ""
    """Likewise the key of the row whose object it became part of."""

    @property
    def state(self) -> str:
        """The state's name among the components."""
        if self.trace is None:
            return "queued" if self.in_legacy else "none"
        if self.is_held:
            return "covered"
        return {Fate.QUARANTINED: "block", Fate.DROPPED: "skipped"}.get(Fate(self.trace.fate), "pass")

    @property
    def is_held(self) -> bool:
        """Whether its object stays although nothing of legacy asks for it any more."""
        return self.trace is not None and self.trace.held_at is not None

    @property
    def is_merged(self) -> bool:
        """Whether the row became part of another's object."""
        return self.trace is not None and self.trace.fate == Fate.MERGED


def find(*, tenant_id: UUID, spec: Spec, key: str, by: Actor) -> Found:
    """Tell where a row ended, by its key in legacy or by its object's key on the new platform; writes nothing.

    Raises UnableToFind where a key cannot be one or a platform does not answer.
    """
    by.require(Permission.VIEW_RUNS, tenant_id=tenant_id)
    if not key.isprintable() or len(key) > LONGEST_KEY:
        raise UnableToFind(f"A key has at most {LONGEST_KEY} characters, all of them printable.")
    ref = tenants.get(tenant_id=tenant_id).legacy_ref
    try:
        trace = ports.mover().trace(account_id=tenant_id, entity=spec.entity, system=spec.system, key=key)
        asked = trace.source_key if trace else key  # an object that is held may have come from no row
        in_legacy = (
            bool(asked)
            and keys.parts(spec, asked) is not None
            and bool(ports.legacy().read_keys(spec=spec, tenant_ref=ref, keys=[asked]).count)
        )
    except (ports.Unavailable, ports.Rejected) as outage:
        raise UnableToFind(str(outage), fix="Try again in a moment; nothing is lost.") from outage
    if trace is None:
        return Found(key, None, None, "Not moved yet" if in_legacy else "No such row", in_legacy)
    letter = DeadLetter.objects.filter(tenant_id=tenant_id, entity=spec.entity, source_key=trace.source_key).first()
    column = letter.column if letter else ""
    words = wording.of(spec, fate=trace.fate, rule=trace.rule, column=column)
    shown = {
        "target_key": trace.target_key or "" if spec.column(spec.target_key).public else "",
        "source_key": trace.source_key if spec.has_public_key else "",
        "merged_with": trace.holder if spec.has_public_key and trace.fate == Fate.MERGED else "",
    }
    if trace.held_at is None:
        return Found(key, trace, words, wording.FATES[Fate(trace.fate)], in_legacy, **shown)
    held = wording.of_held(spec, rule=trace.held_by)
    because = f"{words.because} {held.because}" if in_legacy else held.because
    return Found(key, trace, Words(words.title, because, words.fix), held.title, in_legacy, **shown)


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it may be shown: its key where that is public, else a name that tells nothing of it."""

    name: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A page of the rows of an entity that ended in one way."""

    outcome: Outcome
    rows: list[Row]
    number: int
    has_more: bool

    @property
    def is_held(self) -> bool:
        """Whether these are objects that are held, and no rows."""
        return self.outcome.fate == HELD

    @property
    def has_keys(self) -> bool:
        """Whether their keys may be shown."""
        return any(row.key for row in self.rows)

    @property
    def first(self) -> int:
        """Return the number of its first row."""
        return (self.number - 1) * PAGE + 1

    @property
    def is_cut(self) -> bool:
        """Whether rows follow that no page shows."""
        return self.number == PAGES and self.outcome.count > PAGE * PAGES


def ended(*, tenant_id: UUID, row: EntityRow, fate: str, rule: str, number: int, by: Actor) -> Ended | None:
    """Return a page of the rows that ended by one rule, the first `PAGE * PAGES` of them; writes nothing.

    For the fate `HELD` these are objects of the new platform, by their keys there.

    Without a fate it is the first outcome of the latest run, None where that has none yet. Raises NotFound for what is
    no outcome of that run or no page, UnableToFind where the platform does not answer.
    """
    by.require(Permission.VIEW_RUNS, tenant_id=tenant_id)
    if not fate and not row.outcomes:
        return None
    every = [*row.outcomes, *([Outcome(HELD, "", row.held, wording.of_held(row.spec))] if row.held else [])]
    outcome = next((one for one in every if not fate or (one.fate, one.rule) == (fate, rule)), None)
    if outcome is None or not 1 <= number <= PAGES:
        raise NotFound("No row ended so in the latest run.")
    try:
        found = ports.mover().ended(
            account_id=tenant_id,
            entity=row.spec.entity,
            system=row.spec.system,
            fate=outcome.fate,
            rule=outcome.rule,
            skip=(number - 1) * PAGE,
            limit=PAGE + 1,
        )
    except (ports.Unavailable, ports.Rejected) as outage:
        raise UnableToFind(str(outage), fix="Try again in a moment; nothing is lost.") from outage
    secret = pseudonyms.secret(tenant_id=tenant_id)
    rows = [
        Row(key, key)
        if (row.spec.column(row.spec.target_key).public if outcome.fate == HELD else row.has_public_key)
        else Row(pseudonyms.pseudonym(secret=secret, entity=row.spec.entity, key=key))
        for key in found[:PAGE]
    ]
    return Ended(outcome, rows, number, has_more=len(found) > PAGE and number < PAGES)
