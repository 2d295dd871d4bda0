"""Seals: what the server vouches for with its Ed25519 key (RFC 8032).

The key is the ledger's. Each use has its own prefix, so that no seal can be taken for another.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings


def seal(message: bytes) -> str:
    """Sign a message that begins with the prefix of its use; return the signature in hex."""
    return _key().sign(message).hex()


def public_key() -> bytes:
    """Return the raw public key by which seals verify."""
    return _key().public_key().public_bytes_raw()


def _key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.LEDGER_SIGNING_KEY))
