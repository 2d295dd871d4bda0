"""What people of this installation can ask about: the product's declared abilities, and the portal's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from core import abilities as portal
from entitlements.domain.abilities import Ability, load

FILE = "abilities.yaml"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask about: its id, how it goes on after “Why can't I”, and where it is done."""

    id: str
    title: str
    words: str
    place: str


def product() -> Mapping[str, Ability]:
    """Return the product's abilities from `settings.ENTITLEMENTS_FOLDER`, read once per process.

    Raises SpecError naming file and line.
    """
    return _read(Path(settings.ENTITLEMENTS_FOLDER) / FILE)


def of_portal() -> Mapping[str, portal.Ability]:
    """Return the portal's own abilities by id."""
    return {ability.id: ability for ability in portal.every()}


def catalogue(search: str = "") -> list[Question]:
    """Return everything that can be asked, as far as all words of the search occur in it."""
    everything = [
        *(Question(one.code, one.title, one.words, "In the product") for one in product().values()),
        *(Question(one.id, one.title, one.words, "In this portal") for one in of_portal().values()),
    ]
    wanted = search.lower().split()
    return [one for one in everything if all(word in f"{one.title} {one.words}".lower() for word in wanted)]


def question(ability_id: str) -> Question | None:
    """Return one thing that can be asked."""
    return next((one for one in catalogue() if one.id == ability_id), None)


@cache
def _read(path: Path) -> Mapping[str, Ability]:
    return load(path.read_text(encoding="utf-8"), file=path.name)
