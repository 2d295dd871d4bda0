"""What contract suites share."""

from contextlib import ExitStack
from functools import cache

import psycopg
import pytest

from tests import databases, mariadb
from tests.people import DDL_LEGACY, DDL_NEW


@pytest.fixture(scope="module")
def mariadb_server(tmp_path_factory):
    """What returns this module's MariaDB, started when it is first asked for."""
    with ExitStack() as stack:

        @cache
        def started():
            if mariadb.MISSING:
                pytest.skip(mariadb.WHY)
            return stack.enter_context(mariadb.server(tmp_path_factory.mktemp("m")))

        yield started


@pytest.fixture(scope="module")
def people_platforms():
    """Two platforms with the tables of `tests.people`."""
    with databases.platforms(kind="people") as pair:
        for url, ddl in ((pair.legacy_owner, DDL_LEGACY), (pair.new_owner, DDL_NEW)):
            with psycopg.connect(url) as connection:
                connection.execute(ddl)
        yield pair
