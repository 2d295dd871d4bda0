"""Archives: a pack with its statements and signatures, as one file that verifies offline (no Django)."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.evidence import packs, verifier

README = b"""Crossing evidence pack
======================

evidence/manifest.json      what was signed: every part with its SHA-256, and evidence_sha256, their Merkle root
evidence/parts/             the parts, byte for byte as they were frozen
approval/request.json       what was asked, and how it ended
approval/signatures/        each signature: the statement that was signed, and the proof
seal.json                   the server's Ed25519 signature over every other file
verify_pack.py              checks all of this without a network

    python -m pip install cryptography
    python verify_pack.py PACK.zip --server-key HEX

Take the verifier and the server's key from your vendor's published documentation rather than from this file if
you do not trust where the file came from. The bytes are described there under "Evidence".
"""


def assemble(
    *,
    manifest: bytes,
    parts: Mapping[str, bytes],
    signatures: Sequence[tuple[bytes, bytes]],
    request: Mapping[str, Any],
    seal: Callable[[bytes], str],
    public_key: bytes,
) -> bytes:
    """Return the ZIP of a request; the same contents always give the same bytes.

    `signatures` are pairs of statement and record, `seal` signs with the key whose raw public half is `public_key`.
    """
    files: dict[str, bytes] = {
        verifier.MANIFEST: manifest,
        "README.txt": README,
        "verify_pack.py": Path(verifier.__file__).read_bytes(),
        verifier.REQUEST: packs.canonical({**request, "signatures": len(signatures)}),
    }
    for name, body in parts.items():
        files[f"evidence/parts/{name}.json"] = body
    for number, (statement, record) in enumerate(signatures, start=1):
        folder = f"approval/signatures/{number}"
        files[f"{folder}/statement.json"] = statement
        files[f"{folder}/signature.json"] = record
    files[verifier.SEAL] = packs.canonical(
        {"algorithm": "Ed25519", "public_key": public_key.hex(), "signature": seal(verifier.sealed_listing(files))}
    )
    return verifier.write_archive(files)
