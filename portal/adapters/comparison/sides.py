"""The records of either platform as relations of its own server, ready to be digested there.

Each has the columns `source` (the legacy key), `k` (the record's key), `gone` (the rule that leaves it behind, or ''),
`bad` (something in it could not be read) and `c0`, `c1`, … (the mapped columns in their common form).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backfills.domain import keys
from backfills.domain.judgement import Test, checks, computed_rows, condition
from backfills.domain.spec import Spec, Then
from backfills.domain.sql import Compiler, Dialect
from portal.adapters.comparison import digests, mapping
from portal.adapters.comparison.digests import Engine
from portal.adapters.comparison.forms import Form
from portal.adapters.comparison.quoting import name, text

UNREADABLE = -1
"""The bucket of records whose key cannot be read."""

# OFFSET keeps the planner from pulling a relation up, which would compute its columns wherever they are used. Quoted,
# it is a constant from the start: else the planner takes it for one that needs all rows in one process.
_ONCE = "OFFSET '0'"


@dataclass(frozen=True, slots=True)
class Digesting:
    """How records are digested: by PostgreSQL's own hash under a seed, or by MD5 under a code.

    Both are drawn anew for each comparison, so that nobody can prepare two records with one digest.
    """

    seed: int
    code: str
    fast: bool

    def record(self, forms: list[Form]) -> str:
        """Return the SQL of a record's digest, a whole number of 60 bits."""
        if self.fast:
            row = ", ".join(["bad", *(f"c{number}" for number in range(len(forms)))])
            # The hash of a record is a linear sum of its columns' hashes, and a bucket is a sum of records: values that
            # two records have exchanged would leave it as it was. So it is hashed once more.
            return f"((hashint8extended(hash_record_extended(ROW({row}), {self.seed}), {self.seed}) >> 4) & {_SIXTY})"
        columns = [("boolean", "bad"), *((form.kind, f"c{number}") for number, form in enumerate(forms))]
        return digests.digest(Engine.POSTGRES, digests.record(Engine.POSTGRES, columns, code=self.code))

    def bucket(self, key: Form, value: str, buckets: int) -> str:
        """Return the SQL of the bucket that a key falls into; it is the same for the same key on both servers."""
        if not self.fast:
            hashed = digests.digest(
                Engine.POSTGRES, digests.record(Engine.POSTGRES, [(key.kind, value)], code=self.code)
            )
        else:
            function = "hashint8extended" if key.kind == "integer" else "hashtextextended"
            hashed = f"({function}({value}, {self.seed}) & {_POSITIVE})"
        return f"(CASE WHEN {value} IS NULL THEN {UNREADABLE} ELSE ({hashed} % {buckets})::integer END)"


_SIXTY, _POSITIVE = (1 << 60) - 1, (1 << 63) - 1


def promised(spec: Spec, forms: Mapping[str, Form], key: Form, *, tenant: str, where: str = "") -> str:
    """Return what the mapping promises, computed by the legacy server from its own rows.

    The mapping is compiled as for a run: what is found equal here rests on PostgreSQL alone, what differs is judged
    anew by the typed comparison. `where` is a condition on the native rows.
    """
    compiler = Compiler(Dialect.POSTGRES, spec.tables, spec.sets, spec.zones)
    computed = computed_rows(spec, compiler, f"({mapping.raw(spec, tenant, where)})")
    faults = [condition(check, compiler, spec) for check in checks(spec) if check.test is Test.UNREADABLE]
    bad = " OR ".join(fault for fault in faults if fault != "FALSE") or "FALSE"
    source = name(spec.key_column)
    outputs = [
        f"{source} AS source",
        f"{_key(key, _out(spec.target_key), source)} AS k",
        f"{mapping.left_behind(spec, compiler)} AS gone",
        f"({bad}) IS TRUE AS bad",
        *(f"{form.expected.format(_out(column))} AS c{number}" for number, (column, form) in enumerate(forms.items())),
    ]
    records = f"(SELECT {', '.join(outputs)} FROM {computed} AS r {_ONCE})"
    if spec.duplicates.then is Then.MERGE:
        records = _merged(spec, records, len(forms))
    if spec.supplements:
        records = (
            f"({' UNION ALL '.join([f'SELECT * FROM {records} AS r', *_supplements(spec, forms, key, compiler)])})"
        )
    return records


def held(spec: Spec, forms: Mapping[str, Form], key: Form, *, tenant: str, where: str = "") -> str:
    """Return what the new platform holds."""
    # A key that is more than a column hides its statistics: a server that expects a group per record sorts them all.
    own = key.actual.format(name(spec.target_key)) + (" + 0" if key.kind == "integer" else "")
    outputs = [
        "NULL::text AS source",
        f"{own} AS k",
        "''::text AS gone",
        "FALSE AS bad",
        *(f"{form.actual.format(name(column))} AS c{number}" for number, (column, form) in enumerate(forms.items())),
    ]
    narrowed = f" AND ({where})" if where else ""
    return (
        f"(SELECT {', '.join(outputs)} FROM {name(spec.target_table)} "
        f"WHERE {name(spec.target_tenant)} = {text(tenant)}{narrowed} {_ONCE})"
    )


