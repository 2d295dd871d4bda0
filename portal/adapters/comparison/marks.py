"""What a look at an entity remembers: how both platforms' tables stood, and which records differed."""

import base64
import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

_WORDS = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class State:
    """How a table's rows of one tenant stood.

    `identity` says which table it was, `horizon` is the oldest transaction that was not over, `sums` are the sums of
    the keys' hashes per bucket, as far as 64 bits hold them.
    """

    identity: str
    horizon: int
    sums: Sequence[int]

    @property
    def total(self) -> int:
        """The sum over all buckets."""
        return short(sum(self.sums))


@dataclass(frozen=True, slots=True)
class Mark:
    """What the next look goes on from: per platform the states of its tables, and the keys of what differed.

    `plan` is a digest of what was asked, `seed` the one that keys were hashed under.
    """

    plan: str
    seed: int
    states: Mapping[str, Mapping[str, State]]
    differing: tuple[str, ...] = field(default=())

    def naming(self, keys: Sequence[str]) -> "Mark":
        """Return the mark with the records that differ."""
        return replace(self, differing=tuple(keys))

    def written(self) -> str:
        """Return it as text. It holds keys: to be kept encrypted."""
        states = {side: {of: _packed(one) for of, one in tables.items()} for side, tables in self.states.items()}
        return json.dumps([self.plan, self.seed, states, self.differing], separators=(",", ":"))


def read(text: str) -> Mark:
    """Return the mark that was written. Raises ValueError for what is none."""
    try:
        plan, seed, states, differing = json.loads(text)
        kept = {side: {of: _unpacked(one) for of, one in tables.items()} for side, tables in states.items()}
        return Mark(str(plan), int(seed), kept, tuple(map(str, differing)))
    except (TypeError, AttributeError) as error:
        raise ValueError("no mark") from error


def is_native(key: str) -> bool:
    """Tell whether a record's key, as it was reported, is that of a row; one that cannot be read is not."""
    return not key.startswith("\x01")


def short(number: int) -> int:
    """Return the last 64 bits of a sum."""
    return number & _WORDS


def _packed(state: State) -> list[object]:
    return [state.identity, state.horizon, base64.b64encode(array("Q", state.sums).tobytes()).decode()]


def _unpacked(packed: list[str]) -> State:
    sums = array("Q")
    sums.frombytes(base64.b64decode(packed[2], validate=True))
    return State(str(packed[0]), int(packed[1]), sums)
