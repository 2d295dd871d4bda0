"""Each row of what SAML packages let pass: stopped, and not stopped once our measure is turned off."""

from pathlib import Path

import pytest

from tests.company import Company, found
from tests.measures import ITEMS, ROWS, Measure

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
ALL = {**ROWS, **ITEMS}


@pytest.fixture
def company() -> Company:
    return found()


@pytest.mark.parametrize("name", ALL)
def test_an_attack_is_stopped_by_our_measure_and_by_nothing_else(
    company: Company, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = ALL[name]
    measure.given(monkeypatch)
    assert not measure.attack(company), "it gets through"
    measure.off(monkeypatch)
    assert measure.attack(company), "without our measure it is stopped all the same, so this shows nothing"


@pytest.mark.parametrize("name", ALL)
def test_the_table_of_measures_says_so(settings, name: str) -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "adr" / "0012-strict-saml.md").read_text()
    row: Measure = ALL[name]
    assert f"| {name} | {row.closed_by} |" in page
