"""What was done to one row is read by an index, however long the tenant's chain is."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import activity, tenancy
from tests import make
from tests.control import superuser

FILL = """
INSERT INTO core_ledger_entry
  (id, chain, seq, event, at, actor_kind, actor_id, subject_type, subject_id, data, body, prev, hash)
SELECT gen_random_uuid(), %s, n, 'tests.note.made', now(), 'member', gen_random_uuid(), 'tests.note',
       gen_random_uuid()::text, '{}', repeat('x', 400), sha256('a'), sha256('b') FROM generate_series(1, 20000) n
"""


@pytest.mark.slow
@pytest.mark.usefixtures("committed_db")
def test_entries_of_one_subject_are_found_by_an_index() -> None:
    tenant_id = make.tenant().pk
    with superuser() as them:
        them.execute("ALTER TABLE core_ledger_entry DISABLE TRIGGER ALL")
        them.execute(FILL, [str(tenant_id)])
        them.execute("ANALYZE core_ledger_entry")
    with tenancy.scope(tenant_id=tenant_id), CaptureQueriesContext(connection) as asked:
        assert activity.recent(tenant_id=tenant_id, subject=("tests.note", uuid4())) == []
        (query,) = (one["sql"] for one in asked if "core_ledger_entry" in one["sql"])
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + query)
            plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using core_ledger_entry_subject" in plan, plan
