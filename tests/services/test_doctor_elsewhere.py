"""The doctor says what a legacy platform that is no PostgreSQL lacks of what the mapping names."""

import pytest

from portal.adapters.comparison.platforms import files
from portal.doctor import examine, platforms
from tests import mariadb

SPEC = """\
format: crossing-mapping/1
entity: shades
version: 1
title: Shades
source:
  system: legacy
  table: shades
  tenant: owner
  key: {column: line, of: {colour: text, at: bigint}}
  changed: {column: upd, type: timestamp}
  columns: {colour: {named: Colour, class: public}, at: {class: public}}
target: {table: platform.doctored, tenant: account_id, key: code}
columns:
  code: {is: line, type: text, required: true, class: public}
"""
WELL = 'owner,Colour,at,upd\nZZ,"red, dark",1,2026-11-26 08:00:00\n'


@pytest.fixture
def wrong(tmp_path, settings, monkeypatch):
    """What returns all that is wrong with legacy at an address."""
    monkeypatch.setattr(files, "_SETTLED", 0)
    (tmp_path / "mapping").mkdir()
    (tmp_path / "mapping" / "shades.yaml").write_text(SPEC, encoding="utf-8")
    settings.MAPPING_FOLDER = str(tmp_path / "mapping")

    def found(address):
        settings.ADAPTERS = {
            **settings.ADAPTERS,
            "legacy": {**settings.ADAPTERS["legacy"], "OPTIONS": {"url": address}},
        }
        return [symptom.fix for symptom in examine(platforms.legacy) if not symptom.is_well]

    return found


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (WELL, None),
        (WELL.replace("Colour", "Shade"), "The legacy platform's shades has no column Colour, which the mapping names"),
        (WELL.replace(",upd", ",later"), "has no column upd"),
        (WELL.replace('"red, dark"', "red, dark"), "line 2 has 5 fields where the header names 4"),
        (None, "The legacy platform has no file shades.csv; put it there and try again."),
    ],
)
def test_a_file_is_looked_through_to_its_end(wrong, tmp_path, content, told):
    if content:
        (tmp_path / "shades.csv").write_text(content, encoding="utf-8")
    fixes = wrong(f"csv://{tmp_path}")
    assert (len(fixes), all(told and told in fix for fix in fixes)) == (0 if told is None else 1, True)


@pytest.mark.slow
@pytest.mark.skipif(mariadb.MISSING, reason=mariadb.WHY)
def test_a_server_is_asked_for_its_columns_and_for_what_our_role_may(wrong, tmp_path):
    with mariadb.server(tmp_path) as server:
        server.run("CREATE TABLE shades (owner varchar(9), Colour varchar(9), at int, upd datetime);")
        assert wrong(server.address) == []
        server.run("ALTER TABLE shades MODIFY upd timestamp NULL;")
        server.run("GRANT SELECT, INSERT, DROP ON legacy.* TO reader@'127.0.0.1';")
        changed, excess = wrong(server.address)
        assert "shades is timestamp, which says no timestamp exactly; a mapping calls it timestamptz" in changed
        assert excess == "it may also DROP, INSERT: revoke that, Crossing only reads legacy"
        assert (
            wrong(server.address.replace(str(server.port), "1"))[0] == "The legacy platform's database does not answer."
        )
