"""The API held to its own description by schemathesis: right and wrong requests to every endpoint.

It calls the WSGI application in this process with a token of every scope, in one world whose every change is taken back
after a test; `test_api_at_length` does the same on a database that really commits, in sequences and with more examples.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from tests.described import OPERATIONS, Described, describe
from tests.worlds import World

FEW = 3


@pytest.fixture
def described(standing_world: World, db: None, settings: Any) -> Iterator[Described]:
    settings.API_QUOTA = 10**9
    # As Django's own client does: what a test did is taken back on the connection that did it.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield describe(standing_world)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


READING = [label for label in OPERATIONS if label.startswith("GET")]


def test_endpoints_that_only_read_do_as_they_are_described(described: Described) -> None:
    for label in READING:
        described.hold(label, examples=FEW)


@pytest.mark.parametrize("label", [label for label in OPERATIONS if label not in READING])
def test_an_endpoint_does_as_it_is_described(described: Described, label: str) -> None:
    described.hold(label, examples=FEW)
