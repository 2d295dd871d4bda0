"""Two acts at the same moment, each on a connection of its own."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from uuid import UUID

from django.db import connection

from core import tenancy


def beside[T](pool: ThreadPoolExecutor, tenant_id: UUID, deed: Callable[[], T]) -> Future[T]:
    """Do something for a tenant on a connection of its own."""

    def run() -> T:
        try:
            with tenancy.scope(tenant_id=tenant_id):
                return deed()
        finally:
            connection.close()

    return pool.submit(run)


def await_waiter() -> None:
    """Return once one connection waits for another, whatever it is for."""
    until = monotonic() + 30
    while monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees who is active as it first saw it
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
            )
            if cursor.fetchone() == (1,):
                return
    raise AssertionError("nobody waited")
