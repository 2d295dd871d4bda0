"""A signed pack in memory, with every kind of signature, for tests of its bytes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.approvals import statements
from core.domain.approvals import Method
from core.evidence import archive, packs, verifier
from tests.passkeys import Passkey

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
TENANT, OWNER, STAFF = UUID(int=1), UUID(int=2), UUID(int=3)
ACTION = "cutover.go_no_go"
FINDINGS: list[dict[str, Any]] = [
    {"check": "parity_reports.parity", "outcome": "pass", "facts": {"pass_rate": 1.0}, "exception": None},
    {"check": "backfills.conserved", "outcome": "warn", "facts": {"lost": 0}, "exception": None},
]


def pack(**parts: dict[str, Any]) -> packs.Pack:
    """Freeze the findings with one contributed part."""
    contributed: dict[str, dict[str, Any]] = {"backfills.totals": {"flights": 54635, "quarantined": 0}, **parts}
    return packs.build(action=ACTION, tenant_id=TENANT, at=AT, findings=FINDINGS, parts=contributed)


def signed_archive(*, key: Ed25519PrivateKey, passkey: Passkey | None = None, state: str = "approved") -> bytes:
    """Return a complete pack file: the customer signed by passkey, the vendor with a code."""
    frozen, passkey = pack(), passkey or Passkey()

    def seal(message: bytes) -> str:
        return key.sign(message).hex()

    def statement(user: UUID) -> bytes:
        return statements.write(
            action=ACTION, tenant_id=TENANT, evidence_sha256=frozen.evidence_sha256, user_id=user, at=AT
        ).body

    first, second = statement(OWNER), statement(STAFF)
    response = passkey.answer(verifier.challenge_of(first))["response"]
    assertion = {
        "rp_id": passkey.rp_id,
        "client_data_json": response["clientDataJSON"],
        "authenticator_data": response["authenticatorData"],
        "signature": response["signature"],
        "credential": verifier.encode_base64url(passkey.attested),
        "sign_count": passkey.counter,
    }
    signed_at = AT + timedelta(minutes=1)
    records = [
        statements.record(
            statement=first,
            seat="customer_approver",
            user_id=OWNER,
            method=Method.PASSKEY,
            proof=assertion,
            seal=seal,
            at=signed_at,
        ),
        statements.record(
            statement=second,
            seat="runbook_owner",
            user_id=STAFF,
            method=Method.TOTP,
            proof={"authenticated_at": packs.moment(AT)},
            seal=seal,
            at=signed_at,
        ),
    ]
    return archive.assemble(
        manifest=frozen.manifest,
        parts={part.name: part.body for part in frozen.parts},
        signatures=list(zip((first, second), records, strict=True)),
        request={
            "id": UUID(int=9),
            "action": ACTION,
            "tenant": TENANT,
            "evidence_sha256": frozen.evidence_sha256,
            "state": state,
            "seats": ["customer_approver", "runbook_owner"],
            "requested_at": AT,
            "requested_by": OWNER,
            "expires_at": AT + timedelta(days=7),
            "ended_at": signed_at,
        },
        seal=seal,
        public_key=key.public_key().public_bytes_raw(),
    )
