"""Where one object ended, asked of both platforms."""

from dataclasses import dataclass
from uuid import UUID

from accounts.queries import tenants
from backfills.domain import keys, wording
from backfills.domain.judgement import Fate
from backfills.domain.spec import Spec
from backfills.domain.wording import Words
from backfills.models import DeadLetter
from core import ports
from core.actor import Actor
from core.errors import UseCaseError
from core.moving import Trace
from core.permissions import Permission

LONGEST_KEY = 200


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
    target_key: str
    """The object's key on the new platform, where that may be shown."""

    @property
    def state(self) -> str:
        """The state's name among the components."""
        if self.trace is None:
            return "queued" if self.in_legacy else "none"
        return {Fate.QUARANTINED: "block", Fate.DROPPED: "skipped"}.get(Fate(self.trace.fate), "pass")

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
        asked = trace.source_key if trace else key
        in_legacy = keys.parts(spec, asked) is not None and bool(
            ports.legacy().read_keys(spec=spec, tenant_ref=ref, keys=[asked]).count
        )
    except (ports.Unavailable, ports.Rejected) as outage:
        raise UnableToFind(str(outage), fix="Try again in a moment; nothing is lost.") from outage
    if trace is None:
        return Found(key, None, None, "Not moved yet" if in_legacy else "No such row", in_legacy, "")
    letter = DeadLetter.objects.filter(tenant_id=tenant_id, entity=spec.entity, source_key=trace.source_key).first()
    column = letter.column if letter else ""
    words = wording.of(spec, fate=trace.fate, rule=trace.rule, column=column)
    shown = trace.target_key or "" if spec.column(spec.target_key).public else ""
    return Found(key, trace, words, wording.FATES[Fate(trace.fate)], in_legacy, shown)
