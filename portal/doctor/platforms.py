"""The two platforms: whether they hold what the mapping names, and let our roles do what they must and no more."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from backfills.domain import source
from backfills.domain.quoting import quote
from backfills.domain.spec import Spec
from backfills.queries import mapping
from core import ports
from portal.adapters import stage
from portal.adapters.legacy import PostgresLegacy
from portal.adapters.legacy.engine import EngineLegacy
from portal.adapters.newplatform import PostgresMover
from portal.doctor import Symptom, elsewhere

PATIENCE = 30
"""Seconds after which a question about a table's rows is given up."""

OLDEST_NEW = 160_000
"""Rows are judged by `pg_input_is_valid`, which came with PostgreSQL 16."""

_CLOCKS = {"timestamptz": {"timestamp with time zone"}, "timestamp": {"timestamp without time zone"}}
_NATIVE = {
    "bigint": {"smallint", "integer", "bigint", "numeric"},
    "text": {"text", "character varying", "character"},
    "uuid": {"uuid"},
    "date": {"date"},
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view as the server's catalogue has it: columns with their types, and the rights of our role."""

    kind: str
    columns: Mapping[str, str]
    lacking: Mapping[str, bool]
    """Columns that must be there and have no default."""
    may: Mapping[str, bool]


def legacy() -> Iterator[Symptom]:
    """The legacy platform."""
    adapter = ports.legacy()
    if isinstance(adapter, EngineLegacy):
        yield from elsewhere.legacy(adapter)
    if not isinstance(adapter, PostgresLegacy):
        return
    with _connected(adapter.url) as connection:
        yield _unprivileged(connection, "legacy")
        yield from _seeing(adapter, connection)
        for spec in mapping.specs().values():
            table = _table(connection, spec.source_table)
            problem = _unreadable(spec, table)
            yield Symptom(f"legacy holds what {spec.entity} reads", problem)
            if table and not problem:
                writes = [right for right in ("INSERT", "UPDATE", "DELETE") if table.may[right]]
                revoke = f"it may also {', '.join(writes)}: revoke that, Crossing only reads legacy"
                yield Symptom(f"our role only reads {spec.source_table}", revoke if writes else "")
                yield from _key(connection, spec)


def new() -> Iterator[Symptom]:
    """The new platform."""
    adapter = ports.mover()
    if not isinstance(adapter, PostgresMover):
        return
    with _connected(adapter.url) as connection:
        yield _unprivileged(connection, "new")
        version = connection.info.server_version
        old = "" if version >= OLDEST_NEW else "rows are judged by what came with PostgreSQL 16: use 16 or newer there"
        yield Symptom(f"the new platform is in PostgreSQL {version // 10_000}", old)
        ((encoding, temporary, stage, owns),) = connection.execute(_HOUSE).fetchall()
        yield Symptom(
            "the new platform's database is in UTF-8",
            "" if encoding == "UTF8" else f"it is in {encoding}: reports of it cannot be checked by customers",
        )
        grant = "GRANT TEMPORARY ON DATABASE … TO our role: rows are judged in temporary tables"
        yield Symptom("our role may make temporary tables there", "" if temporary else grant)
        made = "CREATE SCHEMA crossing_stage AUTHORIZATION our role, as docs/integrating.md shows"
        yield Symptom("the schema crossing_stage is our role's", "" if stage and owns else made)
        needed = {adapter.accounts: _ACCOUNT, adapter.provenance: _PROVENANCE}
        for name, columns in needed.items():
            yield Symptom(f"{name} is there", _lacking(_table(connection, name), name, columns))
        yield from _provenance_index(connection, adapter.provenance)
        yield _account_index(connection, adapter.provenance)
        for spec in mapping.specs().values():
            yield Symptom(f"{spec.target_table} takes {spec.entity}", _untaken(connection, spec))


def _unreadable(spec: Spec, table: Table | None) -> str:
    """Return why legacy's rows of an entity cannot be read, or ''."""
    if spec.source_is_file:
        return f"{spec.source_table} is a file, and legacy a database: set LEGACY_DATABASE_URL to the file's folder"
    if table is None:
        return f"there is no table {spec.source_table}, or its schema is not open to us: GRANT USAGE ON SCHEMA"
    if not table.may["SELECT"]:
        return f"GRANT SELECT ON {spec.source_table} TO our role"
    made = {spec.key_column} if spec.key_is_made else set()
    names = [
        spec.source_tenant,
        *(spec.source_names.get(name, name) for name in spec.source_columns if name not in made),
        *([spec.changed.column] if spec.changed else []),
    ]
    missing = [name for name in names if name not in table.columns]
    if missing:
        return f"{spec.source_table} has no {', '.join(missing)}; it has {', '.join(table.columns)}"
    for column, kind in spec.key_parts:
        native = table.columns[spec.source_names.get(column, column)].split("(")[0]
        if native not in _NATIVE[kind]:
            fits = next((one for one, natives in _NATIVE.items() if native in natives), "")
            return f"the key's {column} is {native} there: " + (
                f"say `{fits}` in the mapping" if fits else "make a view with a key of another type"
            )
    if spec.changed:
        native = table.columns[spec.changed.column]
        told = next((one for one, natives in _CLOCKS.items() if re.sub(r"\(\d\)", "", native) in natives), "")
        if told != spec.changed.type:
            fits = f"say `{told}` in the mapping" if told else "make a view with a moment in it"
            return f"{spec.changed.column}, which tells when a row changed, is {native} there: {fits}"
    return ""


def _key(connection: psycopg.Connection, spec: Spec) -> Iterator[Symptom]:
    """Look whether rows have one key each, and whether an index has their order."""
    columns = [spec.source_names.get(column, column) for column, _ in spec.key_parts]
    listed = ", ".join(map(quote, columns))
    name = f"the key of {spec.entity} ({', '.join(columns)})"
    proven = connection.execute(_UNIQUE, [_name(spec.source_table), [spec.source_tenant, *columns]]).fetchone()
    problem = ""
    if not proven:
        twice = (
            f"SELECT 1 FROM {_name(spec.source_table)} GROUP BY {quote(spec.source_tenant)}, {listed}"  # noqa: S608 - quoted
            f" HAVING count(*) > 1 OR bool_or({' OR '.join(f'{quote(one)} IS NULL' for one in columns)}) LIMIT 1"
        )
        try:
            if connection.execute(twice.encode()).fetchone():
                problem = "a key is empty or stands twice for one customer: such rows cannot be told apart"
        except psycopg.errors.QueryCanceled:
            problem = f"no unique index proves it, and counting took more than {PATIENCE} s: look into it yourself"
    yield Symptom(f"{name} is there and stands once", problem)
    yield Symptom(f"an index has the order of {name}", _sorted_anew(connection, spec))


def _sorted_anew(connection: psycopg.Connection, spec: Spec) -> str:
    """Return what to do where each batch would sort all of a customer's rows, by the server's own plan."""
    tenant = connection.execute(
        f"SELECT {quote(spec.source_tenant)}::text FROM {_name(spec.source_table)} LIMIT 1".encode()  # noqa: S608 - quoted
    ).fetchone()
    if tenant is None or tenant[0] is None:
        return ""
    rows = source.of_tenant(spec, tenant[0])
    query = f"SELECT 1 {rows} ORDER BY {source.order(spec)} LIMIT {spec.batch}"
    ((plan,),) = connection.execute(f"EXPLAIN (FORMAT JSON) {query}".encode()).fetchall()
    if not _sorts(plan[0]["Plan"], more_than=spec.batch):
        return ""
    terms = ", ".join([quote(spec.source_tenant), *(term.removeprefix("s.") for term in source.native(spec))])
    return (
        f"each batch sorts the customer's rows anew: CREATE INDEX CONCURRENTLY ON {_name(spec.source_table)} ({terms});"
        " of a view, on the table that the key comes from"
    )


def _sorts(plan: Mapping[str, object], *, more_than: int) -> bool:
    inner = [one for one in plan.get("Plans", ()) if isinstance(one, dict)]  # type: ignore[attr-defined]
    rows = plan.get("Plan Rows", 0)
    if plan.get("Node Type") == "Sort" and isinstance(rows, int) and rows > more_than:
        return True
    return any(_sorts(one, more_than=more_than) for one in inner)


def _untaken(connection: psycopg.Connection, spec: Spec) -> str:
    """Return why the new platform's table cannot take an entity, or ''."""
    table = _table(connection, spec.target_table)
    if problem := _lacking(table, spec.target_table, {spec.target_tenant: "uuid"}):
        return problem
    assert table is not None
    for column in spec.columns:
        wanted = column.enum_type.removeprefix("public.") or column.type
        native = table.columns.get(column.name)
        if native is None:
            return f"it has no column {column.name}"
        if native != wanted and not (wanted == "text" and native.split("(")[0] in _NATIVE["text"]):
            plain = native.replace("timestamp with time zone", "timestamptz")
            if plain != wanted:
                return f"{column.name} is {plain} there, and {wanted} in the mapping"
    filled = {spec.target_tenant, *(column.name for column in spec.columns)}
    if left := [name for name in table.lacking if name not in filled]:
        return f"nothing fills {', '.join(left)}: map them, or give them a default"
    try:
        stage.demand_key(connection, spec.target_table, spec.target_tenant, spec.target_key)
    except ports.Rejected as refusal:
        return str(refusal)
    return ""


def _lacking(table: Table | None, name: str, columns: Mapping[str, str]) -> str:
    if table is None:
        return f"there is no table {name}, or its schema is not open to us: docs/integrating.md shows it"
    rights = [right for right, has in table.may.items() if not has]
    if rights:
        return f"GRANT {', '.join(rights)} ON {name} TO our role"
    wrong = [f"{column} {kind}" for column, kind in columns.items() if table.columns.get(column) != kind]
    return f"it has no {', '.join(wrong)}" if wrong else ""


def _unprivileged(connection: psycopg.Connection, platform: str) -> Symptom:
    ((user, excess),) = connection.execute(
        "SELECT rolname::text, rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ).fetchall()
    fix = f"{user} may do everything there: make a role as docs/integrating.md shows"
    return Symptom(f"the {platform} platform answers, to {user}", fix if excess else "")


def _seeing(adapter: PostgresLegacy, connection: psycopg.Connection) -> Iterator[Symptom]:
    """Look whether catch-ups see since when transactions of legacy are open."""
    followed = next((spec for spec in mapping.specs().values() if spec.changed), None)
    if followed and (problem := adapter.blind_spot(spec=followed)):
        ((user, may),) = connection.execute(
            "SELECT quote_ident(current_user), pg_has_role('pg_read_all_stats', 'USAGE')"
        ).fetchall()
        yield Symptom(_OPEN, problem if may else f"{problem} GRANT pg_read_all_stats TO {user};")
    elif followed:
        yield Symptom(_OPEN)


_OPEN = "catch-ups see since when transactions of legacy are open"


def _provenance_index(connection: psycopg.Connection, provenance: str) -> Iterator[Symptom]:
    """Look whether provenance finds objects by their key, and by no more of an index than that takes (ADR 45)."""
    rows = connection.execute(_TARGET_INDEXES, [_name(provenance)]).fetchall()
    whole = [str(index) for index, is_partial in rows if not is_partial]
    columns = "(target_key, account_id, entity) WHERE target_key <> source_key"
    statements = [
        *([f"CREATE INDEX CONCURRENTLY ON {_name(provenance)} {columns};"] if len(rows) == len(whole) else []),
        *(f"DROP INDEX CONCURRENTLY {index};" for index in whole),
    ]
    why = "an index of all objects slows each move down" if whole else "objects are found by reading all of it"
    fix = f"{why}; while no run moves: {' '.join(statements)}" if statements else ""
    yield Symptom(f"{provenance} finds objects by their key", fix)


def _account_index(connection: psycopg.Connection, provenance: str) -> Symptom:
    """Look whether an account's rows of provenance are found without reading every other account's."""
    found = connection.execute(_ACCOUNT_INDEX, [_name(provenance)]).fetchone()
    fix = (
        "each closing and each catch-up reads the rows of all accounts; CREATE INDEX CONCURRENTLY ON "
        f"{_name(provenance)} USING brin (account_id uuid_minmax_multi_ops) WITH (autosummarize = on);"
    )
    return Symptom(f"{provenance} finds an account's objects", "" if found else fix)


def _table(connection: psycopg.Connection, name: str) -> Table | None:
    rows = connection.execute(_COLUMNS, {"name": _name(name)}).fetchall()
    if not rows:
        return None
    columns = {column: kind for column, kind, *_ in rows}
    lacking = {column: True for column, _, needed, *_ in rows if needed}
    return Table(rows[0][3], columns, lacking, dict(zip(_RIGHTS, rows[0][4], strict=True)))


def _name(name: str) -> str:
    return ".".join(map(quote, name.split(".")))


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection]:
    if not url:
        raise ports.Rejected("no address is configured: set LEGACY_DATABASE_URL and NEW_DATABASE_URL")
    options = f"-c statement_timeout={PATIENCE}s -c default_transaction_read_only=on"
    with psycopg.connect(url, autocommit=True, connect_timeout=10, options=options) as connection:
        yield connection


_RIGHTS: Sequence[str] = ("SELECT", "INSERT", "UPDATE", "DELETE")
_COLUMNS = """
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod)::text,
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '', c.relkind::text,
       ARRAY[has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'INSERT'),
             has_table_privilege(c.oid, 'UPDATE'), has_table_privilege(c.oid, 'DELETE')]
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.oid = to_regclass(%(name)s) AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum
"""
# A unique index over some of the tenant's column and the key's, none of them empty, proves the whole.
_UNIQUE = """
SELECT 1
  FROM pg_index i
 WHERE i.indrelid = to_regclass(%s) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
   AND NOT EXISTS (
       SELECT FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE k.place <= i.indnkeyatts AND (a.attname::text <> ALL (%s) OR NOT a.attnotnull))
"""
# What is indexed by the object alone: neither the key nor anything that is the vendor's own.
_TARGET_INDEXES = """
SELECT i.indexrelid::regclass::text, i.indpred IS NOT NULL
  FROM pg_index i
 WHERE i.indrelid = to_regclass(%s) AND i.indisvalid AND NOT i.indisunique AND i.indexprs IS NULL
   AND (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM unnest(i.indkey::smallint[]) AS k (attnum)
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum)
       = ARRAY['account_id', 'entity', 'target_key']
 ORDER BY 1
"""
_ACCOUNT_INDEX = """
SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
 WHERE i.indrelid = to_regclass(%s) AND i.indisvalid AND i.indpred IS NULL AND a.attname = 'account_id'
"""
_HOUSE = """
SELECT current_setting('server_encoding'), has_database_privilege(current_database(), 'TEMPORARY'),
       to_regnamespace('crossing_stage') IS NOT NULL,
       coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = 'crossing_stage'), FALSE)
"""
_ACCOUNT = {"id": "uuid", "name": "text", "legacy_ref": "text"}
_PROVENANCE = {
    "account_id": "uuid", "entity": "text", "source_system": "text", "source_key": "text", "target_key": "text",
    "run_id": "uuid", "spec": "text", "source_hash": "bytea", "migrated_at": "timestamp with time zone",
}  # fmt: skip
