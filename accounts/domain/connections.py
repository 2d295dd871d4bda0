"""A tenant's connection to its identity provider: what it may be, and what tells it from another."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from accounts.domain.instants import instant
from core.saml import ProviderMetadata, ServiceProvider, SigningCertificate

LONGEST_URL = 2000
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NotUsableError(ValueError):
    """The metadata cannot be used; the message says why."""


READ_EVERY = timedelta(hours=24)
READ_AGAIN = (timedelta(hours=1), timedelta(hours=4))
"""How soon metadata are read again after a failed reading, and after a second one; then daily."""
FAILURES_TOLD = 3
"""After so many failed readings in a row people are told."""


def require_address(url: str, *, allow_loopback: bool, what: str = "sign-in address in the metadata") -> None:
    """Raise NotUsableError unless people may be sent to this address: https and a host, nothing clever.

    `allow_loopback`: plain http to this very machine counts too (the demo). `what` is what the refusal calls it.
    """
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>`#'):
        raise NotUsableError(f"The {what} is not a plain web address.")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise NotUsableError(f"The {what} is not a plain web address.") from error
    if parts.username is not None or parts.password is not None:
        raise NotUsableError(f"The {what} carries a user name.")
    if not host or (parts.scheme != "https" and not (allow_loopback and parts.scheme == "http" and host in LOOPBACK)):
        raise NotUsableError(f"The {what} does not begin with https://.")


def fingerprint(*, entity_id: str, sso_url: str, attributes: Mapping[str, Any]) -> str:
    """Return what differs as soon as the connection does: a digest of provider, address and how people are read.

    Certificates come and go beside it: a provider may change its key without being another one.
    """
    facts = [entity_id, sso_url, *([dict(attributes)] if attributes else [])]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def digest(metadata: ProviderMetadata) -> str:
    """Return what differs as soon as anything in the metadata does."""
    facts = [metadata.entity_id, metadata.sso_url, sorted(each.fingerprint for each in metadata.certificates)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def is_over(metadata: ProviderMetadata, *, at: datetime) -> bool:
    """Say whether metadata are past an end that they give themselves; one that cannot be read counts as past."""
    return any(ends is None or ends <= at for ends in map(instant, metadata.valid_until))


def next_reading_at(*, failures: int, at: datetime) -> datetime:
    """Return when metadata are read again after so many failed readings in a row."""
    return at + (READ_AGAIN[failures - 1] if 0 < failures <= len(READ_AGAIN) else READ_EVERY)


def service_provider(*, public_url: str, provider_id: str) -> ServiceProvider:
    """Return our own side of the connection: from the settings, never from what a request claims as its host."""
    base = f"{public_url.rstrip('/')}/sso/{provider_id}"
    return ServiceProvider(entity_id=f"{base}/metadata/", acs_url=f"{base}/acs/")


def assertion_digest(*, entity_id: str, assertion_id: str) -> str:
    """Return under what an assertion is remembered."""
    return hashlib.sha256(f"{entity_id}\0{assertion_id}".encode()).hexdigest()


def to_plain(metadata: ProviderMetadata) -> dict[str, Any]:
    """Return metadata as plain JSON."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(metadata), default=datetime.isoformat))
    return plain


def from_plain(plain: Mapping[str, Any]) -> ProviderMetadata:
    """Return the metadata that `to_plain` wrote, without what is known of their signature."""
    certificates = tuple(
        SigningCertificate(
            **{**each, **{name: datetime.fromisoformat(each[name]) for name in ("not_before", "not_after")}}
        )
        for each in plain["certificates"]
    )
    wants = bool(plain.get("wants_signed_requests"))
    return ProviderMetadata(plain["entity_id"], plain["sso_url"], certificates, wants_signed_requests=wants)
