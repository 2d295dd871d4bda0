"""Verify a Crossing evidence pack offline.

This file needs Python 3.12 and the package `cryptography`, and nothing of Crossing: it travels inside every
pack as `verify_pack.py`, and `manage.py verify_pack` runs the same code.

    python verify_pack.py PACK.zip [--server-key HEX]

Exit status 0: nothing was altered. 1: refuted, each reason on a line. The bytes are described in docs/evidence.md.
"""

import argparse
import base64
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

FORMAT = "crossing-evidence-v1"
CHALLENGE_DOMAIN = b"crossing-approval-v1\x00"
SIGNATURE_SEAL_DOMAIN = b"crossing-signature-seal-v1\x00"
PACK_SEAL_DOMAIN = b"crossing-pack-seal-v1\x00"

MANIFEST = "evidence/manifest.json"
REQUEST = "approval/request.json"
SEAL = "seal.json"
STATEMENT_KEYS = {"action", "tenant", "evidence_sha256", "user", "nonce", "issued_at", "expires_at"}
MATERIAL = ("check", "outcome", "facts", "exception")
LOWER_ASSURANCE = {"totp", "password"}
USER_PRESENT, USER_VERIFIED = 0x01, 0x04


class Refuted(ValueError):
    """Something in the pack is not what was signed."""


@dataclass
class Report:
    """What a verification found: reasons to refuse the pack, and what it proves when there are none."""

    problems: list[str] = field(default_factory=list)
    proven: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Tell whether nothing was found altered."""
        return not self.problems


# --- Hashing -------------------------------------------------------------------------------------------------------


def leaf_input(name: str, digest: bytes) -> bytes:
    """Return what a part puts into the tree: its name, a zero byte, the SHA-256 of its bytes."""
    return name.encode() + b"\x00" + digest


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash of RFC 6962 section 2.1 (leaf prefix 0x00, node prefix 0x01)."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + merkle_root(leaves[:split]) + merkle_root(leaves[split:])).digest()


def challenge_of(statement: bytes) -> bytes:
    """Return the WebAuthn challenge that signs a statement's exact bytes."""
    return hashlib.sha256(CHALLENGE_DOMAIN + statement).digest()


def plain_json(value: object) -> bytes:
    """Write objects of ASCII keys, strings and small whole numbers; for those this is RFC 8785."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sealed_listing(files: Mapping[str, bytes]) -> bytes:
    """Return the bytes that the pack's seal signs: every file but the seal, with its SHA-256."""
    listing = [[name, hashlib.sha256(body).hexdigest()] for name, body in sorted(files.items()) if name != SEAL]
    return PACK_SEAL_DOMAIN + plain_json(listing)


# --- Archive -------------------------------------------------------------------------------------------------------


def write_archive(files: Mapping[str, bytes]) -> bytes:
    """Write files as a ZIP whose every byte follows from their names and contents (stored, sorted, no times)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def read_archive(data: bytes) -> dict[str, bytes]:
    """Read a pack; raise Refuted unless the file is, byte for byte, what `write_archive` makes of its contents."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    except Exception as error:
        # zipfile answers damage with a dozen exception types; each of them refutes the pack.
        raise Refuted(f"the archive cannot be read: {error}") from error
    if write_archive(files) != data:
        raise Refuted("the archive's own bytes were altered")
    return files


# --- Passkey assertions (WebAuthn level 3, section 7.2) ------------------------------------------------------------


def decode_base64url(text: str) -> bytes:
    """Decode unpadded base64url, refusing any other spelling of the same bytes."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(data) != text:
        raise Refuted("base64url in another spelling")
    return data


def encode_base64url(data: bytes) -> str:
    """Encode as unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _cbor(data: bytes, at: int) -> tuple[Any, int]:
    """Decode the few CBOR types that a COSE key is made of (RFC 8949): integers, strings, maps."""
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if info >= 24:
        size = {24: 1, 25: 2, 26: 4, 27: 8}[info]
        info, at = int.from_bytes(data[at : at + size], "big"), at + size
    if major == 0:
        return info, at
    if major == 1:
        return -1 - info, at
    if major in (2, 3):
        raw = data[at : at + info]
        return (raw if major == 2 else raw.decode()), at + info
    if major == 5:
        members: dict[Any, Any] = {}
        for _ in range(info):
            key, at = _cbor(data, at)
            members[key], at = _cbor(data, at)
        return members, at
    raise Refuted("a credential key of unknown form")


def _cose_key(credential: bytes) -> dict[int, Any]:
    """Take the COSE public key out of attested credential data (AAGUID, length, id, key)."""
    length = int.from_bytes(credential[16:18], "big")
    key, end = _cbor(credential, 18 + length)
    if end != len(credential) or not isinstance(key, dict):
        raise Refuted("a credential of unknown form")
    return key


