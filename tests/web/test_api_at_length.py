"""The API held to its own description, as in `test_api_schema`: in sequences, and at length."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections

from tests import worlds
from tests.conftest import CLONE
from tests.described import OPERATIONS, Described, describe
from tests.fakes.dns import FakeDns

MANY = 100


@pytest.fixture
def described(committed_db: None, monkeypatch: pytest.MonkeyPatch, fake_dns: type[FakeDns], settings: Any) -> Described:
    settings.API_QUOTA = 10**9
    return describe(worlds.build(monkeypatch, fake_dns))


@pytest.mark.slow
@pytest.mark.parametrize("label", OPERATIONS)
def test_an_endpoint_does_as_it_is_described_at_length(described: Described, label: str) -> None:
    described.hold(label, examples=MANY)


def test_sequences_of_requests_do_as_they_are_described(described: Described) -> None:
    described.hold_sequences(examples=8, steps=6)


@pytest.fixture
def anew(described: Described) -> Iterator[Callable[[], None]]:
    """What puts the database back to what it was when the test began."""
    kept = replace(CLONE, name=f"{CLONE.name}_kept")
    connections.close_all()
    kept.create(template=CLONE.name)

    def begin() -> None:
        connections.close_all()
        CLONE.create(template=kept.name)

    yield begin
    connections.close_all()
    kept.drop()


@pytest.mark.slow
def test_long_sequences_of_requests_do_as_they_are_described(described: Described, anew: Callable[[], None]) -> None:
    described.hold_sequences(examples=80, steps=10, begin=anew)
