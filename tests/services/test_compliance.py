"""Promises and deletions, through their use cases on a real database."""

import hashlib
import json
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import ProgrammingError, transaction

from compliance import verifier
from compliance.domain.obligations import Standing
from compliance.models import Attestation, Deletion, Obligation
from compliance.queries import files
from compliance.queries import obligations as standing
from compliance.readiness import promises_kept
from compliance.services import deletions, evidence, obligations
from compliance.services.deletions import UnableToDelete
from core import holds, queue, tenancy
from core.approvals import seals
from core.errors import PermissionRefused
from core.evidence import verifier as pack_verifier
from core.findings import Outcome
from core.models import LedgerEntry, RecordedFinding
from core.permissions import StaffRole
from core.ports import Unavailable
from cutover.models import Cutover
from parity_reports.models import Report
from tests import holding, make
from tests.fakes.platforms import FakeMover
from tests.queueing import now

pytestmark = pytest.mark.usefixtures("db")

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
RESIDENCY = {
    "key": "residency", "kind": "residency", "title": "Data stay here", "promise": "Here only.",
    "source": "Contract 9.2", "owner": "legal-privacy",
}  # fmt: skip


class StagedMover(FakeMover):
    """A platform that holds staged rows, and can be away or stubborn."""

    rows = 0
    away = False
    stubborn = False
    meanwhile = staticmethod(lambda: None)

    def staged(self, *, account_id):
        if StagedMover.away:
            raise Unavailable("The new platform does not answer.")
        tenancy.forbid_transaction()
        return {"run": min(1, StagedMover.rows), "outcome": StagedMover.rows}

    def forget(self, *, account_id, committing=nullcontext):
        StagedMover.meanwhile()
        with committing():
            if not StagedMover.stubborn:
                StagedMover.rows = 0
        return self.staged(account_id=account_id)


@pytest.fixture
def lead():
    return make.staff_actor(make.staff(StaffRole.LEGAL_PRIVACY_LEAD))


@contextmanager
def staging(settings):
    """Let the new platform hold ninety staged rows."""
    settings.ADAPTERS = {**settings.ADAPTERS, "mover": {"BACKEND": "tests.services.test_compliance.StagedMover"}}
    StagedMover.rows, StagedMover.away, StagedMover.stubborn = 90, False, False
    yield
    StagedMover.rows = 0


@pytest.fixture
def moved(settings):
    """A tenant past its cutover, with both platforms equal and ninety staged rows."""
    tenant = make.tenant("Aloha")
    with make.arranging():
        Cutover.objects.create(tenant=tenant, phase="stabilise")
        Report.objects.create(
            tenant=tenant, state="finished", requested_at=AT, finished_at=AT, verdict="equal", compared=9, expected=9,
            actual=9, mapping_sha256="0" * 64, sha256="ab" * 32,
        )  # fmt: skip
    with staging(settings), tenancy.scope(tenant_id=tenant.pk):
        yield tenant


def events(tenant) -> list[str]:
    with make.arranging():
        mine = LedgerEntry.objects.filter(chain=str(tenant.pk)).order_by("seq")
        return list(mine.values_list("event", flat=True))


@pytest.fixture
def tenant():
    made = make.tenant("Aloha")
    with tenancy.scope(tenant_id=made.pk):
        yield made


def stand(tenant, key: str) -> Standing:
    return next(row.standing for row in standing.stand(tenant_id=tenant.pk, at=AT) if row.obligation.key == key)


def test_the_charters_promises_are_adopted_once(tenant, lead):
    added = obligations.adopt_standard(tenant_id=tenant.pk, by=lead, at=AT)
    assert added >= 5
    assert obligations.adopt_standard(tenant_id=tenant.pk, by=lead, at=AT) == 0
    assert Obligation.objects.count() == added


def test_a_promise_stands_as_the_checks_that_keep_it(tenant, lead):
    obligations.adopt_standard(tenant_id=tenant.pk, by=lead, at=AT)
    assert stand(tenant, "agreed-window") is Standing.AT_RISK
    RecordedFinding.objects.bulk_create(
        RecordedFinding(
            tenant=tenant, check_id=check_id, outcome="pass", summary="Yes", evaluation_id=uuid4(), evaluated_at=AT,
            evaluated_by=lead.id, expires_at=AT + timedelta(days=1),
        )
        for check_id in ("cutover.window_set", "runbooks.steps_signed")
    )  # fmt: skip
    assert stand(tenant, "agreed-window") is Standing.KEPT


