"""Two platforms and a way to move rows of the demo's mapping from one to the other, step by step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from django.utils import timezone

from backfills.domain.spec import load_set
from core.moving import LoadOrder, RunPosition, SourceRows
from core.ports import DataMover, Unavailable
from tests import airline
from tests.databases import Platforms
from tests.fakes.platforms import FakeMover
from tests.sources import InMemory, InPostgres

FOLDER = Path(__file__).parents[1] / "portal" / "demo" / "mapping"
SPECS = load_set({path.name: path.read_text() for path in FOLDER.glob("*.yaml")})
KEY = "Vn1gCDw4dOkjwnKCxnLZzm0hYXPZpKqvXbQYwF2wV0E="


@contextmanager
def refusing() -> Iterator[None]:
    """Let nothing be committed."""
    raise Unavailable("Not now.")
    yield


class World:
    """Both platforms, and a way to fill legacy; `platforms` are the databases, where the new one is real."""

    def __init__(
        self, source: InMemory | InPostgres, mover: DataMover | None = None, platforms: Platforms | None = None
    ) -> None:
        self.source, self.platforms = source, platforms
        self.legacy, self.mover = source.legacy, mover or FakeMover()

    def fill(self, table: str, *rows: dict[str, Any]) -> None:
        self.source.fill(table, rows)

    def empty(self, table: str) -> None:
        self.source.empty(table)

    def airports(self) -> set[str]:
        """The codes of the airports on the new platform."""
        if self.platforms:
            with psycopg.connect(self.platforms.new_loader) as connection:
                return {code for (code,) in connection.execute("SELECT code FROM platform.airport")}
        return set(FakeMover.entities[ACCOUNT, "airports"].objects)

    def order(self, entity: str, **different: Any) -> LoadOrder:
        small = {name: replace(spec, batch=2) for name, spec in SPECS.items()}
        order = LoadOrder(uuid4(), ACCOUNT, "Zebra Air", airline.CODE, entity, small, timezone.now())
        return replace(order, **different)

    def open(self, order: LoadOrder, *, borders: tuple[str, ...] = ()) -> RunPosition:
        """Open a run of all rows."""
        total = self.legacy.count(spec=order.spec, tenant_ref=order.tenant_ref)
        return self.mover.open_run(order=order, source_total=total, borders=borders)

    def finish(self, order: LoadOrder) -> RunPosition:
        """Close a run over the rows that legacy holds now."""
        source = self.legacy.keys(spec=order.spec, tenant_ref=order.tenant_ref)
        return self.mover.finish(order=order, source=source)

    def reader(self, order: LoadOrder) -> Callable[[str | None, str | None], SourceRows]:
        """Return what reads a batch."""

        def read(after: str | None, until: str | None) -> SourceRows:
            spec, ref = order.spec, order.tenant_ref
            return self.legacy.read(spec=spec, tenant_ref=ref, after=after, until=until, limit=spec.batch)

        return read

    def run(self, order: LoadOrder, *, borders: tuple[str, ...] = ()) -> RunPosition:
        """Move an entity to the end of its rows."""
        position = self.open(order, borders=borders)
        while not position.loaded:
            position = self.mover.load(order=order, read=self.reader(order))
        return self.mover.position(order=order)


ACCOUNT = uuid4()
