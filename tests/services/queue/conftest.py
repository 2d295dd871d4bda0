"""What every test of the queue stands on."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from accounts.models import Tenant
from core import tenancy
from core.queue import TASKS, bell
from tests import make


@pytest.fixture(autouse=True)
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register no task but this module's; the house's periodic ones stay away."""
    monkeypatch.setattr(TASKS, "_items", {})


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The jobs that were rung for; the bell itself has a test of its own."""
    heard: list[UUID] = []

    def send(*, job_id: UUID, tenant_id: UUID | None, task: str) -> bool:
        heard.append(job_id)
        return True

    monkeypatch.setattr(bell, "send", send)
    return heard


@pytest.fixture
def tenant(db: None) -> Iterator[Tenant]:
    """A tenant, with its scope open."""
    made = make.tenant()
    with tenancy.scope(tenant_id=made.id):
        yield made
