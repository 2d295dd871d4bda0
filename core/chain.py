"""The ledger's chain: its bytes, its checkpoints, and the proof of an export. No database, no Django.

    entry hash      = SHA-256(hash of the entry before ‖ canonical JSON of the entry)
    first "before"  = SHA-256("crossing-ledger-v1|" ‖ chain id)
    checkpoint hash = SHA-256(canonical JSON of the checkpoint), the *witness*
    signature       = Ed25519 over "crossing-ledger-checkpoint-v1" ‖ 0x00 ‖ canonical JSON of the checkpoint

Canonical JSON is RFC 8785, without fractions: numbers are integers within ±(2^53 - 1), anything finer is text.
`docs/ledger.md` has the bytes. This file alone verifies an export, with the package `cryptography`:
`python chain.py EXPORT --public-key HEX [--witness HASH]`.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

FORMAT = "crossing-ledger-1"
PROGRAMME = "00000000-0000-0000-0000-000000000000"
"""The chain of entries that belong to no tenant."""

_SIGNED = b"crossing-ledger-checkpoint-v1\0"
_LARGEST = 2**53 - 1


class NotCanonical(ValueError):
    """The value has no canonical form here: a fraction, a huge number, a key that is no text."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an export: what kind, where, and what it means."""

    kind: str
    where: str
    meaning: str

    def __str__(self) -> str:
        return f"{self.kind} at {self.where}: {self.meaning}"


@dataclass(slots=True)
class Verdict:
    """What the verification of an export found."""

    chain: str = ""
    entries: int = 0
    checkpoints: int = 0
    sealed: int = 0
    witness: str = ""
    faults: list[Fault] = field(default_factory=list)

    @property
    def proven(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 bytes of a JSON value; raises `NotCanonical` for what the ledger does not hold."""
    try:
        return _text(value).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("Half a surrogate pair is no text.") from error


def genesis(chain: str) -> bytes:
    """Return what stands before a chain's first entry."""
    return hashlib.sha256(f"crossing-ledger-v1|{chain}".encode()).digest()


def entry_hash(prev: bytes, body: bytes) -> bytes:
    """Return the hash of an entry."""
    return hashlib.sha256(prev + body).digest()


def key_id(public_key: bytes) -> str:
    """Return the short name of a public key that checkpoints carry."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def public_bytes(seed: bytes) -> bytes:
    """Return the public key of an Ed25519 seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, body: bytes) -> bytes:
    """Sign a checkpoint."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(_SIGNED + body)


def verify(lines: Iterable[str], *, public_keys: Sequence[bytes], witnesses: Sequence[str] = ()) -> Verdict:
    """Prove or refute an export: one JSON object per line, a header, then entries and checkpoints in order.

    Only `public_keys` are trusted, never a key in the export. Each of `witnesses` (checkpoint hashes from
    receipts) must appear. Finds edits, deletions, reordering, forks, truncation, and checkpoints that are
    missing, forged or signed by another key; stops at nothing, so that the report is complete.
    """
    verdict = Verdict()
    records = _read(lines, verdict)
    header = next(records, {})
    verdict.chain = str(header.get("chain", ""))
    if header.get("format") != FORMAT:
        verdict.faults.append(Fault("unreadable", "line 1", f"this is no export in the format {FORMAT}"))
        return verdict
    keys = {key_id(key): Ed25519PublicKey.from_public_bytes(key) for key in public_keys}
    walk = _Walk(verdict, keys, prev=genesis(verdict.chain))
    for record in records:
        if "signature" in record:
            walk.checkpoint(record)
        else:
            walk.entry(record)
    walk.finish([witness.strip().lower() for witness in witnesses])
    return verdict


class _Walk:
    """One pass over an export, holding what the next line must continue."""

    def __init__(self, verdict: Verdict, keys: dict[str, Ed25519PublicKey], *, prev: bytes) -> None:
        self.verdict, self.keys = verdict, keys
        self.prev, self.seq = prev, 0
        self.number, self.seal = 0, genesis(verdict.chain).hex()
        self.seen: dict[int, bytes] = {}
        self.witnesses: set[str] = set()

    def entry(self, record: dict[str, Any]) -> None:
        """Check an entry against the one before it."""
        seq, text = _whole(record.get("seq")), str(record.get("body", "")).encode()
        claimed = _bytes(record.get("hash"))
        where = f"entry {seq}"
        self._place(seq, where)
        if _bytes(record.get("prev")) != self.prev:
            self._fault(
                "broken link",
                where,
                "it does not continue the entry before it: one was changed or left out",
            )
        if entry_hash(_bytes(record.get("prev")), text) != claimed:
            self._fault("edited", where, "its hash does not fit its words")
        self._body(text, where)
        self.seen[seq] = claimed
        self.seq, self.prev = max(seq, self.seq), claimed
        self.verdict.entries += 1

    def checkpoint(self, record: dict[str, Any]) -> None:
        """Check a checkpoint's signature, its place in line, and the head it signed."""
        text = str(record.get("body", "")).encode()
        body = self._body(text, f"checkpoint {self.number + 1}")
        number = _whole(body.get("number"))
        where = f"checkpoint {number}"
        if number != self.number + 1 or body.get("prev") != self.seal:
            self._fault(
                "missing checkpoint",
                where,
                f"it does not continue checkpoint {self.number}",
            )
        key = self.keys.get(str(body.get("key")))
        if key is None:
            self._fault("wrong key", where, "it is signed by a key that is not trusted")
        else:
            try:
                key.verify(_bytes(record.get("signature")), _SIGNED + text)
            except InvalidSignature:
                self._fault("forged checkpoint", where, "its signature does not fit")
        covered = _whole(body.get("seq"))
        if self.seen.get(covered, b"").hex() != body.get("head"):
            self._fault("rewritten", where, f"entry {covered} is not the one that was signed")
        self.number, self.seal = number, hashlib.sha256(text).hexdigest()
        self.witnesses.add(self.seal)
        self.verdict.checkpoints += 1
        self.verdict.sealed, self.verdict.witness = covered, self.seal

    def finish(self, witnesses: Sequence[str]) -> None:
        """Check what only the end can tell: the sealed tail and the witnesses from outside."""
        if self.verdict.sealed != self.seq:
            self._fault(
                "unsealed",
                f"entry {self.seq}",
                f"no checkpoint covers what follows entry {self.verdict.sealed}",
            )
        for witness in witnesses:
            if witness not in self.witnesses:
                self._fault(
                    "truncated",
                    f"witness {witness[:16]}…",
                    "this checkpoint existed and is no longer here",
                )

    def _place(self, seq: int, where: str) -> None:
        if seq in self.seen:
            self._fault("forked", where, "two entries claim this place")
        elif seq <= self.seq:
            self._fault("reordered", where, f"it stands after entry {self.seq}")
        elif seq != self.seq + 1:
            self._fault("deleted", where, f"entry {self.seq + 1} is missing before it")

    def _body(self, text: bytes, where: str) -> dict[str, Any]:
        try:
            body = json.loads(text)
            exact = canonical(body) == text
        except (ValueError, RecursionError):
            body, exact = {}, False
        if not exact or not isinstance(body, dict):
            self._fault("not canonical", where, "its words are not in canonical form")
            return {}
        if body.get("chain") != self.verdict.chain:
            self._fault("foreign", where, "it belongs to another chain")
        return body

    def _fault(self, kind: str, where: str, meaning: str) -> None:
        self.verdict.faults.append(Fault(kind, where, meaning))


