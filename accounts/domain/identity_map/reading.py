"""What is kept of a person as a platform tells of them: keys made comparable, texts within bounds."""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from accounts.domain import directory
from accounts.domain.identity_map.guids import guid
from accounts.domain.people import domain_of
from core.people import Person

LONGEST_KEY, LONGEST_NAME, LONGEST_ROLE, LONGEST_ADDRESS = 255, 200, 100, 320


class Unreadable(Exception):
    """A platform tells of somebody without a usable key: nobody may be left out, so the whole reading stops."""


@dataclass(frozen=True, slots=True)
class Row:
    """A person as they are kept, under their id."""

    id: UUID
    key: str
    external_id: str
    user_name: str
    email: str
    name: str
    role: str
    is_owner: bool
    is_active: bool


def read(person: Person, *, system: str, tenant: str) -> Row:
    """Return what is kept of a person; raises Unreadable for a key that is empty, too long or with a zero character."""
    if not person.key or len(person.key) > LONGEST_KEY or "\0" in person.key:
        raise Unreadable(f"A key of 1 to {LONGEST_KEY} characters was expected; {len(person.key)} came.")
    key = directory.provisioned(external_id=person.external_id, user_name=person.user_name)
    return Row(
        id=guid(system=system, tenant=tenant, key=person.key),
        key=person.key,
        external_id=key.external_id,
        user_name=key.user_name,
        email=address(person.email),
        name=_text(person.name, LONGEST_NAME),
        role=_text(person.role, LONGEST_ROLE),
        is_owner=person.is_owner,
        is_active=person.is_active,
    )


def address(text: str) -> str:
    """Return an address in lower case with its domain as DNS knows it; nothing for what is none."""
    local, _, domain = text.strip().lower().rpartition("@")
    known = _domain(domain)
    found = f"{local}@{known}"
    fits = local and known and len(found) <= LONGEST_ADDRESS and found.isprintable() and " " not in found
    return found if fits and "@" not in local else ""


@lru_cache(maxsize=4096)
def _domain(text: str) -> str:
    """A directory's people share few domains, and reading one takes longer than all the rest."""
    return domain_of(f"x@{text}")


def _text(text: str, longest: int) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:longest]
