"""The canonical id of a person: the same inputs give the same id, on any machine (docs/identity-map.md)."""

from functools import lru_cache
from uuid import UUID, uuid5

NAMESPACE = UUID("e8ba17b6-1109-5ed4-80bb-5a8d036465fa")
"""UUIDv5 (RFC 9562 5.5) of `https://crossing.example/identity-map/1` in the namespace of URLs; it never changes."""

LEGACY, NEW = "legacy", "new"
"""The source systems' names, as they enter an id."""


def guid(*, system: str, tenant: str, key: str, part: int = 0) -> UUID:
    """Return the canonical id of a person whom a system knows by a key, within a tenant as that system calls it.

    The name that is hashed is each text as `<octets>:<UTF-8>`, one after the other, so that no two different triples
    read alike; texts enter as they are. `part` tells the people apart who shared one account: 0 is the account's own.
    """
    return uuid5(NAMESPACE, _within(system, tenant) + _field(key) + (_field(str(part)) if part else b""))


@lru_cache(maxsize=64)
def _within(system: str, tenant: str) -> bytes:
    """The same for everybody of a tenant, and there are many of them."""
    return _field(system) + _field(tenant)


def _field(text: str) -> bytes:
    octets = text.encode()
    return b"%d:%b" % (len(octets), octets)
