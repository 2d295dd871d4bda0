"""Merging what legacy and the new platform say of one record, column by column, as its mapping declares."""

from enum import StrEnum
from typing import Any

_TIMES = frozenset({"date", "timestamptz"})
_ORDERED = frozenset({"smallint", "integer", "bigint", "numeric"}) | _TIMES


class OnDrift(StrEnum):
    """Whose value a column keeps where both platforms have another one. No value never wins against a value."""

    SOURCE = "source"
    TARGET = "target"
    GREATER = "greater"
    LESSER = "lesser"
    LONGER = "longer"
    FILLED = "filled"

    def misfit(self, kind: str, *, required: bool, public: bool) -> str:
        """Say why this cannot be asked of a column of such a type, or nothing.

        What goes on differing after a merge is told, by column: a rule that weighs two values tells how they weigh.
        """
        if self in (OnDrift.GREATER, OnDrift.LESSER) and kind not in _ORDERED:
            return f"{self} is for numbers, dates and moments, not for {kind}"
        if self is OnDrift.LONGER and kind != "text":
            return f"{self} is for texts, not for {kind}"
        if self is OnDrift.FILLED and required and kind != "text":
            return f"{self} is for a column that may be empty"
        if self in (OnDrift.GREATER, OnDrift.LESSER, OnDrift.LONGER) and not public:
            told = f"would tell which of two values is {self}, and the column is not public"
            return f"{self} {told}; use source, target or filled"
        return ""

    def keeps(self, legacy: Any, new: Any) -> bool:
        """Say whether the new platform's value stays; the values are those of the column's type, or None.

        Where neither is better than the other, legacy's is written.
        """
        match self:
            case OnDrift.SOURCE:
                return False
            case OnDrift.TARGET:
                return True
            case OnDrift.FILLED:
                return legacy in (None, "") and new not in (None, "")
        if legacy is None or new is None:
            return new is not None
        if self is OnDrift.LONGER:
            return len(new) > len(legacy)
        return bool(new > legacy if self is OnDrift.GREATER else new < legacy)

    def words(self, kind: str) -> str:
        """Say it of a column of such a type to the people whose records they are."""
        return _OF_TIMES.get(self, _WORDS[self]) if kind in _TIMES else _WORDS[self]


_WORDS = {
    OnDrift.SOURCE: "legacy’s value counts",
    OnDrift.TARGET: "the new platform’s value stays",
    OnDrift.GREATER: "the greater value counts",
    OnDrift.LESSER: "the lesser value counts",
    OnDrift.LONGER: "the longer text counts",
    OnDrift.FILLED: "legacy’s value counts, unless it is empty",
}
_OF_TIMES = {OnDrift.GREATER: "the later one counts", OnDrift.LESSER: "the earlier one counts"}
