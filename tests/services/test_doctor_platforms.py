"""The doctor says what both platforms lack of what the mapping names, before a run meets it."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.core import management
from pytest_django import Settings

from backfills.queries import mapping
from portal.doctor import Symptom, examine, platforms
from portal.management.commands import doctor
from tests.databases import Platforms

SPEC = """\
format: crossing-mapping/1
entity: shades
version: 1
title: Shades
batch: 100
source:
  system: legacy
  table: Old Shades
  tenant: Owner
  key: {column: line, of: {colour: text, at: bigint}}
  changed: {column: upd, type: timestamptz}
  columns:
    colour: {named: Colour, class: public}
    at: {class: public}
target: {table: platform.doctored, tenant: account_id, key: code}
columns:
  code: {is: line, type: text, required: true, class: public}
  at: {is: int(at), type: smallint, class: public}
"""
LEGACY = """
DROP TABLE IF EXISTS "Old Shades" CASCADE;
CREATE TABLE "Old Shades" (
    "Owner" text, "Colour" varchar(9) NOT NULL, at int NOT NULL, upd timestamptz(3), PRIMARY KEY ("Colour", at)
);
CREATE INDEX in_order ON "Old Shades" ("Owner", "Colour" COLLATE "C", at);
INSERT INTO "Old Shades" SELECT 'ZZ', 'red', n FROM generate_series(1, 2000) n;
ANALYZE "Old Shades";
"""
NEW = """
DROP TABLE IF EXISTS platform.doctored;
CREATE TABLE platform.doctored (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id uuid NOT NULL, code text NOT NULL, at smallint,
    made timestamptz NOT NULL DEFAULT now(), UNIQUE (account_id, code)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.doctored TO new_loader;
"""

AS_IT_WAS = """
DROP INDEX IF EXISTS platform.former_index, platform.provenance_target, platform.provenance_account;
CREATE INDEX provenance_target ON platform.provenance (target_key, account_id, entity) WHERE target_key <> source_key;
CREATE INDEX provenance_account ON platform.provenance USING brin (account_id uuid_minmax_multi_ops);
"""


def run(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements.encode())


@pytest.fixture
def world(airline_world: Platforms, settings: Settings, tmp_path: Path) -> Iterator[Platforms]:
    (tmp_path / "shades.yaml").write_text(SPEC, encoding="utf-8")
    settings.MAPPING_FOLDER = str(tmp_path)
    run(airline_world.legacy_owner, LEGACY)
    run(airline_world.new_owner, NEW)
    yield airline_world
    run(airline_world.legacy_owner, 'DROP TABLE "Old Shades" CASCADE')
    run(airline_world.new_owner, "DROP TABLE platform.doctored")


def wrong() -> list[Symptom]:
    return [symptom for symptom in examine(platforms.legacy, platforms.new) if not symptom.is_well]


def test_the_command_looks_at_both() -> None:
    assert {platforms.legacy, platforms.new} <= set(doctor.EXAMINATIONS)
    assert management.get_commands()["doctor"] == "portal"


def test_platforms_that_fit_are_well(world: Platforms) -> None:
    assert wrong() == []


def test_a_server_that_cannot_judge_rows_is_told(world: Platforms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "OLDEST_NEW", 990_000)
    (found,) = wrong()
    assert "use 16 or newer there" in found.fix


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ('ALTER TABLE "Old Shades" RENAME at TO moment', "Old Shades has no at; it has Owner, Colour, moment"),
        ('ALTER TABLE "Old Shades" RENAME TO "Oldest"', "there is no table Old Shades"),
        ('REVOKE SELECT ON "Old Shades" FROM legacy_reader', "GRANT SELECT ON Old Shades TO our role"),
        ('GRANT UPDATE ON "Old Shades" TO legacy_reader', "it may also UPDATE: revoke that"),
        (
            """ALTER TABLE "Old Shades" ALTER at TYPE date USING '2024-01-31'::date + at""",
            "the key's at is date there: say `date` in the mapping",
        ),
        ('ALTER TABLE "Old Shades" DROP upd', "Old Shades has no upd; it has Owner, Colour, at"),
        ('ALTER TABLE "Old Shades" ALTER upd TYPE timestamp', "say `timestamp` in the mapping"),
        (
            'ALTER TABLE "Old Shades" ALTER upd TYPE date',
            "upd, which tells when a row changed, is date there",
        ),
        (
            "DROP INDEX in_order",
            'CREATE INDEX CONCURRENTLY ON "Old Shades" ("Owner", "Colour" COLLATE "C", "at")',
        ),
        (
            (
                'ALTER TABLE "Old Shades" DROP CONSTRAINT "Old Shades_pkey";'
                """ INSERT INTO "Old Shades" VALUES ('ZZ', 'red', 7)"""
            ),
            "a key is empty or stands twice for one customer",
        ),
    ],
)
def test_what_legacy_lacks_is_told(world: Platforms, change: str, told: str) -> None:
    run(world.legacy_owner, change)
    try:
        assert any(told in symptom.fix for symptom in wrong()), wrong()
    finally:
        run(world.legacy_owner, 'DROP TABLE IF EXISTS "Oldest"' if "Oldest" in change else "SELECT 1")
        run(world.legacy_owner, LEGACY)


@pytest.mark.slow
def test_what_catch_ups_do_not_see_is_told(world: Platforms, monkeypatch: pytest.MonkeyPatch) -> None:
    assert wrong() == []
    monkeypatch.setattr(platforms.PostgresLegacy, "blind_spot", lambda self, *, spec: "Nobody lets us see.")
    (told,) = wrong()
    assert told == Symptom("catch-ups see since when transactions of legacy are open", "Nobody lets us see.")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER TABLE platform.doctored DROP COLUMN at", "it has no column at"),
        ("ALTER TABLE platform.doctored ALTER at TYPE integer", "at is integer there, and smallint in the mapping"),
        ("ALTER TABLE platform.doctored ADD shape text NOT NULL", "nothing fills shape"),
        ("ALTER TABLE platform.doctored DROP CONSTRAINT doctored_account_id_code_key", "needs a primary or unique key"),
        ("REVOKE DELETE ON platform.doctored FROM new_loader", "GRANT DELETE ON platform.doctored TO our role"),
        (
            "CREATE INDEX former_index ON platform.provenance (account_id, entity, target_key)",
            "while no run moves: DROP INDEX CONCURRENTLY platform.former_index;",
        ),
        (
            (
                "DROP INDEX platform.provenance_target;"
                " CREATE INDEX former_index ON platform.provenance (account_id, entity, target_key)"
            ),
            "WHERE target_key <> source_key; DROP INDEX CONCURRENTLY platform.former_index;",
        ),
        ("DROP INDEX platform.provenance_target", "objects are found by reading all of it; while no run moves: CREATE"),
        ("DROP INDEX platform.provenance_account", "each catch-up reads the rows of all accounts; CREATE INDEX"),
    ],
)
def test_what_the_new_platform_lacks_is_told(world: Platforms, change: str, told: str) -> None:
    run(world.new_owner, change)
    try:
        assert any(told in symptom.fix for symptom in wrong()), wrong()
    finally:
        run(world.new_owner, AS_IT_WAS)


def test_a_mapping_that_cannot_be_read_is_told(world: Platforms, settings: Settings) -> None:
    (Path(settings.MAPPING_FOLDER) / "shades.yaml").write_text("format: none\n", encoding="utf-8")
    mapping._read.cache_clear()
    assert all("shades.yaml:1" in symptom.fix for symptom in wrong())
    mapping._read.cache_clear()
