"""The legacy platform in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

from backfills.domain import keys, naming
from backfills.domain.naming import Named
from backfills.domain.spec import Spec
from core import tenancy
from core.moving import SourceKeys, SourceRows
from core.ports import Rejected
from tests.fakes.rows import ESCAPES, encode, rows_in_order


class FakeLegacy:
    """Holds `tables`, name → rows, which a test fills; its clock stands at `time`, or goes as ours.

    It is a server, unless `state` names the state of a file; `spot` is what it says of its transactions.
    """

    tables: ClassVar[dict[str, list[dict[str, str | None]]]] = {}
    time: ClassVar[datetime | None] = None
    state: ClassVar[str] = ""
    spot: ClassVar[str] = ""

    @classmethod
    def reset(cls) -> None:
        """Forget every row."""
        cls.tables.clear()
        cls.time, cls.state, cls.spot = None, "", ""

    def version(self, *, spec: Spec) -> str:
        """Tell as `core.ports.LegacyPlatform` promises."""
        tenancy.forbid_transaction("Talking to the legacy platform")
        return self.state

    def _rows(self, spec: Spec, tenant_ref: str) -> list[dict[str, str | None]]:
        tenancy.forbid_transaction("Talking to the legacy platform")
        return rows_in_order(spec, self.tables.get(spec.source_table, []), tenant_ref)

    def count(self, *, spec: Spec, tenant_ref: str) -> int:
        """Count as `core.ports.LegacyPlatform` promises."""
        return len(self._rows(spec, tenant_ref))

    def keys(self, *, spec: Spec, tenant_ref: str) -> SourceKeys:
        """Tell as `core.ports.LegacyPlatform` promises."""
        found = SourceKeys.of(str(row[spec.key_column]) for row in self._rows(spec, tenant_ref))
        return replace(found, version=self.state)

    def divide(self, *, spec: Spec, tenant_ref: str, parts: int) -> tuple[str, ...]:
        """Divide as `core.ports.LegacyPlatform` promises."""
        keys = [str(row[spec.key_column]) for row in self._rows(spec, tenant_ref)]
        size = -(-len(keys) // max(1, parts)) or 1
        return tuple(keys[size - 1 : -1 : size])

    def read(
        self,
        *,
        spec: Spec,
        tenant_ref: str,
        after: str | None,
        limit: int,
        until: str | None = None,
        since: datetime | None = None,
        also: Sequence[str] = (),
        named: Named | None = None,
    ) -> SourceRows:
        """Read as `core.ports.LegacyPlatform` promises."""
        rows = self._rows(spec, tenant_ref)
        if since is not None:
            late = self._changed(spec, tenant_ref, since)
            rows = [
                row for row in rows if row[spec.key_column] in {*late, *also} or naming.names(spec, row, named or {})
            ]
        if after is not None:
            rows = [row for row in rows if keys.rank(spec, str(row[spec.key_column])) > keys.rank(spec, after)]
        if until is not None:
            rows = [row for row in rows if keys.rank(spec, str(row[spec.key_column])) <= keys.rank(spec, until)]
        if len(rows) > limit and rows[limit - 1][spec.key_column] == rows[limit][spec.key_column]:
            raise Rejected(keys.not_unique(spec))
        return replace(encode(spec, rows[:limit]), version=self.state)

    def watermark(self, *, spec: Spec, tenant_ref: str) -> datetime | None:
        """Tell as `core.ports.LegacyPlatform` promises."""
        tenancy.forbid_transaction("Talking to the legacy platform")
        return self.time or datetime.now(UTC)

    def blind_spot(self, *, spec: Spec) -> str:
        """Tell as `core.ports.LegacyPlatform` promises."""
        tenancy.forbid_transaction("Talking to the legacy platform")
        return self.spot

    def as_of(self, *, spec: Spec, tenant_ref: str) -> datetime | None:
        """Tell as `core.ports.LegacyPlatform` promises."""
        tenancy.forbid_transaction("Talking to the legacy platform")
        return spec.exported.at if spec.exported and self.state else None

    def held(self, *, spec: Spec, tenant_ref: str, since: datetime) -> Iterator[bytes]:
        """Read as `core.ports.LegacyPlatform` promises."""
        late = self._changed(spec, tenant_ref, since)
        for row in self._rows(spec, tenant_ref):
            key = str(row[spec.key_column])
            yield f"{key.translate(ESCAPES)}\t{'t' if key in late else 'f'}\n".encode()

    def _changed(self, spec: Spec, tenant_ref: str, since: datetime) -> set[str]:
        """Return the keys of rows that changed since a moment, or do not tell."""
        assert spec.changed
        found = set()
        for row in self.tables.get(spec.source_table, []):
            moment = _moment(row.get(spec.changed.column))
            if row[spec.source_tenant] == tenant_ref and (moment is None or moment >= since):
                read = {name: row.get(spec.source_names.get(name, name)) for name in spec.source_columns}
                found.add(str(keys.written(spec, read)))
        return found

    def read_keys(self, *, spec: Spec, tenant_ref: str, keys: Sequence[str]) -> SourceRows:
        """Read as `core.ports.LegacyPlatform` promises."""
        return encode(spec, [row for row in self._rows(spec, tenant_ref) if row[spec.key_column] in keys])


def _moment(told: str | None) -> datetime | None:
    """Return the moment that a text tells, in UTC where it names no zone; None where it tells none."""
    try:
        moment = datetime.fromisoformat(told or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
