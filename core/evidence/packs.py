"""Packs: parts as canonical JSON, their Merkle root, and the digest of what is material (no Django)."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import rfc8785

from core.evidence import verifier

ABOUT, FINDINGS, MATERIAL = "core.about", "core.findings", "core.material"
_LARGEST_EXACT_INTEGER = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a pack: a name and its exact bytes."""

    name: str
    body: bytes

    @property
    def sha256(self) -> bytes:
        """The digest of the exact bytes."""
        return hashlib.sha256(self.body).digest()


@dataclass(frozen=True, slots=True)
class Pack:
    """Frozen evidence: parts in order of their names, and the two digests over them."""

    action: str
    tenant_id: str
    parts: tuple[Part, ...]

    @property
    def evidence_sha256(self) -> str:
        """The Merkle root over the parts (RFC 6962), in hex: what an approval signs."""
        return verifier.merkle_root([verifier.leaf_input(part.name, part.sha256) for part in self.parts]).hex()

    @property
    def material_sha256(self) -> str:
        """The digest of check ids, outcomes and material facts, in hex: when it moves, an approval is void."""
        return next(part for part in self.parts if part.name == MATERIAL).sha256.hex()

    @property
    def manifest(self) -> bytes:
        """The pack's table of contents, as canonical JSON."""
        return canonical(
            {
                "format": verifier.FORMAT,
                "action": self.action,
                "tenant": self.tenant_id,
                "evidence_sha256": self.evidence_sha256,
                "material_sha256": self.material_sha256,
                "parts": [
                    {"name": part.name, "sha256": part.sha256.hex(), "size": len(part.body)} for part in self.parts
                ],
            }
        )


def canonical(value: object) -> bytes:
    """Serialise a value to the canonical bytes of RFC 8785.

    Moments become UTC in RFC 3339, ids, decimals and whole numbers beyond 2^53 become strings. Raises
    ValueError for what JSON cannot carry (NaN, a lone surrogate, bytes).
    """
    return rfc8785.dumps(plain(value))


def plain(value: object) -> Any:
    """Turn Python values into JSON values, without losing digits."""
    match value:
        case None | bool() | float():
            return value
        case Enum():
            return plain(value.value)
        case str():
            return str(value)
        case int():
            return int(value) if abs(value) <= _LARGEST_EXACT_INTEGER else str(int(value))
        case datetime():
            return moment(value)
        case UUID() | Decimal() | date():
            return str(value)
        case Mapping():
            return {str(plain(key)): plain(member) for key, member in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case set() | frozenset():
            return sorted((plain(item) for item in value), key=str)
        case _:
            raise ValueError(f"JSON cannot carry a {type(value).__name__}.")


def moment(value: datetime) -> str:
    """Write a moment as RFC 3339 in UTC with microseconds; raises ValueError without a time zone."""
    if value.tzinfo is None:
        raise ValueError("A moment needs its time zone.")
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def material(findings: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the canonical bytes of what is material in findings, in order of the checks.

    That is the check, its outcome, the facts it declares material, and the exception that covers it, if one does.
    """
    taken = sorted(findings, key=lambda finding: str(finding["check"]))
    checks = [{key: finding[key] for key in verifier.MATERIAL} for finding in taken]
    return canonical({"checks": checks})


def material_digest(findings: Iterable[Mapping[str, Any]]) -> str:
    """Return the material digest of findings, in hex."""
    return hashlib.sha256(material(findings)).hexdigest()


def build(
    *,
    action: str,
    tenant_id: UUID,
    at: datetime,
    findings: Iterable[Mapping[str, Any]],
    parts: Mapping[str, Mapping[str, Any]],
) -> Pack:
    """Freeze findings and contributed parts into a pack.

    A finding needs at least `check`, `outcome`, `facts` and `exception`. Raises ValueError when a part takes one of the
    floor's names or holds what JSON cannot carry.
    """
    ordered = sorted((dict(finding) for finding in findings), key=lambda finding: str(finding["check"]))
    bodies = {
        ABOUT: canonical({"format": verifier.FORMAT, "action": action, "tenant": tenant_id, "collected_at": at}),
        FINDINGS: canonical({"findings": ordered}),
        MATERIAL: material(ordered),
    }
    for name, values in parts.items():
        if name in bodies:
            raise ValueError(f"The part {name} is the floor's own.")
        bodies[name] = canonical(values)
    return Pack(action, str(tenant_id), tuple(Part(name, bodies[name]) for name in sorted(bodies)))