def _check_signature(credential: bytes, signature: bytes, message: bytes) -> None:
    """Verify an assertion's signature by the attested public key: ES256, EdDSA or RS256."""
    key = _cose_key(credential)
    algorithm = key.get(3)
    if algorithm == -7:
        numbers = ec.EllipticCurvePublicNumbers(
            int.from_bytes(key[-2], "big"), int.from_bytes(key[-3], "big"), ec.SECP256R1()
        )
        numbers.public_key().verify(signature, message, ec.ECDSA(hashes.SHA256()))
    elif algorithm == -8:
        ed25519.Ed25519PublicKey.from_public_bytes(key[-2]).verify(signature, message)
    elif algorithm == -257:
        modulus, exponent = int.from_bytes(key[-1], "big"), int.from_bytes(key[-2], "big")
        public_key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        public_key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    else:
        raise Refuted(f"signature algorithm {algorithm} is not accepted")


def check_assertion(record: Mapping[str, Any], statement: bytes) -> None:
    """Raise Refuted unless the passkey signed exactly this statement, with the user verified."""
    client_data = decode_base64url(record["client_data_json"])
    authenticator_data = decode_base64url(record["authenticator_data"])
    client = json.loads(client_data)
    if client.get("type") != "webauthn.get":
        raise Refuted("the client data are not of an assertion")
    if client.get("challenge") != encode_base64url(challenge_of(statement)):
        raise Refuted("the passkey signed another challenge than this statement's")
    host = str(client.get("origin", "")).partition("://")[2].partition("/")[0].partition(":")[0]
    if host != record["rp_id"] and not host.endswith("." + record["rp_id"]):
        raise Refuted("the passkey signed for another site")
    if client.get("crossOrigin"):
        raise Refuted("the passkey was asked from inside another site's page")
    if authenticator_data[:32] != hashlib.sha256(record["rp_id"].encode()).digest():
        raise Refuted("the authenticator data are of another site")
    if not authenticator_data[32] & USER_PRESENT or not authenticator_data[32] & USER_VERIFIED:
        raise Refuted("the authenticator did not verify the user")
    if int.from_bytes(authenticator_data[33:37], "big") != record["sign_count"]:
        raise Refuted("the recorded signature counter is not the authenticator's")
    signed = authenticator_data + hashlib.sha256(client_data).digest()
    try:
        _check_signature(decode_base64url(record["credential"]), decode_base64url(record["signature"]), signed)
    except InvalidSignature as error:
        raise Refuted("the passkey's signature does not verify") from error


# --- The pack ------------------------------------------------------------------------------------------------------


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refuted("a key appears twice")
    return members


def _load(body: bytes) -> Any:
    return json.loads(body, object_pairs_hook=_unique)


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise Refuted("a time without its zone")
    return moment


def _verify_seal(key: bytes, signature: str, message: bytes, what: str) -> None:
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(key).verify(bytes.fromhex(signature), message)
    except InvalidSignature as error:
        raise Refuted(f"{what} does not verify") from error


def signature_seal_input(record: Mapping[str, Any], statement: bytes) -> bytes:
    """Return the bytes that the server's seal of one signature signs: the record without seal, with its statement."""
    body = {key: value for key, value in record.items() if key != "seal"}
    return SIGNATURE_SEAL_DOMAIN + hashlib.sha256(statement).digest() + plain_json(body)


def check_signature(record: Mapping[str, Any], statement: bytes, *, server_key: bytes, evidence: str) -> dict[str, Any]:
    """Raise Refuted unless one signature holds; return its statement."""
    said: dict[str, Any] = _load(statement)
    if set(said) != STATEMENT_KEYS or plain_json(said) != statement:
        raise Refuted("the statement is not in canonical form")
    if said["evidence_sha256"] != evidence:
        raise Refuted("the statement names other evidence than this pack's")
    if said["user"] != record["user"]:
        raise Refuted("the statement names another person than the signature")
    if not _time(said["issued_at"]) <= _time(record["signed_at"]) < _time(said["expires_at"]):
        raise Refuted("the signature was given outside its statement's time")
    if record["method"] == "passkey":
        check_assertion(record, statement)
    elif record["method"] not in LOWER_ASSURANCE:
        raise Refuted(f"unknown signature method {record['method']}")
    _verify_seal(
        server_key, record["seal"], signature_seal_input(record, statement), "the server's seal of a signature"
    )
    return said


