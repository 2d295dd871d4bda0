"""What a ledger entry says to a person: every app brings the sentences of its events in `<app>/sentences.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.registry import Registry


class Tone(StrEnum):
    """How an entry looks in a timeline; the words alone must say it too."""

    GOOD = "pass"
    BAD = "fail"
    CARE = "warn"
    NEWS = "running"
    PLAIN = "none"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line of a timeline."""

    text: str
    tone: Tone = Tone.PLAIN


type Writer = Callable[[Mapping[str, Any]], Sentence | str]

_writers: Registry[Writer] = Registry("sentence")


def sentence(event: str, text: str | None = None, *, tone: Tone = Tone.PLAIN) -> Callable[[Writer], Writer]:
    """Say what an event means.

    With `text` (a `str.format_map` template over the entry's data) that is all; else decorate a function of the
    entry's data that returns a sentence.
    """

    def decorate(writer: Writer) -> Writer:
        return _writers.add(event, writer)

    if text is not None:
        decorate(lambda data: Sentence(text.format_map(data), tone))
    return decorate


def describe(event: str, data: Mapping[str, Any]) -> Sentence:
    """Return the sentence of an entry; an event nobody described, or an entry of an older form, is named plainly."""
    if event in _writers:
        try:
            said = _writers[event](data)
        except (KeyError, ValueError, TypeError, AttributeError):
            return Sentence(_plain(event))
        return said if isinstance(said, Sentence) else Sentence(said)
    return Sentence(_plain(event))


def _plain(event: str) -> str:
    """`accounts.domain.verified` → “Domain verified”."""
    return " ".join(event.split(".")[1:] or [event]).replace("_", " ").capitalize()