def test_a_gap_blocks_until_it_is_planned_or_kept(tenant, lead):
    assert promises_kept(tenant_id=tenant.pk, at=AT).summary == "No promise is recorded for this account"
    row = obligations.record(**RESIDENCY, tenant_id=tenant.pk, by=lead, at=AT)
    found = promises_kept(tenant_id=tenant.pk, at=AT)
    assert (found.outcome, found.facts["gaps"]) == (Outcome.BLOCK, ["residency"])
    obligations.plan(obligation=row, plan="A region of our own", due_on=AT.date(), by=lead, at=AT)
    assert promises_kept(tenant_id=tenant.pk, at=AT).outcome is Outcome.WARN
    assert promises_kept(tenant_id=tenant.pk, at=AT + timedelta(days=1)).outcome is Outcome.BLOCK
    obligations.state_control(obligation=row, control="The region is chosen at set-up", by=lead, at=AT)
    assert promises_kept(tenant_id=tenant.pk, at=AT).outcome is Outcome.PASS


def test_a_promise_is_recorded_whole_and_once(tenant, lead):
    row = obligations.record(**RESIDENCY, tenant_id=tenant.pk, by=lead, at=AT)
    with pytest.raises(obligations.UnableToRecord, match="recorded for this account already"):
        obligations.record(**RESIDENCY, tenant_id=tenant.pk, by=lead, at=AT)
    with pytest.raises(obligations.UnableToRecord, match="where it stands written"):
        obligations.record(**RESIDENCY | {"source": " "}, tenant_id=tenant.pk, by=lead, at=AT)
    with pytest.raises(obligations.UnableToPlan, match="lies in the past"):
        obligations.plan(obligation=row, plan="Soon", due_on=AT.date() - timedelta(days=1), by=lead, at=AT)
    assert obligations.retire(obligation=row, by=lead, at=AT)
    assert not obligations.retire(obligation=row, by=lead, at=AT)
    with pytest.raises(obligations.UnableToRecord, match="has ended"):
        obligations.state_control(obligation=row, control="Late", by=lead, at=AT)
    assert obligations.record(**RESIDENCY, tenant_id=tenant.pk, by=lead, at=AT)
    assert events(tenant) == [
        "compliance.obligation.recorded", "compliance.obligation.retired", "compliance.obligation.recorded",
    ]  # fmt: skip


@pytest.mark.parametrize("role", [role for role in StaffRole if role is not StaffRole.LEGAL_PRIVACY_LEAD])
def test_only_the_legal_and_privacy_lead_records_and_deletes(moved, role):
    other = make.staff_actor(make.staff(role))
    with pytest.raises(PermissionRefused):
        obligations.record(**RESIDENCY, tenant_id=moved.pk, by=other, at=AT)
    with pytest.raises(PermissionRefused):
        deletions.order(tenant_id=moved.pk, by=other, at=AT)


def test_stage_data_are_deleted_by_a_job_and_attested(moved, lead):
    deletions.order(tenant_id=moved.pk, by=lead, at=now())
    assert StagedMover.rows == 90
    with pytest.raises(UnableToDelete, match="ordered already"):
        deletions.order(tenant_id=moved.pk, by=lead, at=now())
    with tenancy.empty_scope():
        queue.run_pending()
    (row,) = standing.attestations(tenant_id=moved.pk)
    report = verifier.verify(files.attestation(row), server_key=seals.public_key())
    assert report.problems == []
    assert report.said["deleted"] == {"run": 1, "outcome": 90}
    assert report.said["verified"]["left"] == {"run": 0, "outcome": 0}
    assert report.said["requested_by"] == str(lead.id)
    assert report.said["parity_sha256"] == "ab" * 32
    assert row.sha256 == hashlib.sha256(bytes(row.body)).hexdigest()
    assert events(moved) == [f"compliance.deletion.{did}" for did in ("ordered", "begun", "attested")]


def test_a_deletion_cut_short_is_finished_and_attests_what_was_there_at_first(moved, lead):
    order = deletions.order(tenant_id=moved.pk, by=lead, at=AT)
    StagedMover.rows = 0  # deleted, and killed before it was written down
    made = deletions.carry_out(tenant_id=moved.pk, deletion_id=order.pk, by=make.SYSTEM, at=AT)
    assert made is not None
    assert b'"outcome":90' in bytes(made.body)
    assert deletions.carry_out(tenant_id=moved.pk, deletion_id=order.pk, by=make.SYSTEM, at=AT) is None
    assert Attestation.objects.count() == 1


def test_rows_that_are_left_are_never_attested(moved, lead):
    order = deletions.order(tenant_id=moved.pk, by=lead, at=AT)
    StagedMover.stubborn = True
    with pytest.raises(UnableToDelete, match="Rows were left"):
        deletions.carry_out(tenant_id=moved.pk, deletion_id=order.pk, by=make.SYSTEM, at=AT)
    assert not Attestation.objects.exists()
    assert Deletion.objects.get().done_at is None


