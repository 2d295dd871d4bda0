"""Verify an attestation of Crossing offline.

This file needs Python 3.12 and the package `cryptography`, and nothing of Crossing.

    python verify_attestation.py ATTESTATION.json [--server-key HEX]

Exit status 0: sealed as it is. 1: refuted. The bytes are described in docs/evidence.md, “Attestations”.
"""

import argparse
import base64
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "crossing-attestation-v1"
SEAL_DOMAIN = b"crossing-attestation-seal-v1\x00"
KEYS = {"statement", "algorithm", "public_key", "signature"}
LARGEST = 1_000_000


@dataclass
class Report:
    """What a verification found."""

    problems: list[str] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)
    public_key: str = ""

    @property
    def holds(self) -> bool:
        """Tell whether nothing was found altered."""
        return not self.problems


def seal_input(statement: bytes) -> bytes:
    """Return the bytes that the server's seal signs."""
    return SEAL_DOMAIN + statement


def verify(data: bytes, *, server_key: bytes | None = None) -> Report:
    """Verify an attestation's file; `server_key` pins the raw Ed25519 key that must have sealed it."""
    report = Report()
    try:
        _check(data, server_key, report)
    except InvalidSignature:
        report.problems.append("the server's seal does not verify: the statement was altered")
    except Exception as error:  # noqa: BLE001 - hostile input: whatever a malformed file raises refutes it
        report.problems.append(f"malformed ({type(error).__name__}: {error})")
    return report


def _check(data: bytes, server_key: bytes | None, report: Report) -> None:
    if len(data) > LARGEST:
        raise ValueError("larger than any attestation")
    file = json.loads(data)
    if set(file) != KEYS or file["algorithm"] != "Ed25519":
        raise ValueError("not the file of an attestation")
    if json.dumps(file, sort_keys=True, separators=(",", ":")).encode() != data:
        raise ValueError("not in canonical form")
    statement, key = base64.b64decode(file["statement"], validate=True), bytes.fromhex(file["public_key"])
    signature = bytes.fromhex(file["signature"])
    written = [base64.b64encode(statement).decode(), key.hex(), signature.hex()]
    if written != [file["statement"], file["public_key"], file["signature"]]:
        raise ValueError("not in canonical form")
    if server_key is not None and key != server_key:
        report.problems.append("it is sealed by another server's key")
    Ed25519PublicKey.from_public_bytes(key).verify(signature, seal_input(statement))
    said = json.loads(statement)
    if said["format"] != FORMAT:
        raise ValueError(f"unknown format {said['format']}")
    if any(said["verified"]["left"].values()):
        report.problems.append("it says itself that rows are left")
    report.said, report.public_key = said, key.hex()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(description="Verify a Crossing attestation offline.")
    parser.add_argument("attestation", type=Path)
    parser.add_argument("--server-key", type=bytes.fromhex, help="the server's public key, 64 hex digits")
    options = parser.parse_args(arguments)
    report = verify(options.attestation.read_bytes(), server_key=options.server_key)
    for problem in report.problems:
        print(f"  REFUTED: {problem}")
    if report.said:
        rows = sum(report.said["deleted"].values())
        print(f"  {report.said['dataset']}: {rows} rows deleted {report.said['deleted_at']}, none left")
        counts = report.said.get("accepted", {}).items()
        if accepted := ", ".join(f"{key} {value}" for key, value in counts if isinstance(value, int) and value):
            print(f"  accepted before: {accepted}")
        print(f"  sealed by server key {report.public_key}")
    if options.server_key is None:
        print("  (no --server-key given: compare the key above with the one your vendor publishes)")
    print("The attestation holds." if report.holds else "The attestation does NOT hold.")
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
