"""Evidence packs: what an approval signs, as exact bytes that anyone can verify offline (docs/evidence.md)."""

from core.evidence.registry import part

__all__ = ["part"]
