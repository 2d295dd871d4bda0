"""A mover to kill, for a real worker: `celery --app=portal.celery worker --include=tests.stopping`.

It is the real one, and stops where the barrier's variable says: `inside:3` in the transaction of the third batch,
all of it written, nothing committed; `after:3` when the third is committed and nobody has heard of it.
"""

import os
import socket
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import psycopg
from django.conf import settings

from core.moving import LoadOrder, RunPosition, SourceRows
from core.ports import Committing
from portal.adapters.newplatform import PostgresMover

BARRIER, WHERE = "CROSSING_TEST_BARRIER", "CROSSING_TEST_STOP"


class StoppingMover(PostgresMover):
    """Stops at the barrier and waits for a word that never comes."""

    def load(
        self,
        *,
        order: LoadOrder,
        read: Callable[[str | None, str | None], SourceRows],
        after_batch: int = 0,
        committing: Committing = nullcontext,
    ) -> RunPosition:
        """Load a batch; stop after the one that is asked for."""
        position = super().load(order=order, read=read, after_batch=after_batch, committing=committing)
        _stop_at("after", order.entity, position.batches[-1].number if position.batches else 0)
        return position

    def _apply(self, connection: psycopg.Connection, order: LoadOrder, rows: SourceRows, **more: Any) -> int:
        number = super()._apply(connection, order, rows, **more)
        _stop_at("inside", order.entity, number)
        return number


def _stop_at(place: str, entity: str, number: int) -> None:
    if os.environ.get(WHERE) == f"{place}:{number}" and entity == "flights":
        with socket.create_connection(("127.0.0.1", int(os.environ[BARRIER]))) as connection:
            connection.sendall(b"here")
            connection.recv(1)


if WHERE in os.environ:
    settings.ADAPTERS["mover"] = {**settings.ADAPTERS["mover"], "BACKEND": f"{__name__}.StoppingMover"}
