"""The canonical id of a person: the same inputs give the same id, on any machine (docs/identity-map.md)."""

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
    fields = (system, tenant, key, *((str(part),) if part else ()))
    encoded = [field.encode() for field in fields]
    return uuid5(NAMESPACE, b"".join(b"%d:%b" % (len(octets), octets) for octets in encoded))
