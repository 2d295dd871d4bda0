"""The statements that move a batch: judge, map, write, trace, count and reject, all in one.

`first` is for an account that had nothing of the entity before: it only inserts, and fails where something is there
already. `batch` is for every other case: it upserts, finds duplicates, and settles what was rejected before.
"""

from collections.abc import Collection, Iterable, Mapping

from psycopg import sql

from backfills.domain import keys
from backfills.domain.judgement import DUPLICATE, Fate, moving, statement, verdicts
from backfills.domain.spec import Column, Spec, Then
from backfills.domain.sql import Compiler, Dialect

OF = sql.SQL(
    "(p.source_key = ANY(%(keys)s) AND p.target_key = p.source_key"
    " OR p.target_key = ANY(%(keys)s) AND p.target_key <> p.source_key)"
)
"""Which rows of provenance `p` tell of objects by their `keys`. Most objects keep their row's key; that only the others
need an index spares a first run a quarter of its statement."""
MOVES = sql.SQL("fate IN ('migrated', 'transformed')")
FIRST_AT = sql.SQL(
    "first_at = CASE WHEN d.state = 'open' AND (d.rule, d.source_column) = (excluded.rule, excluded.source_column)"
    " THEN d.first_at ELSE excluded.first_at END"
)
"""Since when a row `d` is rejected for its reason: whoever is rejected anew, or for another one, no waiver covers."""


def compiler(spec: Spec, specs: Mapping[str, Spec], *, account: str) -> Compiler:
    """Return the compiler of a spec in the new platform; look-ups read the account's rows that moved before."""
    lookups = {}
    for name, lookup in spec.lookups.items():
        other = specs[lookup.entity]
        fields = ", ".join(
            f'"{field}"::text AS "{field}"' for field in dict.fromkeys((other.target_key, *lookup.fields))
        )
        where = f"\"{other.target_tenant}\" = '{account}'"
        rows = f"(SELECT {fields} FROM {_dotted(other.target_table)} WHERE {where})"  # noqa: S608 - quoted here
        lookups[name] = (rows, other.target_key)
    return Compiler(Dialect.POSTGRES, spec.tables, spec.sets, spec.zones, lookups)


def _dotted(name: str) -> str:
    return ".".join(f'"{part}"' for part in name.split("."))


def table(name: str) -> sql.Composed:
    """Return a table's name, quoted; it may name its schema."""
    return sql.SQL(".").join(sql.Identifier(part) for part in name.split("."))


def cast(column: Column) -> sql.Composable:
    """Return the type of a target column."""
    return table(column.enum_type) if column.enum_type else sql.SQL(column.type)  # the schema lists the types


def raw(text: str) -> sql.SQL:
    """Return compiled SQL in which a percent sign is no placeholder."""
    return sql.SQL(text.replace("%", "%%"))


def looking(entity: str, specs: Mapping[str, Spec]) -> list[str]:
    """Return the entities whose rows look up rows of this one."""
    return sorted(spec.entity for spec in specs.values() if _fields(entity, spec) is not None)


def _fields(entity: str, spec: Spec) -> set[str] | None:
    found = [lookup.fields for lookup in spec.lookups.values() if lookup.entity == entity]
    return {field for fields in found for field in fields} if found else None


def _source(spec: Spec, stage: sql.Composable, where: str) -> sql.Composed:
    """Return the staged rows, each with its hash."""
    return sql.SQL("(SELECT s.*, {hashed} AS source_hash FROM {stage} AS s{where})").format(
        hashed=hashed(spec), stage=stage, where=sql.SQL(where)
    )


def hashed(spec: Spec) -> sql.Composed:
    """Return the hash that provenance keeps of a source row `s`, whose columns are all text."""
    return sql.SQL("sha256(convert_to(ROW({})::text, 'UTF8'))").format(
        sql.SQL(", ").join(sql.Identifier(column) for column in spec.source_columns)
    )


