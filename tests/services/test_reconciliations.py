"""Reconciliations on a real database: previewed, agreed to, carried out, undone; and what must not happen."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from backfills.barriers import BARRIERS
from core import ports, queue, tenancy
from core.errors import PermissionRefused
from core.evidence import packs
from core.models.ledger import LedgerEntry
from core.permissions import StaffRole, TenantRole
from core.sealing import unseal
from parity_reports import evidence
from parity_reports.domain.drift import Cause
from parity_reports.domain.reconciliation import Strategy
from parity_reports.models import Drift, Reconciliation, ReconciliationItem
from parity_reports.services import batches, previews, reconciliations, repairs
from tests import make
from tests.drifting import Drifting, settle
from tests.people import PEOPLE

pytestmark = pytest.mark.django_db
SOURCE = {Cause.LATE_WRITE: Strategy.SOURCE, Cause.UNKNOWN: Strategy.SOURCE}
MERGE = dict.fromkeys(Cause, Strategy.MERGE)
TARGET = {Cause.LATE_WRITE: Strategy.TARGET, Cause.UNKNOWN: Strategy.TARGET}


def arranged(settings, tmp_path, text=PEOPLE) -> Drifting:
    made = settle(settings, tmp_path, text=text)
    new = {"clean.person": made.crossing.new, "clean.zone": made.crossing.engine.new["clean.zone"]}
    settings.ADAPTERS = {
        **settings.ADAPTERS,
        "reconciler": {"BACKEND": "tests.fakes.reconciling.FakeReconciler", "OPTIONS": {"new": new}},
    }
    return made


@pytest.fixture
def drifting(settings, tmp_path) -> Drifting:
    return arranged(settings, tmp_path)


@pytest.fixture
def merging(settings, tmp_path) -> Drifting:
    """Of people, the name stays as the new platform has it, and the greater fee counts."""
    text = PEOPLE.replace("type: text, class: internal}", "type: text, class: internal, on_drift: target}")
    text = text.replace('"numeric(12,2)", class: public}', '"numeric(12,2)", class: public, on_drift: greater}')
    return arranged(settings, tmp_path, text)


@pytest.fixture
def lead():
    return make.staff_actor(make.staff(StaffRole.DATA_LEAD))


@pytest.fixture
def other():
    return make.staff_actor(make.staff(StaffRole.TECHNICAL_LEAD))


def preview(drifting, by, strategies=SOURCE, **different):
    with make.arranging():
        return previews.make(
            tenant_id=drifting.tenant_id,
            entity="people",
            strategies=strategies,
            by=by,
            at=drifting.at(),
            **{
                "reason": "As agreed with the customer.",
                "accepted_until": drifting.at() + timedelta(days=30),
                **different,
            },
        )


def act(drifting, what, row, by):
    with make.arranging():
        return what(reconciliation_id=row.pk, by=by, at=drifting.at())


def carry_out(drifting, row):
    """Let the job run to its end, and what it asks for."""
    with tenancy.scope(tenant_id=drifting.tenant_id):
        while repairs.advance(reconciliation_id=row.pk, by=make.SYSTEM, at=drifting.at()):
            pass
    drifting.look()
    with make.arranging():
        row.refresh_from_db()
        return [item.undone or item.outcome for item in row.items.order_by("drift__key")]


def fees(drifting):
    return {row["id"]: str(row["fee"]) for row in drifting.crossing.new}


def test_legacy_wins_moves_the_rows_again_and_nothing_drifts_any_more(drifting, lead):
    drifting.legacy(2, fee="9")
    drifting.look()
    row = preview(drifting, lead)
    assert (row.state, row.second_person, fees(drifting)[2]) == ("previewed", "", "150.00"), "nothing is changed yet"
    row = act(drifting, reconciliations.confirm, row, lead)
    assert row.state == "running"
    assert carry_out(drifting, row) == ["written"]
    assert (row.state, fees(drifting)[2], drifting.standing().differing) == ("done", "900", 0)


@pytest.mark.slow
def test_it_runs_through_the_queue(drifting, lead):
    drifting.legacy(2, fee="9")
    drifting.look()
    act(drifting, reconciliations.confirm, preview(drifting, lead), lead)
    queue.run_pending()
    with make.arranging():
        assert Reconciliation.objects.get().state == "done"


def test_what_was_changed_can_be_undone_exactly_while_nobody_changed_it_since(drifting, lead):
    drifting.legacy(1, fee="8")
    drifting.legacy(2, fee="9")
    drifting.look()
    before = fees(drifting)
    row = act(drifting, reconciliations.confirm, preview(drifting, lead), lead)
    carry_out(drifting, row)
    drifting.new(1, fee=1)
    row = act(drifting, reconciliations.undo, row, lead)
    assert carry_out(drifting, row) == ["kept", "restored"]
    assert (row.state, fees(drifting)) == ("undone", {**before, 1: "1"})
    assert drifting.standing().differing == 2, "it drifts again"
    with pytest.raises(reconciliations.UnableToReconcile, match="undone already"):
        act(drifting, reconciliations.undo, row, lead)


def test_what_changed_since_the_preview_is_left_alone(drifting, lead):
    drifting.legacy(2, fee="9")
    drifting.look()
    row = preview(drifting, lead)
    drifting.new(2, fee=7)
    row = act(drifting, reconciliations.confirm, row, lead)
    assert carry_out(drifting, row) == ["kept"]
    assert fees(drifting)[2] == "7"


def test_the_new_platform_wins_for_a_time(drifting, lead):
    drifting.new(1, name="Bob")
    drifting.look()
    row = act(drifting, reconciliations.confirm, preview(drifting, lead, TARGET), lead)
    assert carry_out(drifting, row) == ["equal"]
    standing = drifting.standing()
    assert (standing.differing, standing.unexplained) == (1, 0)
    drifting.later += timedelta(days=31)
    assert drifting.standing().unexplained == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"reason": " "}, "Say why"),
        ({"strategies": TARGET, "accepted_until": None}, "need an end"),
        ({"strategies": {}}, "nothing to do"),
    ],
)
def test_a_preview_needs_a_reason_an_end_and_something_to_do(drifting, lead, options, said):
    drifting.legacy(2, fee="9")
    drifting.look()
    with pytest.raises(reconciliations.UnableToReconcile, match=said):
        preview(drifting, lead, **options)


def test_what_nobody_explains_is_overwritten_with_a_second_persons_consent_alone(drifting, lead, other):
    drifting.new(1, name="Bob")
    drifting.look()
    row = preview(drifting, lead)
    assert "Nobody knows" in row.second_person
    row = act(drifting, reconciliations.confirm, row, lead)
    assert row.state == "awaiting"
    with pytest.raises(reconciliations.UnableToReconcile, match="own request"):
        act(drifting, reconciliations.approve, row, lead)
    with pytest.raises(PermissionRefused):
        act(drifting, reconciliations.approve, row, make.staff_actor(make.staff(StaffRole.RUNBOOK_OWNER)))
    row = act(drifting, reconciliations.approve, row, other)
    assert carry_out(drifting, row) == ["written"]
    assert drifting.standing().differing == 0


def test_what_is_refused_changes_nothing(drifting, lead, other):
    drifting.new(1, name="Bob")
    drifting.look()
    row = act(drifting, reconciliations.confirm, preview(drifting, lead), lead)
    row = act(drifting, reconciliations.refuse, row, other)
    assert (row.state, carry_out(drifting, row), drifting.standing().differing) == ("refused", [""], 1)


def test_the_database_refuses_one_person_for_two_and_none_for_one(drifting, lead):
    drifting.new(1, name="Bob")
    drifting.look()
    row = preview(drifting, lead)
    for change in ({"state": "running"}, {"approved_at": drifting.at(), "approved_by": lead.id}):
        with make.arranging(), pytest.raises(IntegrityError), transaction.atomic():
            Reconciliation.objects.filter(pk=row.pk).update(**change)


def test_an_object_without_its_row_goes_only_where_the_preview_said_so(drifting, lead, other):
    drifting.crossing.legacy.pop(0)
    drifting.legacy(2, fee="9")
    drifting.look()
    row = act(drifting, reconciliations.confirm, preview(drifting, lead), lead)
    assert "removed" in row.second_person
    drifting.crossing.legacy[:] = [one for one in drifting.crossing.legacy if one["seq"] != "2"]
    row = act(drifting, reconciliations.approve, row, other)
    assert carry_out(drifting, row) == ["removed", "refused"]
    assert [person["id"] for person in drifting.crossing.new] == [2, 3]


def test_an_outage_is_tried_again_and_nothing_is_done_twice(drifting, lead):
    drifting.legacy(2, fee="9")
    drifting.look()
    row = act(drifting, reconciliations.confirm, preview(drifting, lead), lead)
    ports.reconciler().failing = True
    with tenancy.scope(tenant_id=drifting.tenant_id), pytest.raises(ports.Unavailable):
        repairs.advance(reconciliation_id=row.pk, by=make.SYSTEM, at=drifting.at())
    ports.reconciler().failing = False
    assert carry_out(drifting, row) == ["written"]


def test_one_that_a_platform_refused_half_way_can_be_undone(drifting, lead, monkeypatch):
    drifting.legacy(1, fee="8")
    drifting.legacy(2, fee="9")
    drifting.look()
    before = fees(drifting)
    row = act(drifting, reconciliations.confirm, preview(drifting, lead), lead)
    monkeypatch.setattr(batches, "BATCH", 1)
    repair = ports.reconciler().repair
    with tenancy.scope(tenant_id=drifting.tenant_id):
        repairs.advance(reconciliation_id=row.pk, by=make.SYSTEM, at=drifting.at())
    monkeypatch.setattr(ports.reconciler(), "repair", refuse)
    assert sorted(carry_out(drifting, row)) == ["", "written"]
    monkeypatch.setattr(ports.reconciler(), "repair", repair)
    assert (row.state, fees(drifting) == before) == ("failed", False)
    row = act(drifting, reconciliations.undo, row, lead)
    carry_out(drifting, row)
    assert (row.state, row.problem, fees(drifting)) == ("undone", "", before)


def refuse(batch, **how):
    raise ports.Rejected("No.")


def test_a_preview_from_before_the_cutover_overwrites_nothing_after_it(drifting, lead, monkeypatch):
    drifting.legacy(2, fee="9")
    drifting.look()
    row = preview(drifting, lead)
    monkeypatch.setattr(BARRIERS, "_items", {"tests": lambda found: dict.fromkeys(found, "You work there now.")})
    with pytest.raises(reconciliations.UnableToReconcile, match="works on the new platform since"):
        act(drifting, reconciliations.confirm, row, lead)
    assert "overwrite their work" in preview(drifting, lead).second_person


def test_members_and_other_staff_reconcile_nothing(drifting):
    drifting.legacy(2, fee="9")
    drifting.look()
    owner = make.actor(make.member(drifting.crossing.tenant, TenantRole.OWNER))
    for by in (owner, make.staff_actor(make.staff(StaffRole.RUNBOOK_OWNER))):
        with pytest.raises(PermissionRefused):
            preview(drifting, by)


def test_every_step_stands_in_the_ledger_without_a_key_or_a_value(drifting, lead):
    drifting.legacy(2, fee="987654")
    drifting.look()
    row = act(drifting, reconciliations.confirm, preview(drifting, lead), lead)
    carry_out(drifting, row)
    act(drifting, reconciliations.undo, row, lead)
    carry_out(drifting, row)
    with make.arranging():
        entries = LedgerEntry.objects.filter(event__startswith="parity_reports.reconciliation").order_by("seq")
        told = [(entry.event.rpartition(".")[2], entry.data) for entry in entries]
    steps = ["previewed", "confirmed", "batch", "done", "undo_asked", "undone_batch", "undone"]
    assert [event for event, _ in told] == steps
    assert "987654" not in str(told)


def test_an_approval_signs_what_drifts_and_what_was_done_about_it(drifting, lead):
    drifting.legacy(2, fee="987654")
    drifting.new(1, name="Bob")
    drifting.look()
    late = {Cause.LATE_WRITE: Strategy.SOURCE}
    row = act(drifting, reconciliations.confirm, preview(drifting, lead, late), lead)
    carry_out(drifting, row)
    told = signed(drifting)
    assert (told["differing"], told["unexplained"], told["applied"], told["undone"]) == (1, 1, 1, 0)
    act(drifting, reconciliations.undo, row, lead)
    carry_out(drifting, row)
    preview(drifting, lead, late)
    told = signed(drifting)
    assert (told["differing"], told["applied"], told["undone"]) == (2, 0, 1)
    (one,) = told["reconciliations"]
    assert (one["entity"], one["records"]["moved"], one["agreed_at"]) == ("people", 1, None)
    assert "987654" not in str(told)


def signed(drifting):
    with tenancy.scope(tenant_id=drifting.tenant_id):
        return packs.plain(evidence.drift(tenant_id=drifting.tenant_id, at=drifting.at()))


def test_keys_are_sealed_and_forgotten_once_nothing_can_be_undone(drifting, lead):
    drifting.legacy(2, fee="9")
    drifting.look()
    row = act(drifting, reconciliations.confirm, preview(drifting, lead), lead)
    carry_out(drifting, row)
    with make.arranging():
        assert unseal(ReconciliationItem.objects.get().sealed_key) == "2"
        assert Drift.objects.get().sealed_key == "", "it is over"
        drifting.later += timedelta(days=8)
        repairs.forget(by=make.SYSTEM, at=drifting.at())
        assert ReconciliationItem.objects.get().sealed_key == ""
    with pytest.raises(reconciliations.UnableToReconcile, match="not kept any more"):
        act(drifting, reconciliations.undo, row, lead)


def test_what_differs_is_merged_as_was_foreseen_and_what_goes_on_differing_counts_for_a_time(merging, lead, other):
    merging.new(2, name="Bobby", fee=Decimal(1))
    merging.look()
    row = preview(merging, lead, MERGE)
    with make.arranging():
        (item,) = row.items.all()
    assert item.fields == {
        "fee": {"keeps": False, "legacy": "“150.0”", "new": "“1”"},
        "name": {"keeps": True, "legacy": "", "new": ""},
    }
    assert fees(merging)[2] == "1", "nothing is changed yet"
    act(merging, reconciliations.confirm, row, lead)
    row = act(merging, reconciliations.approve, row, other)
    assert carry_out(merging, row) == ["written"]
    assert fees(merging)[2] == "150.0"
    (left,) = merging.drifts(resolved_at=None)
    assert (left.columns.keys(), left.explanation) == ({"name"}, "As agreed with the customer.")
    assert merging.standing().unexplained == 0
    merging.later += timedelta(days=31)
    assert merging.standing().unexplained == 1
    merging.later -= timedelta(days=31)
    row = act(merging, reconciliations.undo, row, lead)
    assert carry_out(merging, row) == ["restored"]
    assert fees(merging)[2] == "1"
    (left,) = merging.drifts(resolved_at=None)
    assert (left.columns.keys(), left.explanation) == ({"fee", "name"}, "")


def test_what_legacy_changed_again_since_the_preview_is_not_merged(merging, lead):
    merging.legacy(2, fee="9")
    merging.look()
    row = preview(merging, lead, MERGE)
    merging.legacy(2, fee="10")
    row = act(merging, reconciliations.confirm, row, lead)
    assert carry_out(merging, row) == ["kept"]
    assert fees(merging)[2] == "150.00"


def test_what_stays_different_needs_an_end_and_the_end_must_not_be_over(merging, lead):
    merging.new(2, name="Bobby", fee=99999)
    merging.legacy(2, fee="9")
    merging.look()
    with pytest.raises(reconciliations.UnableToReconcile, match="need an end"):
        preview(merging, lead, MERGE, accepted_until=None)
    row = preview(merging, lead, MERGE, accepted_until=merging.at() + timedelta(hours=1))
    merging.later += timedelta(hours=2)
    with pytest.raises(reconciliations.UnableToReconcile, match="is over"):
        act(merging, reconciliations.confirm, row, lead)


def test_a_mapping_that_says_of_no_column_whose_value_counts_merges_nothing(drifting, lead):
    drifting.legacy(2, fee="9")
    drifting.look()
    with pytest.raises(reconciliations.UnableToReconcile, match="of no column"):
        preview(drifting, lead, MERGE)
