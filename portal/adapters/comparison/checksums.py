"""The bucket checksums of what the new platform holds, summed by its own server in one statement, so one snapshot."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from backfills.domain.spec import Spec
from core.comparison import Checksums, Plan
from core.ports import Rejected
from parity_reports.domain import checksums, encoding
from parity_reports.domain.checksums import Bucket
from portal.adapters.comparison import catalogue, digests
from portal.adapters.comparison.digests import Engine
from portal.adapters.comparison.quoting import name, text
from portal.adapters.comparison.servers import SERVER_SETTINGS
from portal.adapters.postgres import connected


@dataclass(frozen=True, slots=True)
class PostgresChecksummer:
    """Sums records on the server; where a column holds JSON, reads them all and sums them here.

    RFC 8785 cannot be said in SQL. `statement_timeout` is in seconds.
    """

    url: str = field(repr=False)
    statement_timeout: int = 600

    def sum(self, plan: Plan, *, code: str, buckets: int) -> Checksums:
        """Return an entity's checksums; see `core.ports.Checksummer`."""
        spec: Spec = plan.spec
        with self._connected() as connection:
            kinds = _kinds(connection, spec)
            if digests.is_computable(list(kinds.values())):
                found = _summed(connection, spec, kinds, plan.new_tenant, code=code, buckets=buckets)
            else:
                found = _read(connection, spec, kinds, plan.new_tenant, code=code, buckets=buckets)
        return Checksums(spec.target_key, tuple(kinds.items()), tuple(bucket.sums for bucket in found))

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        with connected(self.url, platform="new", statement_timeout=self.statement_timeout) as connection:
            for setting, value in SERVER_SETTINGS.items():
                connection.execute("SELECT set_config(%s, %s, false)", [setting, value])
            if connection.info.parameter_status("server_encoding") != "UTF8":
                raise Rejected("The new platform's database is not in UTF-8; its texts have no canonical encoding.")
            yield connection


def _kinds(connection: psycopg.Connection, spec: Spec) -> dict[str, str]:
    declared = {
        column: digests.kind(kind) for column, kind in catalogue.declared(connection, spec.target_table).items()
    }
    lacking = [column.name for column in spec.columns if column.name not in declared]
    if lacking:
        raise Rejected(f"The new platform's table {spec.target_table} has no column {lacking[0]}.")
    return {column.name: declared[column.name] for column in spec.columns}


def _summed(
    connection: psycopg.Connection, spec: Spec, kinds: dict[str, str], tenant: str, *, code: str, buckets: int
) -> list[Bucket]:
    columns = [(kind, name(column)) for column, kind in kinds.items()]
    key = [(kinds[spec.target_key], name(spec.target_key))]
    of_key, of_record = (
        digests.digest(Engine.POSTGRES, digests.record(Engine.POSTGRES, each, code=code)) for each in (key, columns)
    )
    # As of `sides`: the digests are computed once, and in several processes if the server will.
    records = f"(SELECT {of_key} AS k, {of_record} AS d FROM {_rows(spec, tenant)} OFFSET '0') AS r"
    found = [Bucket() for _ in range(buckets)]
    for bucket, *sums in _ask(connection, digests.sums(Engine.POSTGRES, records, buckets=buckets)):
        found[int(str(bucket))] = Bucket(*(int(str(one)) for one in sums))
    return found


def _read(
    connection: psycopg.Connection, spec: Spec, kinds: dict[str, str], tenant: str, *, code: str, buckets: int
) -> list[Bucket]:
    texts = ", ".join(f"{name(column)}::text" for column in kinds)
    at, order = list(kinds).index(spec.target_key), list(kinds.values())
    found = [Bucket() for _ in range(buckets)]
    for values in _ask(connection, f"SELECT {texts} FROM {_rows(spec, tenant)}"):
        try:
            digest = encoding.digest_of(encoding.record(order, values, code=code))
            key = encoding.record([order[at]], [values[at]], code=code)
        except encoding.NotEncodable as problem:
            raise Rejected(f"A value of {spec.target_table} {problem}.") from None
        bucket, named = checksums.place(key, buckets)
        found[bucket].add(digest=digest, name=named)
    return found


def _ask(connection: psycopg.Connection, query: str) -> Iterator[tuple[object, ...]]:
    return connection.cursor().stream(query.encode())


def _rows(spec: Spec, tenant: str) -> str:
    return f"{name(spec.target_table)} WHERE {name(spec.target_tenant)} = {text(tenant)}"
