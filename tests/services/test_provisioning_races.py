"""Calls of a directory at the very moment at which the trial ends: none is forgotten."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection

from accounts.services.provisioning import people
from core import queue
from tests.services.test_provisioning import Desk

pytestmark = [pytest.mark.usefixtures("committed_db"), pytest.mark.slow]


def test_a_call_that_found_the_trial_is_made_up_for_when_the_trial_ends_meanwhile(monkeypatch):
    desk = Desk()
    found, may_go_on, settle = Event(), Event(), people.settle

    def slowly(*args: Any, **more: Any) -> Any:
        if not found.is_set():
            found.set()
            may_go_on.wait(timeout=1)  # for as long as whoever ends the trial can go on without us
        return settle(*args, **more)

    monkeypatch.setattr(people, "settle", slowly)

    def in_thread(do: Any) -> None:
        try:
            do()
        finally:
            connection.close()

    def end_the_trial() -> None:
        desk.enable()
        may_go_on.set()

    with ThreadPoolExecutor(2) as pool:
        sent = pool.submit(in_thread, lambda: desk.user("ann", externalId="1"))
        assert found.wait(timeout=30)
        pool.submit(in_thread, end_the_trial).result()
        sent.result()
    queue.run_pending()
    assert desk.active() == {"owner": "owner", "ann": "member"}
