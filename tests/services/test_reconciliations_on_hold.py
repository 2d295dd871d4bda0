"""Reconciliations of an account on which a legal hold stands, and such that no job works on any more."""

from datetime import timedelta

import pytest

from core import ports, tenancy
from parity_reports.models import ReconciliationItem
from parity_reports.services import reconciliations, repairs
from tests import holding, make
from tests.fakes.reconciling import FakeReconciler
from tests.services.test_reconciliations import act, carry_out, drifting, lead, other, preview

__all__ = ["drifting", "lead", "other"]
pytestmark = pytest.mark.django_db


def hold(drifting):
    with make.arranging():
        return holding.place(drifting.tenant_id, at=drifting.at())


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
        holding.release(placed)
        repairs.forget(by=make.SYSTEM, at=drifting.at())
        assert ReconciliationItem.objects.exclude(sealed_key="").count() == 0


def begun(drifting, lead, other):
    """A reconciliation that removes an object and writes another."""
    drifting.crossing.legacy.pop(0)
    drifting.legacy(2, fee="9")
    drifting.look()
    row = act(drifting, reconciliations.confirm, preview(drifting, lead), lead)
    return act(drifting, reconciliations.approve, row, other)


def advance(drifting, row):
    with tenancy.scope(tenant_id=drifting.tenant_id):
        return repairs.advance(reconciliation_id=row.pk, by=make.SYSTEM, at=drifting.at())


def overtaken(monkeypatch, drifting, name):
    """Let a hold be placed once a batch has begun, and before it is committed."""
    change = getattr(FakeReconciler, name)

    def change_slowly(self, *given, **how):
        holding.place(drifting.tenant_id, at=drifting.at())
        return change(self, *given, **how)

    monkeypatch.setattr(FakeReconciler, name, change_slowly)


def test_a_hold_that_is_placed_while_a_repair_is_written_takes_it_back(drifting, lead, other, monkeypatch):
    row = begun(drifting, lead, other)
    with monkeypatch.context() as patched:
        overtaken(patched, drifting, "repair")
        with pytest.raises(ports.Unavailable, match="legal hold"):
            advance(drifting, row)
    assert [person["id"] for person in drifting.crossing.new] == [1, 2, 3], "it is taken back"
    assert carry_out(drifting, row) == ["held", "written"]


def test_a_hold_that_is_placed_while_an_undo_is_written_takes_it_back(drifting, lead, other, monkeypatch):
    drifting.delete_new(3)
    drifting.look()
    row = act(drifting, reconciliations.confirm, preview(drifting, lead), lead)
    row = act(drifting, reconciliations.approve, row, other)
    assert carry_out(drifting, row) == ["written"]
    row = act(drifting, reconciliations.undo, row, lead)
    with monkeypatch.context() as patched:
        overtaken(patched, drifting, "restore")
        with pytest.raises(ports.Unavailable, match="legal hold"):
            advance(drifting, row)
    assert carry_out(drifting, row) == ["held"]
    assert [person["id"] for person in drifting.crossing.new] == [1, 2, 3]


def test_a_hold_that_is_placed_while_former_states_go_keeps_them(drifting, lead, other, monkeypatch):
    row = begun(drifting, lead, other)
    carry_out(drifting, row)
    drifting.later += timedelta(days=8)
    with make.arranging(), monkeypatch.context() as patched:
        overtaken(patched, drifting, "forget")
        repairs.forget(by=make.SYSTEM, at=drifting.at())
        assert len(ports.reconciler().former) == 2
        assert ReconciliationItem.objects.filter(sealed_key="").count() == 0
