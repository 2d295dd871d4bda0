"""The doctor finds what is wrong, names the fix, and is not felled by it."""

import psycopg
import pytest
from django.core.management import CommandError, call_command

from portal.doctor import Symptom, database, examine, machine
from tests import databases


def as_owner(statement: str) -> None:
    import os

    from django.db import connection

    name = connection.settings_dict["NAME"]
    with psycopg.connect(databases.with_database(os.environ["DATABASE_OWNER_URL"], name), autocommit=True) as owner:
        owner.execute(statement)


def wrong(examination) -> list[Symptom]:
    return [symptom for symptom in examine(examination) if not symptom.is_well]


@pytest.mark.parametrize("examination", [database.server, database.roles, database.row_security, database.migrations])
def test_the_database_of_the_tests_is_well(db, examination):
    found = list(examine(examination))
    assert found
    assert [symptom for symptom in found if not symptom.is_well] == []


@pytest.mark.parametrize("change", ["NO FORCE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY"])
def test_a_table_whose_row_security_was_lifted_is_named(committed_db, change):
    as_owner(f"ALTER TABLE accounts_member {change}")
    (symptom,) = wrong(database.row_security)
    assert "accounts_member" in symptom.fix


def test_a_migration_that_waits_is_named(committed_db):
    as_owner("DELETE FROM django_migrations WHERE app = 'cutover'")
    (symptom,) = wrong(database.migrations)
    assert "cutover.0001_initial" in symptom.fix
    assert "manage.py migrate" in symptom.fix


def test_a_database_that_does_not_know_our_key_is_noticed(committed_db):
    as_owner("DELETE FROM crossing_private.tenancy_key")
    (symptom,) = wrong(database.row_security)
    assert "TENANCY_KEY" in symptom.what


def test_packages_are_compared_with_the_lock(monkeypatch):
    monkeypatch.setattr(machine, "version", lambda name: "0.0.1")
    (symptom,) = wrong(machine.python)
    assert "0.0.1 instead of" in symptom.fix


def test_an_evicting_broker_is_noticed(monkeypatch):
    client = machine.app.connection_for_read().default_channel.client
    before = client.config_get("maxmemory-policy")["maxmemory-policy"]
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        (symptom,) = wrong(machine.broker)
        assert "noeviction" in symptom.fix
    finally:
        client.config_set("maxmemory-policy", before)


def test_unsafe_settings_are_found_where_they_matter(settings):
    settings.DEMO = settings.TESTS = False
    (symptom,) = wrong(machine.configuration)
    assert "PUBLIC_URL must be https" in symptom.fix
    assert "EMAIL_URL" in symptom.fix


def test_production_without_a_wal_receiver_is_told(db, settings):
    settings.DEMO = settings.TESTS = False
    assert any("pg_receivewal" in symptom.fix for symptom in wrong(database.backups))


def test_an_examination_that_breaks_is_a_symptom_and_the_others_go_on():
    def broken():
        """The broken part."""
        raise ConnectionError("refused\nsecond line")
        yield

    def sound():
        yield Symptom("sound")

    assert [(symptom.what, symptom.fix) for symptom in examine(broken, sound)] == [
        ("The broken part could not be looked at", "ConnectionError: refused"),
        ("sound", ""),
    ]


def test_the_command_fails_when_something_needs_mending(db, monkeypatch, capsys):
    monkeypatch.setattr(
        "portal.management.commands.doctor.EXAMINATIONS", (lambda: iter([Symptom("disk", "free some")]),)
    )
    with pytest.raises(CommandError, match="1 thing needs mending"):
        call_command("doctor")
    assert "MEND disk: free some" in capsys.readouterr().out
