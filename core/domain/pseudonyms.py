"""Names of records whose keys may not be shown."""

import hmac


def pseudonym(*, secret: bytes, entity: str, key: str) -> str:
    """Return the name of a record on this tenant's pages and in reports: 16 hex digits of an HMAC-SHA-256 of its key.

    The same record has the same name wherever one tenant meets it, another one in every other tenant's.
    Parts are length-prefixed, so that no two keys run together.
    """
    one, two = entity.encode(), key.encode()
    # In one call: a report that differs everywhere names every record.
    return hmac.digest(secret, b"%d:%b%d:%b" % (len(one), one, len(two), two), "sha256").hex()[:16]
