"""The databases of a test run: built by the owner once, cloned per worker, used by the unprivileged roles.

`TRUNCATE` is not the app role's to give, so a test that really commits is undone by cloning the template again.
Commits of tests do not wait for the disk, but where one kills the server and asks what is left.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import errors, sql

from portal.house import development, schema, state
from portal.house.postgres import HERE, Postgres
from portal.house.state import Memory

PREFIX = "crossing_template_"
KEPT_TEMPLATES = 4
"""Templates of earlier schemas that stay: another run may still clone one, and a branch may be switched back."""


def with_database(url: str, name: str) -> str:
    """The same server and role, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _take_slot() -> tuple[int, IO[str]]:
    """The first number that no other test process of this checkout uses now, and the lock that keeps it ours.

    Two runs at once must not share a database, and a run that was killed must not leave its databases behind for ever:
    its numbers are free again, and whoever takes them makes the databases anew.
    """
    for number in range(30):
        file = (state.prepare() / f"tests-{number}.lock").open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        return number, file
    raise RuntimeError("Thirty test processes of this checkout run already.")


SLOT, _SLOT_LOCK = _take_slot()
"""This process's number among those that test this checkout now; part of the name of every database it makes."""


@dataclass(frozen=True)
class Clone:
    """A worker's own copy of the migrated database."""

    name: str
    owner_url: str

    def _anew(self, *statements: sql.Composed) -> None:
        """Drop the copy, and execute statements."""
        with psycopg.connect(with_database(self.owner_url, "crossing"), autocommit=True) as connection:
            drop(connection, self.name)
            for statement in statements:
                connection.execute(statement)

    def create(self, *, template: str, durable: bool = True) -> None:
        """Make (or make again) the copy; sessions that linger in it are ended."""
        name = sql.Identifier(self.name)
        self._anew(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(template)),
            sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name),
            sql.SQL("GRANT CONNECT ON DATABASE {} TO crossing_app, crossing_backup").format(name),
            _waits_for_the_disk(self.name, durable),
        )

    def drop(self) -> None:
        """Remove the copy."""
        self._anew()


def _waits_for_the_disk(name: str, durable: bool) -> sql.Composed:
    """The statement by which every session in a database waits for its commits, or does not."""
    value = sql.SQL("on" if durable else "off")
    return sql.SQL("ALTER DATABASE {} SET synchronous_commit = {}").format(sql.Identifier(name), value)


def drop(connection: psycopg.Connection, name: str) -> None:
    """Remove a database, ending whatever sessions linger in it."""
    try:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    except errors.InsufficientPrivilege:
        # A session of the superuser is about to end, and the owner may not end it: the server waits for it.
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def ensure_template(*, owner_url: str) -> str:
    """The name of the migrated template, built by the owner if this schema has none yet."""
    name = f"{PREFIX}{schema.digest(tenancy_key=os.environ['TENANCY_KEY'])}"
    with (
        state.locked("template"),
        psycopg.connect(with_database(owner_url, "crossing"), autocommit=True) as connection,
    ):
        newest_first = "SELECT datname FROM pg_database WHERE datname LIKE 'crossing_template_%%' ORDER BY oid DESC"
        existing = [row[0] for row in connection.execute(newest_first)]
        if name in existing:
            return name
        for stale in existing[KEPT_TEMPLATES:]:
            drop(connection, stale)
        draft = f"crossing_draft_{name.removeprefix(PREFIX)}"
        drop(connection, draft)
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(draft)))
        migrate(owner_url=with_database(owner_url, draft))
        connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, (draft, name))))
    return name


def migrate(*, owner_url: str) -> None:
    """Run the migrations as the owner, in a process of its own: this one is the app role's."""
    ran = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0", "--no-input"],
        cwd=state.CHECKOUT,
        env={**os.environ, "DATABASE_OWNER_URL": owner_url, "CROSSING_DATABASE_ROLE": "owner"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(f"The migrations failed:\n{ran.stdout}{ran.stderr}")


@dataclass(frozen=True)
class Platforms:
    """A pair of empty demo platforms for one worker, and the URLs of the roles that use them."""

    legacy_owner: str
    legacy_reader: str
    new_owner: str
    new_loader: str


@contextmanager
def platforms(*, kind: str = "test", durable: bool = False) -> Iterator[Platforms]:
    """Databases like `legacy` and `newplatform`, empty but for the grants, dropped afterwards; one pair per kind."""
    urls = development.environment()
    names = {"legacy": f"legacy_{kind}_{SLOT}", "newplatform": f"newplatform_{kind}_{SLOT}"}
    administration = with_database(urls["DEMO_LEGACY_OWNER_URL"], "legacy")

    def remove() -> None:
        with psycopg.connect(administration, autocommit=True) as connection:
            for name in names.values():
                drop(connection, name)

    remove()
    with psycopg.connect(administration, autocommit=True) as connection:
        for name in names.values():
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
            connection.execute(_waits_for_the_disk(name, durable))
    Postgres(Memory()).run_file(
        HERE / "demo_grants.sql",
        variables={"legacy_database": names["legacy"], "new_database": names["newplatform"]},
    )
    try:
        yield Platforms(
            legacy_owner=with_database(urls["DEMO_LEGACY_OWNER_URL"], names["legacy"]),
            legacy_reader=with_database(urls["LEGACY_DATABASE_URL"], names["legacy"]),
            new_owner=with_database(urls["DEMO_NEW_OWNER_URL"], names["newplatform"]),
            new_loader=with_database(urls["NEW_DATABASE_URL"], names["newplatform"]),
        )
    finally:
        remove()
