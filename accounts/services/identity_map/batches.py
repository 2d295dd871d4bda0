"""Batches of people as they were read: kept under their ids, with who is in them, until everybody is judged."""

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import connection

from accounts.domain.identity_map.guids import LEGACY, NEW
from accounts.domain.identity_map.reading import Row, Unreadable
from accounts.models import LegacyPerson, MapBatch, MapRun, NewPerson
from accounts.queries import identity_map as queries

MEMBERS = "members"
TELLS = {MEMBERS: "Your directory", NEW: "The new platform", LEGACY: "The legacy platform"}
"""Who tells of people, as it is told to people."""

_COLUMNS = tuple(field.name for field in fields(Row))
_values = attrgetter(*_COLUMNS)
_OWN = {
    LEGACY: ("outcome, rule, person_id", "'pending', '', told.id"),
    NEW: ("is_member", "false"),
    MEMBERS: ("is_member", "true"),
}
_TYPES = {"id": "uuid", "is_owner": "boolean", "is_active": "boolean"}
_KEEP = """
WITH told AS MATERIALIZED (SELECT * FROM json_to_recordset(%(told)s) AS t ({typed})),
     noted AS (
        INSERT INTO accounts_mapbatch (id, tenant_id, run_id, is_legacy, ids)
        SELECT gen_random_uuid(), %(tenant)s, %(run)s, %(is_legacy)s, array_agg(id) FROM told
     )
INSERT INTO {table} AS p (tenant_id, {columns}, {names})
SELECT %(tenant)s, told.*, {values} FROM told
 WHERE NOT EXISTS (
    SELECT FROM {table} AS p
     WHERE p.id = told.id AND p.tenant_id = %(tenant)s AND p.gone_at IS NULL AND ({of_p}) = ({of_told})
 )
ON CONFLICT (id) DO UPDATE SET gone_at = NULL, {changed}
"""
_TWICE = """
SELECT is_legacy FROM accounts_mapbatch, unnest(ids) AS read (person) WHERE tenant_id = %(tenant)s AND run_id = %(run)s
 GROUP BY is_legacy HAVING count(*) <> count(DISTINCT person)
"""
_GONE = """
UPDATE {table} SET gone_at = %(at)s
 WHERE tenant_id = %(tenant)s AND gone_at IS NULL AND id NOT IN (
    SELECT unnest(ids) FROM accounts_mapbatch
     WHERE tenant_id = %(tenant)s AND run_id = %(run)s AND is_legacy = %(is_legacy)s
 )
"""
_TOLD_OF = """
UPDATE accounts_newperson AS m SET gone_at = %(at)s
 WHERE m.tenant_id = %(tenant)s AND m.is_member AND m.gone_at IS NULL AND m.id IN (
    SELECT m.id FROM accounts_newperson AS m
      JOIN accounts_newperson AS p ON p.external_id = m.external_id AND p.tenant_id = m.tenant_id
     WHERE m.tenant_id = %(tenant)s AND m.is_member AND NOT p.is_member AND p.gone_at IS NULL AND m.external_id <> ''
     UNION
    SELECT m.id FROM accounts_newperson AS m
      JOIN accounts_newperson AS p ON p.user_name = m.user_name AND p.tenant_id = m.tenant_id
     WHERE m.tenant_id = %(tenant)s AND m.is_member AND NOT p.is_member AND p.gone_at IS NULL AND m.user_name <> ''
       AND (m.external_id = '' OR p.external_id = '')
 )
"""
"""A member of whom the new platform tells too, by the key of `accounts/domain/directory.py`, is that person there."""


def keep(run: MapRun, rows: Sequence[Row], *, side: str) -> None:
    """Write a batch, in the caller's transaction; whoever stands there already as they were read is not written again.

    Raises Unreadable for somebody who is in it twice, and for whom the new platform calls by a member's key.
    """
    if len({row.id for row in rows}) < len(rows):
        raise _twice(side)
    if not rows:
        return
    if side == NEW and queries.is_key_of_member(tenant_id=run.tenant_id, keys=[row.key for row in rows]):
        raise Unreadable(f"{TELLS[side]} tells of somebody by a member's key: it needs a key of its own for them.")
    names, values = _OWN[side]
    statement = _KEEP.format(
        table=_table(is_legacy=side == LEGACY), names=names, values=values, columns=", ".join(_COLUMNS),
        typed=", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in _COLUMNS),
        of_p=", ".join(f"p.{name}" for name in _COLUMNS[1:]),
        of_told=", ".join(f"told.{name}" for name in _COLUMNS[1:]),
        changed=", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:]),
    )  # fmt: skip
    told = json.dumps([dict(zip(_COLUMNS, _values(row), strict=True)) for row in rows], default=str)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"told": told, "tenant": run.tenant_id, "run": run.pk, "is_legacy": side == LEGACY})


def count_out(run: MapRun, *, at: datetime) -> None:
    """Note who was not read again as gone, and a member of whom the new platform tells as told of by it.

    In the caller's transaction. Raises Unreadable where two batches of one side hold somebody twice.
    """
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"tenant": run.tenant_id, "run": run.pk, "at": at}
        cursor.execute(_TWICE, values)
        if twice := cursor.fetchone():
            raise _twice(LEGACY if twice[0] else NEW)
        for is_legacy in (False, True):
            cursor.execute(_GONE.format(table=_table(is_legacy=is_legacy)), {**values, "is_legacy": is_legacy})
        cursor.execute(_TOLD_OF, values)


def analyze() -> None:
    """Have the planner learn how many people there are where they have doubled; checks of keys are then planned anew.

    People come by the hundred thousand at once, and what was planned while there were few reads all of them for each.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT crossing.analyze_people()")


def drop(run: MapRun) -> None:
    """Forget who was in which batch, once the run has ended."""
    MapBatch.objects.filter(tenant_id=run.tenant_id, run=run).delete()


def _table(*, is_legacy: bool) -> str:
    return LegacyPerson._meta.db_table if is_legacy else NewPerson._meta.db_table


def _twice(side: str) -> Unreadable:
    return Unreadable(f"{TELLS[side]} tells of somebody twice: each key must come once.")
