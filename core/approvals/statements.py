"""Statements: the exact bytes a person signs."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.domain.approvals import STATEMENT_LIFETIME, Method
from core.evidence import packs, verifier


@dataclass(frozen=True, slots=True)
class Statement:
    """That one person approves one action on one tenant on the strength of one pack."""

    body: bytes
    nonce: str
    issued_at: datetime
    expires_at: datetime


def write(*, action: str, tenant_id: UUID, evidence_sha256: str, user_id: UUID, at: datetime) -> Statement:
    """Write a statement with a fresh nonce, as canonical JSON."""
    nonce, expires_at = secrets.token_urlsafe(32), at + STATEMENT_LIFETIME
    body = packs.canonical(
        {
            "action": action,
            "tenant": tenant_id,
            "evidence_sha256": evidence_sha256,
            "user": user_id,
            "nonce": nonce,
            "issued_at": at,
            "expires_at": expires_at,
        }
    )
    return Statement(body, nonce, at, expires_at)


def record(
    *,
    statement: bytes,
    seat: str,
    user_id: UUID,
    method: Method,
    proof: Mapping[str, Any],
    seal: Callable[[bytes], str],
    at: datetime,
) -> bytes:
    """Write the record of one signature under a statement, with the server's seal over both."""
    body = {"seat": seat, "user": str(user_id), "method": method.value, "signed_at": packs.moment(at), **proof}
    return packs.canonical({**body, "seal": seal(verifier.signature_seal_input(body, statement))})