def _read(lines: Iterable[str], verdict: Verdict) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            yield record
        else:
            verdict.faults.append(Fault("unreadable", f"line {number}", "this is no JSON object"))


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, int):
        if abs(value) > _LARGEST:
            raise NotCanonical(f"{value} is beyond what JSON numbers hold exactly: write it as text.")
        return str(int(value))
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise NotCanonical("The keys of an object are texts.")
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_text(key)}:{_text(item)}" for key, item in pairs) + "}"
    raise NotCanonical(f"A {type(value).__name__} has no canonical form here: write it as text.")


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _bytes(text: object) -> bytes:
    try:
        return bytes.fromhex(str(text))
    except ValueError:
        return b""


def describe(verdict: Verdict) -> str:
    """Return the verdict as text for a terminal."""
    counted = f"{verdict.entries} entries, {verdict.checkpoints} checkpoints, sealed up to entry {verdict.sealed}"
    lines = [
        f"Chain {verdict.chain}: {counted}.",
        *map(str, verdict.faults),
        f"Witness: {verdict.witness}" if verdict.witness else "No witness.",
        "PROVEN: nothing was changed, left out or put in."
        if verdict.proven
        else "REFUTED: this is not what was recorded.",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify an export from the command line; the exit status is 0 only if it is proven."""
    parser = argparse.ArgumentParser(description="Prove or refute an exported ledger of Crossing, offline.")
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--public-key",
        action="append",
        required=True,
        metavar="HEX",
        help="a key you trust",
    )
    parser.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar="HASH",
        help="a witness from a receipt",
    )
    options = parser.parse_args(arguments)
    with options.file.open(encoding="utf-8", newline="\n") as lines:
        verdict = verify(
            lines,
            public_keys=[bytes.fromhex(key) for key in options.public_key],
            witnesses=options.witness,
        )
    print(describe(verdict))
    return 0 if verdict.proven else 1


if __name__ == "__main__":
    sys.exit(main())