def test_a_legal_hold_stops_an_order_and_one_that_is_under_way(moved, lead):
    order = deletions.order(tenant_id=moved.pk, by=lead, at=AT)
    hold = holding.place(moved.pk, at=AT)
    with pytest.raises(holds.LegallyHeld, match="legal hold"):
        deletions.carry_out(tenant_id=moved.pk, deletion_id=order.pk, by=make.SYSTEM, at=AT)
    with pytest.raises(holds.LegallyHeld, match="legal hold"):
        deletions.order(tenant_id=moved.pk, by=lead, at=AT)
    assert StagedMover.rows == 90
    holding.release(hold)
    assert deletions.carry_out(tenant_id=moved.pk, deletion_id=order.pk, by=make.SYSTEM, at=AT)


def test_a_hold_that_is_placed_while_stage_data_are_deleted_keeps_them(moved, lead, monkeypatch):
    order = deletions.order(tenant_id=moved.pk, by=lead, at=AT)
    monkeypatch.setattr(StagedMover, "meanwhile", staticmethod(lambda: holding.place(moved.pk, at=AT)))
    with pytest.raises(holds.LegallyHeld):
        deletions.carry_out(tenant_id=moved.pk, deletion_id=order.pk, by=make.SYSTEM, at=AT)
    assert (StagedMover.rows, Attestation.objects.count()) == (90, 0)


def test_what_was_deleted_before_a_hold_was_placed_is_attested_under_it(moved, lead):
    order = deletions.order(tenant_id=moved.pk, by=lead, at=AT)
    StagedMover.rows = 0  # deleted, and killed before it was written down
    holding.place(moved.pk, at=AT)
    made = deletions.carry_out(tenant_id=moved.pk, deletion_id=order.pk, by=make.SYSTEM, at=AT)
    assert made is not None
    assert json.loads(bytes(made.body))["parity_sha256"] == "ab" * 32


def test_an_order_whose_job_was_refused_is_carried_out_once_ordered_again(moved, lead):
    order = deletions.order(tenant_id=moved.pk, by=lead, at=now())
    hold = holding.place(moved.pk)
    with tenancy.empty_scope():
        queue.run_pending()
    holding.release(hold)
    assert (StagedMover.rows, Deletion.objects.get().done_at) == (90, None)
    StagedMover.rows = 0  # as after a deletion that was killed before it was written down: still an order to finish
    assert deletions.order(tenant_id=moved.pk, by=lead, at=now()) == order
    with pytest.raises(UnableToDelete, match="under way"):
        deletions.order(tenant_id=moved.pk, by=lead, at=now())
    with tenancy.empty_scope():
        queue.run_pending()
    assert Attestation.objects.get().deletion == order
    assert events(moved).count("compliance.deletion.ordered") == 1


def test_a_person_without_the_permission_cannot_carry_a_deletion_out(moved, lead):
    order = deletions.order(tenant_id=moved.pk, by=lead, at=AT)
    with pytest.raises(PermissionRefused):
        deletions.carry_out(
            tenant_id=moved.pk, deletion_id=order.pk, by=make.staff_actor(make.staff(StaffRole.CS)), at=AT
        )
    assert StagedMover.rows == 90


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda: Cutover.objects.update(phase="full"), "until the account is past its cutover"),
        (lambda: Report.objects.update(verdict="different", different=1), "No comparison shows both platforms equal"),
        (lambda: setattr(StagedMover, "rows", 0), "nothing to delete"),
    ],
)
def test_why_stage_data_may_not_be_deleted_yet(moved, lead, change, reason):
    change()
    with pytest.raises(UnableToDelete, match=reason):
        deletions.order(tenant_id=moved.pk, by=lead, at=AT)
    assert not Deletion.objects.exists()


def test_a_platform_that_is_away_leaves_no_order_behind(moved, lead):
    StagedMover.away = True
    with pytest.raises(Unavailable):
        deletions.order(tenant_id=moved.pk, by=lead, at=AT)
    assert not Deletion.objects.exists()


def test_an_attestation_is_never_changed(moved, lead):
    order = deletions.order(tenant_id=moved.pk, by=lead, at=AT)
    deletions.carry_out(tenant_id=moved.pk, deletion_id=order.pk, by=make.SYSTEM, at=AT)
    for change in (lambda rows: rows.update(seal="x"), lambda rows: rows.delete()):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            change(Attestation.objects.all())


def test_an_audits_pack_verifies_offline_without_a_signature(tenant):
    auditor = make.actor(make.member(tenant, "auditor"))
    name, body = evidence.freeze(tenant_id=tenant.pk, by=auditor, at=AT)
    report = pack_verifier.verify(body, server_key=seals.public_key())
    assert report.problems == []
    assert name.endswith(".zip")
    assert events(tenant)[-1] == "compliance.evidence.frozen"
    changed = body.replace(b"compliance.promises", b"compliance.promiseS")
    assert not pack_verifier.verify(changed, server_key=seals.public_key()).holds
    with pytest.raises(PermissionRefused):
        evidence.freeze(tenant_id=tenant.pk, by=make.actor(make.member(tenant, "member")), at=AT)
