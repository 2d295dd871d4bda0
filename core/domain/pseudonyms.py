"""Names of records whose keys may not be shown."""

import hashlib
import hmac


def pseudonym(*, secret: bytes, entity: str, key: str) -> str:
    """Return the name of a record on this tenant's pages and in reports: 16 hex digits of an HMAC-SHA-256 of its key.

    The same record has the same name wherever one tenant meets it, another one in every other tenant's.
    Parts are length-prefixed, so that no two keys run together.
    """
    message = b"".join(b"%d:%b" % (len(part.encode()), part.encode()) for part in (entity, key))
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:16]
