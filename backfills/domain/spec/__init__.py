"""The mapping spec of one entity, read from YAML: what becomes of every source row, declared."""

from backfills.domain.spec.declared import Changed, Column, Dropped, Exported, Frozen, Lookup, Rule, Spec, Then
from backfills.domain.spec.reading import load, load_set

__all__ = ["Changed", "Column", "Dropped", "Exported", "Frozen", "Lookup", "Rule", "Spec", "Then", "load", "load_set"]
