"""A rejected row is shown to the data lead alone, who says why, and its copy goes in time; both stand in the ledger."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse

from backfills.models import DeadLetter, Run
from backfills.services import letters
from core import ports, sealing, tenancy
from core.errors import PermissionRefused
from core.models import LedgerEntry
from core.permissions import StaffRole
from tests import holding, make
from tests.fakes.platforms import FakeMover

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
ROW = '{"tail_no": "N3AAAA", "note": null, "mark": "<b>ü</b>"}'
pytestmark = pytest.mark.django_db


@pytest.fixture
def letter() -> Iterator[DeadLetter]:
    tenant = make.tenant("Zebra Air")
    with tenancy.scope(tenant_id=tenant.pk):
        run = Run.objects.create(
            tenant=tenant, entity="flights", state="succeeded", spec="flights 1", source_total=1, requested_at=AT,
            finished_at=AT,
        )  # fmt: skip
        yield DeadLetter.objects.create(
            tenant=tenant, run=run, entity="flights", source_key="7", rule="fleet_number_for_registration",
            column="tail_no", spec=run.spec, first_at=AT, last_at=AT, payload=sealing.seal(ROW).encode(),
        )  # fmt: skip


def show(letter: DeadLetter, *, role: StaffRole = StaffRole.DATA_LEAD, reason: str = "Case 7") -> Any:
    return letters.show(letter=letter, reason=reason, by=make.staff_actor(make.staff(role)), at=AT)


def test_it_comes_as_legacy_had_it_and_the_ledger_tells_who_looked(letter: DeadLetter) -> None:
    assert show(letter) == {"tail_no": "N3AAAA", "note": None, "mark": "<b>ü</b>"}
    entry = LedgerEntry.objects.get(event="backfills.row.shown")
    assert entry.data == {"entity": "flights", "rule": "fleet_number_for_registration"}
    assert (entry.subject_type, entry.subject_id) == ("backfills.deadletter", str(letter.pk))


@pytest.mark.parametrize("role", [role for role in StaffRole if role is not StaffRole.DATA_LEAD])
def test_nobody_else_sees_it(letter: DeadLetter, role: StaffRole) -> None:
    with pytest.raises(PermissionRefused):
        show(letter, role=role)


@pytest.mark.parametrize(
    ("payload", "reason", "said"),
    [
        (sealing.seal(ROW).encode(), " ", "Say why"),
        (b"", "Case 7", "No copy of this row is kept"),
        (b"sealed by another key", "Case 7", "cannot be read"),
    ],
)
def test_nothing_is_shown_without_a_reason_a_copy_or_its_key(
    letter: DeadLetter, payload: bytes, reason: str, said: str
) -> None:
    letter.payload = payload
    with pytest.raises(letters.UnableToShow, match=said):
        show(letter, reason=reason)
    assert not LedgerEntry.objects.filter(event="backfills.row.shown").exists()


def test_the_page_asks_why_and_shows_it_once(letter: DeadLetter, client: Client) -> None:
    url = reverse("staff_backfills:letter", args=[letter.pk])
    with tenancy.empty_scope():
        client.force_login(make.staff(StaffRole.AUDITOR))
        assert "The data lead may look at it." in client.get(url).text
        assert client.post(url, {"reason": "Case 7"}).status_code == 403
        client.force_login(make.staff(StaffRole.DATA_LEAD))
        assert client.post(url, {"reason": ""}).status_code == 422
        shown = client.post(url, {"reason": "Case 7"})
        assert "&lt;b&gt;ü&lt;/b&gt;" in shown.text
        assert "no-store" in shown["Cache-Control"]
        assert "N3AAAA" not in client.get(url).text


class Emptied(FakeMover):
    """A new platform that says of which accounts copies went."""

    accounts: ClassVar[list[UUID]] = []

    def empty_letters(self, *, account_id: UUID, before: datetime, committing: Any = nullcontext) -> int:
        with committing():
            self.accounts.append(account_id)
        return 1


@pytest.fixture
def emptied(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The accounts whose copies went from the new platform."""
    monkeypatch.setattr(Emptied, "accounts", [])
    monkeypatch.setattr(ports, "mover", Emptied)
    return Emptied.accounts


def expire(*, days: int) -> int:
    with tenancy.empty_scope(), make.arranging():
        return letters.expire(by=make.SYSTEM, at=AT + timedelta(days=days))


def test_a_copy_goes_30_days_after_its_row_was_judged_last_and_the_ledger_tells_of_it(
    letter: DeadLetter, emptied: list[UUID]
) -> None:
    assert (expire(days=30), emptied) == (0, [])
    assert (expire(days=31), emptied) == (1, [letter.tenant_id])
    letter.refresh_from_db()
    assert (bytes(letter.payload), letter.state, letter.rule) == (b"", "open", "fleet_number_for_registration")
    assert LedgerEntry.objects.get(event="backfills.copies.expired").data == {"rows": 1}
    assert expire(days=32) == 0
    with pytest.raises(letters.UnableToShow, match="No copy"):
        show(letter)


def test_under_a_legal_hold_also_one_that_is_placed_meanwhile_copies_stay(
    letter: DeadLetter, emptied: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as meanwhile:
        holding.overtake(meanwhile, QuerySet, "update", letter.tenant_id)
        assert expire(days=31) == 0
    emptied.clear()
    holding.place(letter.tenant_id, at=AT)
    assert (expire(days=31), emptied) == (0, [])
    letter.refresh_from_db()
    assert letter.payload
