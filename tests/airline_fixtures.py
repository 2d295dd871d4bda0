"""Fixtures for tests that move real rows; `tests/conftest.py` takes them in."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests import airline, databases
from tests.databases import Platforms


@pytest.fixture(scope="session")
def airline_platforms() -> Iterator[Platforms]:
    """One pair of platforms with their schemas for the whole session: making one takes seconds, emptying it none."""
    with databases.platforms(kind="airline") as made:
        airline.create(made)
        yield made


@pytest.fixture
def airline_world(airline_platforms: Platforms, settings: Settings) -> Platforms:
    """A small airline in legacy, an empty new platform, and the ports' real adapters between them."""
    airline.refill(airline_platforms)
    airline.use(airline_platforms, settings)
    settings.QUEUE_RINGS = False
    return airline_platforms
