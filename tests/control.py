"""The superuser's eye, for control queries only: a test of isolation that sees nothing as superuser is blind."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings

from portal.house.postgres import SUPERUSER
from portal.house.state import Memory


@contextmanager
def superuser() -> Iterator["psycopg.Connection[Any]"]:
    """A superuser's connection to this test's database; it sees what was committed, whoever's it is."""
    memory = Memory()
    with psycopg.connect(
        host="127.0.0.1",
        port=memory.port("postgres"),
        user=SUPERUSER,
        password=memory.secret(SUPERUSER),
        dbname=settings.DATABASES["default"]["NAME"],
        autocommit=True,
    ) as connection:
        yield connection


def control(query: str, *params: object) -> list[tuple[Any, ...]]:
    """Return the rows of a query as the superuser sees them."""
    with superuser() as connection:
        return connection.execute(query, params).fetchall()
