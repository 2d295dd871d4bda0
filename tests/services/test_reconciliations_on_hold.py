"""Reconciliations of an account on which a legal hold stands, and such that no job works on any more."""

from datetime import timedelta

import pytest

from core import holds
from core.models import Hold
from parity_reports.models import ReconciliationItem
from parity_reports.services import reconciliations, repairs
from tests import make
from tests.services.test_reconciliations import act, carry_out, drifting, lead, other, preview

__all__ = ["drifting", "lead", "other"]
pytestmark = pytest.mark.django_db


def hold(drifting):
    with make.arranging():
        return Hold.objects.create(
            tenant_id=drifting.tenant_id, kind=holds.LEGAL_HOLD, reason="Litigation", placed_at=drifting.at(),
            placed_by=make.SYSTEM.known_id, expires_at=drifting.at() + timedelta(days=300),
        )  # fmt: skip


def test_under_a_legal_hold_a_preview_leaves_what_would_be_removed_and_says_why(drifting, lead):
    drifting.crossing.legacy.pop(0)
    drifting.look()
    hold(drifting)
    with pytest.raises(reconciliations.UnableToReconcile, match="1 object stays that would go"):
        preview(drifting, lead)
    drifting.legacy(2, fee="9")
    drifting.look()
    row = preview(drifting, lead)
    with make.arranging():
        assert [item.drift.kind for item in row.items.select_related("drift")] == ["different"]
    assert "1 object stays that would go" in row.aside
    row = act(drifting, reconciliations.confirm, row, lead)
    assert carry_out(drifting, row) == ["written"]
    assert [person["id"] for person in drifting.crossing.new] == [1, 2, 3]


def test_a_hold_that_was_placed_after_the_preview_counts_and_keeps_former_states(drifting, lead, other):
    drifting.crossing.legacy.pop(0)
    drifting.legacy(2, fee="9")
    drifting.look()
    row = act(drifting, reconciliations.confirm, preview(drifting, lead), lead)
    placed = hold(drifting)
    row = act(drifting, reconciliations.approve, row, other)
    assert carry_out(drifting, row) == ["held", "written"]
    assert [person["id"] for person in drifting.crossing.new] == [1, 2, 3]
    with make.arranging():
        drifting.later += timedelta(days=8)
        repairs.forget(by=make.SYSTEM, at=drifting.at())
        assert ReconciliationItem.objects.filter(sealed_key="").count() == 0
        Hold.objects.filter(pk=placed.pk).update(ended_at=drifting.at(), ended_by=make.SYSTEM.id)
        repairs.forget(by=make.SYSTEM, at=drifting.at())
        assert ReconciliationItem.objects.exclude(sealed_key="").count() == 0
