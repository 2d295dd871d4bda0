"""Handing out what a legal hold preserved: who may, with a reason, and in a file that tells when it was cut off."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from accounts.models import Tenant
from compliance.queries import preservation as queries
from compliance.services import preservation
from core import ports, tenancy
from core.actor import Actor
from core.errors import PermissionRefused
from core.models import LedgerEntry
from core.moving import Preserved
from core.permissions import StaffRole
from tests import make

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
LAWYER = Actor.staff(user_id=uuid4(), name="Lea Law", roles=frozenset({StaffRole.LEGAL_PRIVACY_LEAD}))
pytestmark = pytest.mark.usefixtures("db")


class Keeper:
    """A new platform on which two copies lie, or none."""

    def __init__(self, *images: str, problem: Exception | None = None) -> None:
        self.images, self.problem = images, problem

    def staged(self, *, account_id: UUID) -> dict[str, int]:
        if self.problem:
            raise self.problem
        return {"preserved": len(self.images), "held": 3}

    def preserved(self, *, account_id: UUID) -> list[Preserved]:
        return [Preserved("flights", str(n), uuid4(), AT, image) for n, image in enumerate(self.images)]


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant("Zebra Air")


def export(tenant: Tenant, keeper: Keeper, monkeypatch: pytest.MonkeyPatch, **different: object) -> list[bytes]:
    monkeypatch.setattr(ports, "mover", lambda: keeper)
    asked = {"reason": "Matter 1", "by": LAWYER, "at": AT, **different}
    with tenancy.scope(tenant_id=tenant.pk):
        return list(preservation.export(tenant_id=tenant.pk, **asked))  # type: ignore[arg-type]


def test_the_file_tells_how_many_copies_came(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [json.loads(line) for line in export(tenant, Keeper('{"a": "ü"}', '{"a": 1}'), monkeypatch)]
    assert [line.get("object") for line in lines] == [None, {"a": "ü"}, {"a": 1}, None]
    assert (lines[0]["copies"], lines[-1]["copies"]) == (2, 2)
    with tenancy.scope(tenant_id=tenant.pk):
        assert LedgerEntry.objects.get(event="compliance.preserved.exported").data == {"copies": 2}
        assert queries.preserved(tenant_id=tenant.pk, at=AT) == queries.PreservedView(False, 2, 3)


@pytest.mark.parametrize(
    ("keeper", "reason", "said"),
    [
        (Keeper("{}"), "  ", "Say why"),
        (Keeper(), "Matter 1", "No copy is kept"),
        (Keeper("{}", problem=ports.Unavailable("away")), "Matter 1", "does not answer"),
        (Keeper("{}", problem=ports.Rejected("No new platform is configured.")), "Matter 1", "is configured"),
    ],
)
def test_nothing_is_handed_out_without_reason_copies_or_platform(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, keeper: Keeper, reason: str, said: str
) -> None:
    with pytest.raises(preservation.UnableToHandOut, match=said):
        export(tenant, keeper, monkeypatch, reason=reason)
    with tenancy.scope(tenant_id=tenant.pk):
        assert not LedgerEntry.objects.filter(event="compliance.preserved.exported").exists()
        assert (queries.preserved(tenant_id=tenant.pk, at=AT).copies is None) == (keeper.problem is not None)


def test_only_the_legal_lead_may(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Actor.staff(user_id=uuid4(), name="Sam", roles=frozenset({StaffRole.SRE_LEAD}))
    with pytest.raises(PermissionRefused):
        export(tenant, Keeper("{}"), monkeypatch, by=other)