def sums(records: str, digest: str, bucket: str, forms: list[Form], rules: Sequence[str]) -> str:
    """Return the query of (bucket, records, sum of digests, NULL), and one row of the exact sums of numbers.

    What one of the `rules` leaves behind is counted in a bucket of its own (`left_by`). Everything is computed once and
    grouped by one number, so that the server can do both in as many processes as it will.
    """
    numbers = [f"c{number}" for number, form in enumerate(forms) if form.is_number]
    # NaN is no number that could be summed; neither the typed comparison's sums hold it.
    summed = "".join(
        f", sum(nullif({column}, 'NaN')) AS {column}" if forms[int(column[1:])].kind == "number"
        else f", sum({column}) AS {column}"
        for column in numbers
    )  # fmt: skip
    totals = ", ".join(f"coalesce(sum({column}), 0)::text" for column in numbers)
    if rules:
        left = " ".join(f"WHEN {text(rule)} THEN {left_by(place)}" for place, rule in enumerate(rules))
        bucket = f"CASE WHEN gone = '' THEN {bucket} ELSE CASE gone {left} END END"
    return (
        f"WITH s AS MATERIALIZED (SELECT {bucket} AS b, count(*) AS n, sum({digest}) AS d{summed} "
        f"FROM {records} AS r GROUP BY 1) SELECT b, n, d::text, NULL::text[] FROM s UNION ALL "
        f"SELECT NULL, NULL, NULL, ARRAY[{totals}]::text[] FROM s WHERE b >= {UNREADABLE}"
    )


def left_by(place: int) -> int:
    """Return the bucket of what is left behind by the rule at a place of the list."""
    return UNREADABLE - 1 - place


def sums_among(records: str, digest: str, bucket: str, buckets: list[int], finer: str) -> str:
    """Return the query of (finer bucket, records, sum of digests) of the records in these buckets."""
    return (
        f"SELECT {finer}, count(*), sum({digest})::text FROM {records} AS r "
        f"WHERE gone = '' AND {among(bucket, buckets)} GROUP BY 1"
    )


def listed(records: str, digest: str, bucket: str, buckets: list[int]) -> str:
    """Return the query of (key, legacy key, digest) of the records in these buckets."""
    return f"SELECT k::text, source, {digest} FROM {records} AS r WHERE gone = '' AND {among(bucket, buckets)}"


def among(bucket: str, buckets: list[int]) -> str:
    """Return the condition that a bucket is one of these."""
    return f"{bucket} = ANY ('{{{','.join(map(str, sorted(buckets)))}}}'::integer[])"


def repeated(records: str, bucket: str) -> str:
    """Return the query of the buckets in which a key stands twice."""
    return f"SELECT DISTINCT {bucket} FROM (SELECT k FROM {records} AS r GROUP BY k HAVING count(*) > 1) AS r"


def _out(column: str) -> str:
    return name(f"out__{column}")


def _key(key: Form, value: str, source: str) -> str:
    return (
        key.expected.format(value)
        if key.kind == "integer"
        else mapping.readable_key(f"({value})::text", source) + ' COLLATE "C"'
    )


def _merged(spec: Spec, records: str, columns: int) -> str:
    """Leave behind, under the rule's name, all but the first of the records with one key."""
    order = keys.order(spec, "source", Dialect.POSTGRES)
    kept = ", ".join(["source", "k", f"CASE WHEN n > 1 THEN {text(spec.duplicates.name)} ELSE gone END AS gone", "bad",
                      *(f"c{number}" for number in range(columns))])  # fmt: skip
    place = (
        f"CASE WHEN gone = '' AND k IS NOT NULL THEN row_number() OVER (PARTITION BY gone = '', k ORDER BY {order}) END"
    )
    return f"(SELECT {kept} FROM (SELECT r.*, {place} AS n FROM {records} AS r) AS r)"


def _supplements(spec: Spec, forms: Mapping[str, Form], key: Form, compiler: Compiler) -> list[str]:
    """Return the rows that the mapping itself adds, each as a SELECT."""
    found = []
    for row in spec.supplements:
        values = {
            column.name: f"{mapping.constant(row[column.name])}::{compiler.sql_type(column.expression.type)}"
            for column in spec.columns
        }
        columns = [form.expected.format(values[column]) for column, form in forms.items()]
        own = key.expected.format(values[spec.target_key])
        found.append(f"SELECT {', '.join(['NULL::text', own, repr(''), 'FALSE', *columns])}")
    return found
