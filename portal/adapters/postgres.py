"""Connections to the two platforms' PostgreSQL: short-lived, never inside a transaction of ours, with safe errors."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import make_conninfo

from core import tenancy
from core.ports import Committing, Rejected, Unavailable


def scheme(url: str) -> str:
    """Return what an address begins with: `postgres`, `mysql`, `csv`…; of a `host=… dbname=…` form, `postgres`."""
    found = urlsplit(url).scheme.partition("+")[0].lower()
    return "postgres" if found == "postgresql" or (not found and "=" in url) else found


def is_postgres(url: str) -> bool:
    """Tell whether an address is PostgreSQL's; the empty one is, and leads nowhere."""
    return not url or scheme(url) == "postgres"


def primary(url: str) -> str:
    """Return an address that leads to the server which writes, of several; to none if that is away."""
    return make_conninfo(url, target_session_attrs="primary")


@contextmanager
def connected(url: str, *, platform: str, statement_timeout: int) -> Iterator[psycopg.Connection]:
    """Open a connection in autocommit and close it; `statement_timeout` is in seconds.

    An outage becomes Unavailable, a refusal by the server Rejected; neither repeats data or the server's words.
    """
    tenancy.forbid_transaction(f"Talking to the {platform} platform")
    if not url:
        raise Rejected(f"No {platform} platform is configured.")
    if not is_postgres(url):
        raise Rejected(
            f"The {platform} platform is no PostgreSQL: this needs an adapter of its own (settings.ADAPTERS)."
        )
    with (
        translated(platform),
        psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=10,
            application_name="crossing",
            client_encoding="UTF8",  # else texts come as their database keeps them, and bytes of one may be another's
            options=f"-c statement_timeout={statement_timeout}s -c datestyle=ISO -c timezone=UTC -c lock_timeout=30s"
            " -c standard_conforming_strings=on"  # a backslash in a quoted key means itself
            " -c work_mem=64MB -c jit=off",  # a batch stays in memory; compiling costs more than it saves
        ) as connection,
    ):
        yield connection


@contextmanager
def committed(connection: psycopg.Connection, committing: Committing) -> Iterator[None]:
    """Commit what the block writes inside `committing()`, which is entered after it and left after the commit."""
    with ExitStack() as leaving, connection.transaction():
        yield
        leaving.enter_context(committing())


@contextmanager
def translated(platform: str) -> Iterator[None]:
    """Name a failure of this platform's server, where several are talked to at once."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        if _class(error).startswith(_TOO_LARGE):
            raise Rejected(
                f"The {platform} platform's database cannot hold a value as large as it came ({_class(error)}): mostly"
                " a key that is too long for an index, which takes about 2,700 bytes. Shorten it in legacy, or leave"
                " such rows out by a rule of the mapping."
            ) from error
        # Also raised for a cancelled statement, a deadlock, a server that restarts: all of them pass.
        raise Unavailable(f"The {platform} platform's database does not answer ({_class(error)}).") from error
    except psycopg.Error as error:
        raise Rejected(f"The {platform} platform's database refused the request ({_why(error)}).") from error


def _why(error: psycopg.Error) -> str:
    """Return the error's class; where it is about what exists and who may, also the server's words: names, no data."""
    known = _class(error)
    if known in _NO_TEXT:
        return f"{known}: a text there is none in UTF-8, or cannot be kept in the database's encoding; correct it there"
    words = error.diag.message_primary or ""
    return f"{known}: {words}" if known in _ABOUT_NAMES and words else known


_ABOUT_NAMES = {"42P01", "42703", "42501", "42883", "42804", "42704", "3F000"}
"""No such table, column, right, operator between the types, collation of the type, type, schema."""


_NO_TEXT = {"22021", "22P05"}
"""A database in SQL_ASCII keeps whatever bytes it was given; one in another encoding than UTF-8 lacks characters."""

_TOO_LARGE = "54"
"""The class of what goes beyond a limit of the server: trying again does not help."""


def _class(error: psycopg.Error) -> str:
    return error.sqlstate or "no connection"
