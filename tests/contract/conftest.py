"""What contract suites share."""

import psycopg
import pytest

from tests import databases
from tests.people import DDL_LEGACY, DDL_NEW


@pytest.fixture(scope="module")
def people_platforms():
    """Two platforms with the tables of `tests.people`."""
    with databases.platforms(kind="people") as pair:
        for url, ddl in ((pair.legacy_owner, DDL_LEGACY), (pair.new_owner, DDL_NEW)):
            with psycopg.connect(url) as connection:
                connection.execute(ddl)
        yield pair
