"""A small full-text index: every word of the question must be found, as a word or as the beginning of one."""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

LONGEST_QUESTION = 200
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Field:
    """A part of a document, and how much a word found in it counts."""

    text: str
    weight: int


class Index[Key: Hashable]:
    """Documents by the words in them; built once, asked often. Keys come back best first, ties in given order."""

    def __init__(self, documents: Mapping[Key, Sequence[Field]]) -> None:
        self._order = {key: number for number, key in enumerate(documents)}
        self._weights: dict[str, dict[Key, int]] = {}
        for key, parts in documents.items():
            for part in parts:
                for word in words(part.text):
                    found = self._weights.setdefault(word, {})
                    found[key] = max(found.get(key, 0), part.weight)
        self._words = sorted(self._weights)

    def find(self, question: str) -> list[Key]:
        """Return the documents that hold every word of the question; none for a question without words."""
        asked = list(dict.fromkeys(words(question[:LONGEST_QUESTION])))
        if not asked:
            return []
        scores = [self._score(word) for word in asked]
        both = set.intersection(*(set(score) for score in scores))
        return sorted(both, key=lambda key: (-sum(score[key] for score in scores), self._order[key]))

    def _score(self, word: str) -> dict[Key, int]:
        """Weigh each document for one word; a whole word counts twice as much as a beginning."""
        found: dict[Key, int] = {}
        for position in range(bisect_left(self._words, word), len(self._words)):
            known = self._words[position]
            if not known.startswith(word):
                break
            for key, weight in self._weights[known].items():
                found[key] = max(found.get(key, 0), weight * (2 if known == word else 1))
        return found


def words(text: str) -> Iterable[str]:
    """Yield the words of a text as they are compared: without case, accents and plural endings."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    for word in _WORD.findall(plain):
        yield _singular(word)


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word
