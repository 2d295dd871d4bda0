"""The tests themselves meet the database as production does: unprivileged, and each on its own clone."""

import psycopg
import pytest
from django.db import ProgrammingError, connection

from accounts.models import User


def role_facts() -> dict[str, bool]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
        return dict(zip(("role", "super", "bypass", "createdb"), cursor.fetchone(), strict=True))


def test_tests_connect_as_the_unprivileged_app_role(db):
    assert role_facts() == {"role": "crossing_app", "super": False, "bypass": False, "createdb": False}


def test_the_app_role_cannot_truncate(db):
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {User._meta.db_table} CASCADE")


@pytest.mark.parametrize("turn", [1, 2])
def test_commits_of_one_test_are_gone_in_the_next(committed_db, turn):
    assert not User.objects.exists()
    User.objects.create(email="left@behind.example")
    assert not connection.in_atomic_block


def test_demo_platforms_grant_what_crossing_is_given_and_no_more(platforms):
    with psycopg.connect(platforms.legacy_owner, autocommit=True) as owner:
        owner.execute("CREATE TABLE flight (id int)")
    with psycopg.connect(platforms.legacy_reader) as reader:
        assert reader.execute("SELECT count(*) FROM flight").fetchone() == (0,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            reader.execute("INSERT INTO flight VALUES (1)")
    with psycopg.connect(platforms.new_loader) as loader:
        loader.execute("CREATE TABLE crossing_stage.row (id int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            loader.execute("CREATE TABLE public.mine (id int)")
