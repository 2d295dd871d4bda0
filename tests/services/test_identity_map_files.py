"""Many decisions by one file: all of its lines or none, each wrong one named; and what was downloaded can come back."""

import csv
import io
from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.domain.identity_map import sheets
from accounts.models import PersonDecision
from accounts.services.identity_map import bulk, decisions
from accounts.services.identity_map.bulk import FlawedFile
from core import tenancy
from core.models import LedgerEntry
from core.people import Person
from core.sheets import csv_response
from tests.fakes.people import FakePeople
from tests.mapped import SIX, THERE, Airline, make_airline, person, prove

pytestmark = pytest.mark.django_db


@pytest.fixture
def airline(settings: Settings) -> Iterator[Airline]:
    settings.ADAPTERS = {**settings.ADAPTERS, "people": {"BACKEND": "tests.fakes.people.FakePeople"}}
    settings.QUEUE_RINGS = False
    FakePeople.reset()
    made = make_airline()
    with tenancy.scope(tenant_id=made.id):
        prove(made, "zz.example")
        made.tell([*SIX, person("=7", "=cmd()")], [*THERE, person("-9", "other")])
        made.map()
        yield made
    FakePeople.reset()


def download(airline: Airline) -> list[dict[str, str]]:
    rows = bulk.rows(tenant_id=airline.id, by=airline.by, at=timezone.now())
    response = csv_response(name="people.csv", header=sheets.HEADER, rows=rows)
    text = b"".join(response).decode("utf-8-sig")  # type: ignore[arg-type]  # a streamed body of bytes
    return list(csv.DictReader(io.StringIO(text)))


def filled(airline: Airline, **said: tuple[str, str]) -> bytes:
    """Return a download with decisions in it; `k3=("map", "n3")` is about the person with the key 3."""
    out = io.StringIO()
    writer = csv.DictWriter(out, sheets.HEADER)
    writer.writeheader()
    for row in download(airline):
        decision, target = said.get("k" + row["legacy_key"].lstrip("'="), ("", ""))
        writer.writerow({**row, "decision": decision, "target": target})
    return out.getvalue().encode()


def upload(airline: Airline, content: bytes) -> PersonDecision:
    return bulk.upload(tenant_id=airline.id, content=content, reason="The list", by=airline.by, at=timezone.now())


def test_a_file_is_one_decision_that_is_undone_as_one(airline: Airline) -> None:
    before = airline.states()
    said = {
        "k2": ("accept", ""),
        "k3": ("split", "n3|n4"),
        "k5": ("merge", "4"),
        "k6": ("Drop", ""),
        "k7": ("map", "'-9"),
    }
    made = upload(airline, filled(airline, **said))
    assert (made.kind, made.state) == ("bulk", "standing")
    assert {key: judged[0] for key, judged in airline.judged().items()} == {
        "1": "mapped", "2": "mapped", "3": "split", "4": "placeholder", "5": "merged", "6": "dropped", "=7": "mapped",
    }  # fmt: skip
    decisions.undo(decision=made, by=airline.by, at=timezone.now())
    assert airline.states() == before


def test_nothing_of_a_file_is_done_while_a_line_is_wrong(airline: Airline) -> None:
    before = airline.states()
    content = filled(
        airline,
        k1=("map", "nobody"),
        k2=("accept", ""),
        k3=("accept", ""),
        k4=("map", "n3"),
        k5=("merge", "9"),
        k6=("map", "n3"),
    )
    with pytest.raises(FlawedFile) as refused:
        upload(airline, content)
    wrong = {flaw.line: flaw.message for flaw in refused.value.flaws}
    assert wrong == {
        2: "The new platform has nobody with the key “nobody”.",
        6: "Legacy has nobody with the key “9”.",
    }
    content = filled(airline, k3=("accept", ""), k4=("map", "n3"), k6=("map", "n3"))
    with pytest.raises(FlawedFile) as refused:
        upload(airline, content)
    assert [(flaw.line, flaw.message) for flaw in refused.value.flaws] == [
        (4, "There is no proposal to confirm."),
        (7, "Another line maps somebody to the same person."),
    ]
    assert airline.states() == before
    assert not PersonDecision.objects.filter(tenant_id=airline.id).exists()


def test_a_file_that_cannot_be_read_at_all_is_not_called_a_line(airline: Airline) -> None:
    with pytest.raises(bulk.FlawedFile, match="The file cannot be carried out"):
        upload(airline, b"name,role")


def test_a_file_of_yesterday_overwrites_nothing_of_today(airline: Airline) -> None:
    old = filled(airline, k3=("apart", ""))
    airline.decide("3", decisions.Kind.MAP, "n3")
    with pytest.raises(FlawedFile, match="1 line of the file"):
        upload(airline, old)
    assert airline.judged()["3"] == ("mapped", "decided", "n3")


def test_a_file_about_another_tenants_person_names_nobody(airline: Airline) -> None:
    content = filled(airline, k3=("apart", ""))
    other = make_airline()
    with tenancy.empty_scope(), tenancy.scope(tenant_id=other.id):
        other.tell([Person("1", user_name="x")], [])
        other.map()
        with pytest.raises(FlawedFile) as refused:
            upload(other, content)
    assert refused.value.flaws[0].message == "There is nobody with this id."


def test_a_formula_is_defused_and_the_download_is_in_the_ledger(airline: Airline) -> None:
    row = next(row for row in download(airline) if row["legacy_key"].endswith("=7"))
    assert (row["legacy_key"], row["user_name"]) == ("'=7", "'=cmd()")
    assert LedgerEntry.objects.filter(chain=airline.id, event="accounts.people.downloaded").exists()
