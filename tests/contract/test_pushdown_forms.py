"""What both databases can digest alike, in which form, and what keeps them from it."""

import pytest

from backfills.domain import spec as specs
from parity_reports.domain.gate import passage
from portal.adapters.comparison import forms
from portal.adapters.comparison.forms import Server, obstacle
from tests import things

GATE = {
    "id": "bigint", "name": "text", "quantity": "integer", "fee": "numeric(12,2)", "active": "boolean",
    "on_day": "date", "begins_at": "timestamp with time zone", "reference": "uuid", "nothing": "text",
}  # fmt: skip
NOW = Server(180000, "UTF8")


def why_not(*, legacy=NOW, new=NOW, spec=None, **changed):
    return obstacle(
        spec or things.SPECS["things"],
        {column: passage(kind) for column, kind in (GATE | changed).items()},
        legacy=legacy,
        new=new,
    )


def test_what_keeps_servers_from_digesting_is_said_in_words():
    assert why_not() == ""
    assert "UTF-8" in why_not(legacy=Server(180000, "LATIN1"))
    assert "PostgreSQL 14" in why_not(new=Server(130012, "UTF8"))
    assert "PostgreSQL 16" in why_not(legacy=Server(150004, "UTF8"))
    assert "“fee”" in why_not(fee="double precision")
    assert "“begins at”" in why_not(begins_at="timestamp without time zone")
    assert "“name”" in why_not(name="jsonb")
    assert "key" in why_not(id="numeric(12,0)")
    wide = specs.load(things.THINGS.replace("decimal(fee) * 100", "decimal(fee) * decimal(qty)"))
    assert "digits" in why_not(spec=wide)


@pytest.mark.parametrize(
    ("kind", "fast"),
    [("text", True), ("character varying(9)", True), ("character(9)", False), ("mood", False), ("text[]", False),
     ("money", False), ("bit varying", False), ("interval", False), ("uuid", True)],
)  # fmt: skip
def test_only_a_closed_list_of_types_is_hashed_by_the_server(kind, fast):
    gate = {column: passage(declared) for column, declared in (GATE | {"name": kind, "fee": "numeric"}).items()}
    found = forms.forms(things.SPECS["things"], gate)
    assert found["name"].fast is fast
    assert not found["fee"].fast
