"""Connections to the two platforms' PostgreSQL: short-lived, never inside a transaction of ours, with safe errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from core import tenancy
from core.ports import Rejected, Unavailable


@contextmanager
def connected(url: str, *, platform: str, statement_timeout: int) -> Iterator[psycopg.Connection]:
    """Open a connection in autocommit and close it; `statement_timeout` is in seconds.

    An outage becomes Unavailable, a refusal by the server Rejected; neither repeats data or the server's words.
    """
    tenancy.forbid_transaction(f"Talking to the {platform} platform")
    if not url:
        raise Rejected(f"No {platform} platform is configured.")
    try:
        with psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=10,
            application_name="crossing",
            options=f"-c statement_timeout={statement_timeout}s -c datestyle=ISO -c timezone=UTC -c lock_timeout=30s"
            " -c work_mem=64MB -c jit=off",  # a batch stays in memory; compiling costs more than it saves
        ) as connection:
            yield connection
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        # Also raised for a cancelled statement, a deadlock, a server that restarts: all of them pass.
        raise Unavailable(f"The {platform} platform's database does not answer ({_class(error)}).") from error
    except psycopg.Error as error:
        raise Rejected(f"The {platform} platform's database refused the request ({_class(error)}).") from error


def _class(error: psycopg.Error) -> str:
    return error.sqlstate or "no connection"