def _listed(spec: Spec) -> sql.Composed:
    """Return the spec's verdicts as rows: number, fate, rule, SQLSTATE, source column."""
    return sql.SQL(", ").join(
        sql.SQL("({}, {}, {}, {}, {})").format(
            *(sql.Literal(value) for value in (number, one.fate.value, one.rule, one.sqlstate, one.column))
        )
        for number, one in enumerate(verdicts(spec))
    )


def _judged(
    spec: Spec, specs: Mapping[str, Spec], *, account: str, source: sql.Composable, extra: tuple[str, ...]
) -> sql.Composed:
    mark = "«stage»"
    before, after = statement(spec, compiler(spec, specs, account=account), mark, extra=extra).split(mark)
    return sql.Composed([raw(before), source, raw(after)])


def first(
    spec: Spec, specs: Mapping[str, Spec], *, account: str, stage: sql.Composable, provenance: str
) -> sql.Composed:
    """Return the statement that inserts all of the stage's rows; parameters and answer are those of `batch`."""
    count = len(verdicts(spec))
    return sql.SQL(_FIRST).format(
        judged=_judged(spec, specs, account=account, source=_source(spec, stage, ""), extra=("source_hash",)),
        verdicts=_listed(spec),
        target=table(spec.target_table),
        tenant=sql.Identifier(spec.target_tenant),
        names=sql.SQL(", ").join(sql.Identifier(column.name) for column in spec.columns),
        values=_values(spec),
        key=sql.Identifier(f"out__{spec.target_key}"),
        provenance=table(provenance),
        moving=sql.Literal(count - len(moving(spec))),
        plain=sql.Literal(count - 1),
    )


def _values(spec: Spec) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("{}::{}").format(sql.Identifier(f"out__{column.name}"), cast(column)) for column in spec.columns
    )


def batch(
    spec: Spec, specs: Mapping[str, Spec], *, account: str, stage: sql.Composable, provenance: str
) -> sql.Composed:
    """Return the statement for the stage's rows numbered %(low)s to %(high)s.

    Parameters: account, entity, system, run, spec, batch, at, mark (write down that the rows were seen), low, high.
    Answers one row per fate and rule with their count, and how many target rows changed.
    """
    source = _source(spec, stage, " WHERE s.n__ BETWEEN %(low)s AND %(high)s")
    merges = spec.duplicates.then is Then.MERGE
    looked_up = {spec.target_key}.union(*(_fields(spec.entity, one) or () for one in specs.values()))
    return sql.SQL(_BATCH).format(
        judged=_judged(spec, specs, account=account, source=source, extra=("n__", "source_hash")),
        verdicts=_listed(spec),
        key=sql.Identifier(f"out__{spec.target_key}"),
        order=raw(keys.order(spec, "source_key", Dialect.POSTGRES)),
        duplicate_fate=sql.Literal((Fate.MERGED if merges else Fate.QUARANTINED).value),
        duplicate_rule=sql.Literal(spec.duplicates.name),
        duplicate_state=sql.Literal("" if merges else DUPLICATE),
        duplicate_column=sql.Literal(spec.source_of_column(spec.column(spec.target_key))),
        upsert=_upsert(spec, returning=sorted(looked_up)),
        touched=_touched(spec, looked_up) if looking(spec.entity, specs) else sql.SQL(""),
        provenance=table(provenance),
        moves=MOVES,
        first_at=FIRST_AT,
    )


def _upsert(spec: Spec, *, returning: Iterable[str]) -> sql.Composed:
    names = [sql.Identifier(column.name) for column in spec.columns]
    others = [sql.Identifier(column.name) for column in spec.columns if column.name != spec.target_key]
    comma = sql.SQL(", ")
    return sql.SQL(
        "INSERT INTO {target} AS t ({tenant}, {names}) SELECT %(account)s, {values} FROM placed WHERE {moves}"
        " ON CONFLICT ({tenant}, {key}) DO UPDATE SET {sets}"
        " WHERE ROW({current}) IS DISTINCT FROM ROW({wanted}) RETURNING {returned}"
    ).format(
        target=table(spec.target_table),
        tenant=sql.Identifier(spec.target_tenant),
        names=comma.join(names),
        values=_values(spec),
        moves=MOVES,
        key=sql.Identifier(spec.target_key),
        sets=comma.join(sql.SQL("{0} = excluded.{0}").format(name) for name in others),
        current=comma.join(sql.SQL("t.{}").format(name) for name in others),
        wanted=comma.join(sql.SQL("excluded.{}").format(name) for name in others),
        returned=comma.join(sql.SQL("t.{}").format(sql.Identifier(column)) for column in returning),
    )


