"""Relations on their way between machines: Parquet of the engine's own making, of which every value returns as it went.

Whatever carries a parcel sees bytes. What Parquet has no exact type for travels as text and is cast back.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from portal.adapters.comparison.duck import Session, name, text

type Shape = tuple[tuple[str, str], ...]
"""Columns and their types, as the engine calls them."""

_BUCKET = "bucket of key"
_EXACT = frozenset({
    "BIGINT", "BLOB", "BOOLEAN", "DATE", "DOUBLE", "FLOAT", "INTEGER", "SMALLINT", "TIME", "TIMESTAMP",
    "TIMESTAMP WITH TIME ZONE", "UUID", "VARCHAR",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parcel:
    """Some rows of a relation; without content it tells what columns there are."""

    relation: str
    shape: Shape
    content: bytes = b""


def shape(session: Session, relation: str) -> Shape:
    """Return a relation's columns."""
    return tuple(session.rows(f"SELECT column_name, column_type FROM (DESCRIBE {name(relation)})"))


def packed(session: Session, relation: str, exchange: Path) -> Parcel:
    """Return a whole relation."""
    columns = shape(session, relation)
    with TemporaryDirectory(dir=exchange) as folder:
        file = Path(folder) / "all.parquet"
        session.run(f"COPY (SELECT {_leaving(columns)} FROM {name(relation)}) TO {text(str(file))} (FORMAT parquet)")
        return Parcel(relation, columns, file.read_bytes())


def divided(session: Session, relation: str, exchange: Path, *, bucket: str) -> Iterator[tuple[int, Parcel]]:
    """Yield a relation's rows by the bucket that an expression gives."""
    columns = shape(session, relation)
    with TemporaryDirectory(dir=exchange) as folder:
        session.run(
            f"COPY (SELECT {_leaving(columns)}, {bucket} AS {name(_BUCKET)} FROM {name(relation)}) "
            f"TO {text(folder)} (FORMAT parquet, PARTITION_BY ({name(_BUCKET)}), OVERWRITE_OR_IGNORE)"
        )
        for file in sorted(Path(folder).rglob("*.parquet")):
            yield int(file.parent.name.rpartition("=")[2]), Parcel(relation, columns, file.read_bytes())


class Unpacking:
    """A folder in which parcels gather until all are there; the relations they make are temporary."""

    def __init__(self, exchange: Path) -> None:
        self._exchange, self._count = exchange, 0
        self._shapes: dict[str, Shape] = {}
        self._files: dict[str, list[Path]] = {}

    def take(self, parcel: Parcel) -> None:
        """Put a parcel down."""
        self._shapes[parcel.relation] = parcel.shape
        if parcel.content:
            self._count += 1
            file = self._exchange / f"{self._count}.parquet"
            file.write_bytes(parcel.content)
            self._files.setdefault(parcel.relation, []).append(file)

    def relations(self, session: Session) -> AbstractSet[str]:
        """Make every relation that a parcel told of, with the rows of all its parcels; return their names."""
        for relation, columns in self._shapes.items():
            files = self._files.get(relation, [])
            rows = f"SELECT {_returning(columns)} FROM read_parquet([{', '.join(text(str(file)) for file in files)}])"
            nothing = ", ".join(f"NULL::{kind} AS {name(column)}" for column, kind in columns)
            session.run(
                f"CREATE OR REPLACE TEMP TABLE {name(relation)} AS {rows if files else f'SELECT {nothing} WHERE FALSE'}"
            )
            for file in files:
                file.unlink()
        return self._shapes.keys()


def _is_exact(kind: str) -> bool:
    return kind in _EXACT or kind.startswith("DECIMAL(")


def _leaving(columns: Shape) -> str:
    return ", ".join(
        name(column) if _is_exact(kind) else f"{name(column)}::VARCHAR AS {name(column)}" for column, kind in columns
    )


def _returning(columns: Shape) -> str:
    return ", ".join(
        name(column) if _is_exact(kind) else f"{name(column)}::{kind} AS {name(column)}" for column, kind in columns
    )