class _Verification:
    """One pass over a pack's files; each step adds its problems instead of stopping at the first."""

    def __init__(self, files: Mapping[str, bytes], pinned_key: bytes | None) -> None:
        self.files, self.pinned_key, self.report = files, pinned_key, Report()
        self.manifest: dict[str, Any] = {}
        self.request: dict[str, Any] = {}
        self.server_key = b""

    def run(self) -> Report:
        if self._guard(self._read):
            for step in (self._seal, self._parts, self._agreement, self._signatures):
                self._guard(step)
        return self.report

    def _guard(self, step: Callable[[], None], what: str = "") -> bool:
        try:
            step()
        except Refuted as error:
            self.report.problems.append(f"{what}{error}")
        except Exception as error:  # noqa: BLE001 - hostile input: whatever a malformed pack raises refutes it
            self.report.problems.append(f"{what}malformed ({type(error).__name__}: {error})")
        else:
            return True
        return False

    def _read(self) -> None:
        self.manifest, self.request = _load(self.files[MANIFEST]), _load(self.files[REQUEST])
        if self.manifest["format"] != FORMAT:
            raise Refuted(f"unknown format {self.manifest['format']}")

    def _seal(self) -> None:
        seal = _load(self.files[SEAL])
        self.server_key = bytes.fromhex(seal["public_key"])
        if self.pinned_key is not None and self.server_key != self.pinned_key:
            raise Refuted("the pack is sealed by another server's key")
        if seal != {"algorithm": "Ed25519", "public_key": seal["public_key"], "signature": seal["signature"]}:
            raise Refuted("the seal is of unknown form")
        _verify_seal(self.server_key, seal["signature"], sealed_listing(self.files), "the server's seal of the pack")
        self.report.proven.append(f"sealed by server key {self.server_key.hex()}")

    def _parts(self) -> None:
        leaves = []
        for part in self.manifest["parts"]:
            body = self.files[f"evidence/parts/{part['name']}.json"]
            digest = hashlib.sha256(body)
            if digest.hexdigest() != part["sha256"] or len(body) != part["size"]:
                self.report.problems.append(f"part {part['name']} was altered")
            leaves.append(leaf_input(part["name"], digest.digest()))
        if merkle_root(leaves).hex() != self.manifest["evidence_sha256"]:
            raise Refuted("the parts do not hash to the evidence digest")
        self.report.proven.append(f"{len(leaves)} parts hash to evidence_sha256 {self.manifest['evidence_sha256']}")

    def _agreement(self) -> None:
        """Compare what the parts, the manifest and the request say about themselves."""
        expected = {f"evidence/parts/{part['name']}.json" for part in self.manifest["parts"]}
        expected |= {MANIFEST, REQUEST, SEAL, "README.txt", "verify_pack.py"}
        for number in range(1, self.request["signatures"] + 1):
            expected |= {f"approval/signatures/{number}/{name}.json" for name in ("statement", "signature")}
        if set(self.files) != expected:
            raise Refuted(f"files too many or missing: {sorted(set(self.files) ^ expected)}")
        about = _load(self.files["evidence/parts/core.about.json"])
        material = self.files["evidence/parts/core.material.json"]
        if hashlib.sha256(material).hexdigest() != self.manifest["material_sha256"]:
            raise Refuted("the material digest is not that of the part core.material")
        for key in ("action", "tenant"):
            if not about[key] == self.manifest[key] == self.request[key]:
                raise Refuted(f"the parts of the pack name different values of {key}")
        if self.request["evidence_sha256"] != self.manifest["evidence_sha256"]:
            raise Refuted("the request is about other evidence")
        findings = _load(self.files["evidence/parts/core.findings.json"])["findings"]
        taken = [{key: finding[key] for key in MATERIAL} for finding in findings]
        if _load(material)["checks"] != taken:
            raise Refuted("the material facts are not those of the findings")

    def _signatures(self) -> None:
        seats, people, nonces = [], [], []
        for number in range(1, self.request["signatures"] + 1):
            folder = f"approval/signatures/{number}"
            statement, record = self.files[f"{folder}/statement.json"], _load(self.files[f"{folder}/signature.json"])

            def check(statement: bytes = statement, record: dict[str, Any] = record) -> None:
                said = check_signature(
                    record, statement, server_key=self.server_key, evidence=self.manifest["evidence_sha256"]
                )
                if said["action"] != self.request["action"] or said["tenant"] != self.request["tenant"]:
                    raise Refuted("the statement is about another action or tenant")
                nonces.append(said["nonce"])
                assurance = "passkey" if record["method"] == "passkey" else f"{record['method']}, lower assurance"
                self.report.proven.append(f"{record['seat']} signed by user {record['user']} ({assurance})")

            self._guard(check, f"signature {number}: ")
            seats.append(record["seat"])
            people.append(record["user"])
        if len(set(people)) != len(people) or len(set(seats)) != len(seats) or len(set(nonces)) != len(nonces):
            raise Refuted("one person, one seat or one nonce signed twice")
        if self.request["state"] == "approved" and set(seats) != set(self.request["seats"]):
            raise Refuted("the request is called approved without all its signatures")
        self.report.proven.append(f"the request is {self.request['state']}")


def verify(data: bytes, *, server_key: bytes | None = None) -> Report:
    """Verify a pack's bytes; `server_key` pins the raw Ed25519 key that must have sealed it."""
    try:
        files = read_archive(data)
    except Refuted as error:
        return Report(problems=[str(error)])
    return _Verification(files, server_key).run()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(description="Verify a Crossing evidence pack offline.")
    parser.add_argument("pack", type=Path)
    parser.add_argument("--server-key", type=bytes.fromhex, help="the server's public key, 64 hex digits")
    options = parser.parse_args(arguments)
    report = verify(options.pack.read_bytes(), server_key=options.server_key)
    for line in report.proven:
        print(f"  {line}")
    for line in report.problems:
        print(f"  REFUTED: {line}")
    if options.server_key is None:
        print("  (no --server-key given: compare the key above with the one your vendor publishes)")
    print("The pack holds." if report.holds else "The pack does NOT hold.")
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
