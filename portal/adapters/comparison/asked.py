"""Single reads of legacy, whatever engine holds it: in PostgreSQL by a query of its server, else as its rows move."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from backfills.domain import source
from backfills.domain.spec import Spec
from portal.adapters.comparison.duck import Session, name, remote, text
from portal.adapters.comparison.platforms import Sources
from portal.adapters.comparison.platforms.base import keys_alone


class Legacy(Protocol):
    """A tenant's rows of one entity in legacy. Each answer is a relation of rows as the mapping names and reads them.

    Making one may have the platform read already, so it belongs to the time that a read takes.
    """

    def nothing(self) -> str:
        """Return no row."""
        ...

    def of_keys(self, keys: Sequence[str]) -> str:
        """Return the rows with these keys."""
        ...

    def of_list(self, column: str, value: str, *, at_most: int) -> str:
        """Return as many of the rows whose column, named by the mapping, holds just this."""
        ...


@dataclass(frozen=True, slots=True)
class OfServer:
    """PostgreSQL answers each read by a query, through the index that serves people."""

    spec: Spec
    tenant: str

    def nothing(self) -> str:
        """Return no row."""
        return self._rows("FALSE")

    def of_keys(self, keys: Sequence[str]) -> str:
        """Return the rows with these keys."""
        return self._rows(source.among(self.spec, keys))

    def of_list(self, column: str, value: str, *, at_most: int) -> str:
        """Return as many rows of a list."""
        native = self.spec.source_names.get(column, column)
        return self._rows(f"s.{name(native)} = {text(value)} LIMIT {at_most}")

    def _rows(self, condition: str) -> str:
        query = f"SELECT {source.selected(self.spec)} {source.of_tenant(self.spec, self.tenant)} AND {condition}"
        return remote("legacy", query)


@dataclass(frozen=True, slots=True)
class OfEngine:
    """What moves and compares its rows reads them: MySQL's server leaves out what it can, a file is looked through."""

    session: Session
    spec: Spec
    tenant: str

    def nothing(self) -> str:
        """Return no row."""
        return f"(SELECT {', '.join(f'NULL::VARCHAR AS {name(one)}' for one in self.spec.source_columns)} WHERE FALSE)"

    def of_keys(self, keys: Sequence[str]) -> str:
        """Return the rows with these keys."""
        return self._texts(Sources(self.spec, self.tenant, among=tuple(keys))) if keys else self.nothing()

    def of_list(self, column: str, value: str, *, at_most: int) -> str:
        """Return as many rows of a list."""
        rows = self._texts(Sources(self.spec, self.tenant, holding=(column, value)))
        return f"(SELECT * FROM {rows} LIMIT {at_most})"

    def drawn(self, *, seed: str, wanted: int) -> list[str]:
        """Return keys in the order of the MD5 of seed and key: one pass over all of them."""
        key, rows = name(self.spec.key_column), self._texts(Sources(keys_alone(self.spec), self.tenant))
        order = f"ORDER BY md5({text(seed)} || {key}), {key} LIMIT {int(wanted)}"
        return [str(row[0]) for row in self.session.rows(f"SELECT {key} FROM {rows} WHERE {key} IS NOT NULL {order}")]

    def _texts(self, sources: Sources) -> str:
        return self.session.platform("legacy").texts(self.session, sources)


__all__ = ["Legacy", "OfEngine", "OfServer"]
