"""A tenant's connection to its identity provider: what it may be, and what tells it from another."""

import hashlib
import json
from urllib.parse import urlsplit

from core.saml import ProviderMetadata, ServiceProvider

LONGEST_URL = 2000
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NotUsableError(ValueError):
    """The metadata cannot be used; the message says why."""


def require_address(url: str, *, allow_loopback: bool) -> None:
    """Raise NotUsableError unless people may be sent to this address: https and a host, nothing clever.

    `allow_loopback`: plain http to this very machine counts too (the demo).
    """
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>`#'):
        raise NotUsableError("The sign-in address in the metadata is not a plain web address.")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise NotUsableError("The sign-in address in the metadata is not a plain web address.") from error
    if parts.username is not None or parts.password is not None:
        raise NotUsableError("The sign-in address in the metadata carries a user name.")
    if not host or (parts.scheme != "https" and not (allow_loopback and parts.scheme == "http" and host in LOOPBACK)):
        raise NotUsableError("The sign-in address in the metadata does not begin with https://.")


def fingerprint(metadata: ProviderMetadata) -> str:
    """Return what differs as soon as the connection does: a digest of provider, address and certificates."""
    facts = [metadata.entity_id, metadata.sso_url, sorted(each.fingerprint for each in metadata.certificates)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def service_provider(*, public_url: str, provider_id: str) -> ServiceProvider:
    """Return our own side of the connection: from the settings, never from what a request claims as its host."""
    base = f"{public_url.rstrip('/')}/sso/{provider_id}"
    return ServiceProvider(entity_id=f"{base}/metadata/", acs_url=f"{base}/acs/")


def assertion_digest(*, entity_id: str, assertion_id: str) -> str:
    """Return under what an assertion is remembered."""
    return hashlib.sha256(f"{entity_id}\0{assertion_id}".encode()).hexdigest()