def _touched(spec: Spec, looked_up: Collection[str]) -> sql.Composed:
    """Return what notes rows that came, or changed in what others look up: each is compared with how it stood."""
    differs = [sql.SQL("b.{0} IS DISTINCT FROM w.{0}").format(sql.Identifier(column)) for column in sorted(looked_up)]
    return sql.SQL(_TOUCHED).format(
        key=sql.Identifier(spec.target_key),
        target=table(spec.target_table),
        tenant=sql.Identifier(spec.target_tenant),
        differs=sql.SQL(" OR ").join(differs),
    )


_TOUCHED = """
touched AS (
    INSERT INTO crossing_stage.touched (account_id, entity, target_key, is_new)
    SELECT %(account)s, %(entity)s, w.{key}::text, b.{key} IS NULL
      FROM written w LEFT JOIN {target} b ON b.{tenant} = %(account)s AND b.{key} = w.{key}
     WHERE {differs}
    ON CONFLICT (target_key, account_id, entity) DO UPDATE SET number = DEFAULT, is_new = false
),"""
_FIRST = """
WITH judged AS MATERIALIZED ({judged}),
written AS (
    INSERT INTO {target} ({tenant}, {names}) SELECT %(account)s, {values} FROM judged WHERE verdict >= {moving}
),
traced AS (
    INSERT INTO {provenance}
           (account_id, entity, source_system, source_key, target_key, run_id, spec, source_hash, migrated_at)
    SELECT %(account)s, %(entity)s, %(system)s, source_key, {key}::text, %(run)s, %(spec)s, source_hash, %(at)s
      FROM judged WHERE verdict >= {moving}
),
ended AS MATERIALIZED (
    SELECT j.source_key, j.{key}::text AS target_key, v.*
      FROM judged j JOIN (VALUES {verdicts}) AS v (verdict, fate, rule, sqlstate, source_column) USING (verdict)
     WHERE j.verdict <> {plain}
),
outcomes AS (
    INSERT INTO crossing_stage.outcome (account_id, entity, source_key, run_id, fate, rule, target_key)
    SELECT %(account)s, %(entity)s, source_key, %(run)s, fate, rule, CASE WHEN verdict >= {moving} THEN target_key END
      FROM ended
),
rejected AS (
    INSERT INTO crossing_stage.dead_letter
           (account_id, entity, source_key, run_id, batch, rule, sqlstate, source_column, spec, first_at, last_at)
    SELECT %(account)s, %(entity)s, source_key, %(run)s, %(batch)s, rule, sqlstate, source_column,
           %(spec)s, %(at)s, %(at)s
      FROM ended WHERE fate = 'quarantined'
),
counted AS (
    SELECT verdict, count(*) AS rows FROM judged GROUP BY verdict
)
SELECT fate, rule, sum(rows)::bigint, (SELECT coalesce(sum(rows), 0)::bigint FROM counted WHERE verdict >= {moving})
  FROM counted JOIN (VALUES {verdicts}) AS v (verdict, fate, rule, sqlstate, source_column) USING (verdict)
 GROUP BY fate, rule
"""
_BATCH = """
WITH judged AS MATERIALIZED ({judged}),
fated AS MATERIALIZED (
    SELECT j.*, v.fate, v.rule, v.sqlstate, v.source_column,
           v.fate IN ('migrated', 'transformed') AND (
               row_number() OVER (PARTITION BY {key}, v.fate IN ('migrated', 'transformed') ORDER BY {order}) > 1
               OR EXISTS (SELECT FROM {provenance} p
                           WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.target_key = j.{key}::text
                             AND p.source_system = %(system)s AND p.source_key <> j.source_key
                             AND p.target_key <> p.source_key)
               OR j.{key}::text <> j.source_key
              AND EXISTS (SELECT FROM {provenance} p
                           WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND p.source_key = j.{key}::text
                             AND p.source_system = %(system)s AND p.target_key = p.source_key)
           ) AS duplicate
      FROM judged j
      JOIN (VALUES {verdicts}) AS v (verdict, fate, rule, sqlstate, source_column) USING (verdict)
),
placed AS MATERIALIZED (
    SELECT * FROM fated WHERE NOT duplicate
),
ended AS MATERIALIZED (
    SELECT source_key, source_hash, {key}::text AS target_key, fate, rule, sqlstate, source_column FROM placed
    UNION ALL
    SELECT source_key, source_hash, {key}::text, {duplicate_fate}, {duplicate_rule}, {duplicate_state},
           {duplicate_column}
      FROM fated WHERE duplicate
),
written AS ({upsert}),{touched}
traced AS (
    INSERT INTO {provenance} AS p
           (account_id, entity, source_system, source_key, target_key, run_id, spec, source_hash, migrated_at)
    SELECT %(account)s, %(entity)s, %(system)s, source_key, target_key, %(run)s, %(spec)s, source_hash, %(at)s
      FROM ended WHERE {moves}
    ON CONFLICT (account_id, entity, source_system, source_key) DO UPDATE
       SET target_key = excluded.target_key, run_id = excluded.run_id, spec = excluded.spec,
           source_hash = excluded.source_hash, migrated_at = excluded.migrated_at
     WHERE ROW(p.target_key, p.spec, p.source_hash) IS DISTINCT FROM
           ROW(excluded.target_key, excluded.spec, excluded.source_hash)
),
outcomes AS (
    INSERT INTO crossing_stage.outcome AS o (account_id, entity, source_key, run_id, fate, rule, target_key)
    SELECT %(account)s, %(entity)s, source_key, %(run)s, fate, rule,
           CASE WHEN fate IN ('migrated', 'transformed', 'merged') THEN target_key END
      FROM ended WHERE fate <> 'migrated'
    ON CONFLICT (account_id, entity, source_key) DO UPDATE
       SET run_id = excluded.run_id, fate = excluded.fate, rule = excluded.rule, target_key = excluded.target_key
),
plain AS (
    DELETE FROM crossing_stage.outcome AS o USING ended e
     WHERE o.account_id = %(account)s AND o.entity = %(entity)s AND o.source_key = e.source_key AND e.fate = 'migrated'
),
seen AS (
    INSERT INTO crossing_stage.seen (run_id, source_key) SELECT %(run)s, source_key FROM ended WHERE %(mark)s
    ON CONFLICT DO NOTHING
),
rejected AS (
    INSERT INTO crossing_stage.dead_letter AS d
           (account_id, entity, source_key, run_id, batch, rule, sqlstate, source_column, spec, first_at, last_at)
    SELECT %(account)s, %(entity)s, source_key, %(run)s, %(batch)s, rule, sqlstate, source_column,
           %(spec)s, %(at)s, %(at)s
      FROM ended WHERE fate = 'quarantined'
    ON CONFLICT (account_id, entity, source_key) DO UPDATE
       SET run_id = excluded.run_id, batch = excluded.batch, state = 'open', rule = excluded.rule,
           sqlstate = excluded.sqlstate, source_column = excluded.source_column, spec = excluded.spec,
           attempts = d.attempts + (%(asked)s OR ROW(d.state, d.rule, d.source_column, d.spec) IS DISTINCT FROM
                      ROW('open', excluded.rule, excluded.source_column, excluded.spec))::int,
           last_at = excluded.last_at, {first_at}
),
settled AS (
    UPDATE crossing_stage.dead_letter AS d
       SET state = 'resolved', run_id = %(run)s, batch = %(batch)s, last_at = %(at)s, payload = NULL
      FROM ended e
     WHERE d.account_id = %(account)s AND d.entity = %(entity)s AND d.source_key = e.source_key
       AND d.state = 'open' AND e.fate <> 'quarantined'
)
SELECT fate, rule, count(*), (SELECT count(*) FROM written) FROM ended GROUP BY fate, rule
"""
