"""The API held to its own description, as in `test_api_schema`: in sequences, and at length."""

from typing import Any

import pytest

from tests import worlds
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


@pytest.mark.slow
def test_long_sequences_of_requests_do_as_they_are_described(described: Described) -> None:
    described.hold_sequences(examples=80, steps=10)
