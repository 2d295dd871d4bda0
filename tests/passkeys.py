"""A passkey in software: registers and signs as an authenticator does (WebAuthn level 3), for tests alone."""

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor

from core.evidence.verifier import encode_base64url

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Passkey:
    """One ES256 credential for one site."""

    rp_id: str = "localhost"
    origin: str = "http://localhost:8000"
    counter: int = 1
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))

    @property
    def attested(self) -> bytes:
        """The attested credential data: AAGUID, length, id, COSE key."""
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        return bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor.encode(cose)

    def _authenticator_data(self, flags: int, extra: bytes = b"") -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big") + extra

    def registration(self) -> dict[str, Any]:
        """Return the registration response that allauth keeps."""
        data = self._authenticator_data(PRESENT | VERIFIED | ATTESTED, self.attested)
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = json.dumps({"type": "webauthn.create", "challenge": "AA", "origin": self.origin}).encode()
        identifier = encode_base64url(self.credential_id)
        return {
            "id": identifier,
            "rawId": identifier,
            "type": "public-key",
            "response": {
                "clientDataJSON": encode_base64url(client),
                "attestationObject": encode_base64url(attestation),
            },
            "clientExtensionResults": {"credProps": {"rk": True}},
        }

    def answer(self, challenge: bytes, /, *, flags: int = PRESENT | VERIFIED, **client: Any) -> dict[str, Any]:
        """Sign a challenge and return the authentication response of a browser."""
        self.counter += 1
        data = self._authenticator_data(flags)
        told = {"type": "webauthn.get", "challenge": encode_base64url(challenge), "origin": self.origin} | client
        client_data = json.dumps(told).encode()
        signed = data + hashlib.sha256(client_data).digest()
        identifier = encode_base64url(self.credential_id)
        return {
            "id": identifier,
            "rawId": identifier,
            "type": "public-key",
            "response": {
                "clientDataJSON": encode_base64url(client_data),
                "authenticatorData": encode_base64url(data),
                "signature": encode_base64url(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
            },
            "clientExtensionResults": {},
        }
