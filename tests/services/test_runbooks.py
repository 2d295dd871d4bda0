"""Runbooks: opened once, signed by whoever owns the step, moved with the cutover day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from core import ledger, queue, readiness, tenancy
from core.errors import PermissionRefused
from core.permissions import StaffRole
from runbooks.models import Runbook, Step
from runbooks.queries import runbooks as queries
from runbooks.readiness import steps_signed
from runbooks.services import runbooks
from tests import make

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
T0 = date(2026, 12, 5)

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant():
    return make.tenant()


@pytest.fixture
def programme_manager():
    return make.staff_actor(make.staff(StaffRole.PROGRAMME_MANAGER))


@pytest.fixture
def opened(tenant, programme_manager):
    with make.arranging():
        return runbooks.open(tenant_id=tenant.pk, cutover_on=T0, by=programme_manager, at=AT)


def step(tenant, key):
    return Step.objects.select_related("runbook").get(tenant=tenant, key=key)


def events(tenant):
    return [entry.event for entry in ledger.recent(tenant_id=tenant.pk, limit=50)]


def test_opening_twice_gives_one_runbook_and_one_entry(tenant, opened, programme_manager):
    with make.arranging():
        again = runbooks.open(tenant_id=tenant.pk, cutover_on=date(2027, 1, 1), by=programme_manager, at=AT)
        assert again == opened
        assert again.cutover_on == T0
        assert Runbook.objects.filter(tenant=tenant).count() == 1
        assert events(tenant).count("runbooks.runbook.opened") == 1


def test_the_owner_of_a_step_signs_it_once(tenant, opened):
    lead = make.staff_actor(make.staff(StaffRole.DATA_LEAD))
    second = make.staff_actor(make.staff(StaffRole.DATA_LEAD))
    with make.arranging():
        signed = runbooks.sign(step=step(tenant, "dry-run"), by=lead, at=AT, note="It balances.")
        again = runbooks.sign(step=step(tenant, "dry-run"), by=second, at=AT)
        assert (signed.signed_by_id, again.signed_by_id) == (lead.id, lead.id)
        assert events(tenant).count("runbooks.step.signed") == 1


def test_another_lead_is_told_who_signs(tenant, opened):
    wrong = make.staff_actor(make.staff(StaffRole.INTEGRATIONS_LEAD))
    with make.arranging(), pytest.raises(runbooks.UnableToSign, match="signed by the data lead or a runbook owner"):
        runbooks.sign(step=step(tenant, "dry-run"), by=wrong, at=AT)


def test_an_auditor_may_not_sign(tenant, opened):
    auditor = make.staff_actor(make.staff(StaffRole.AUDITOR))
    with make.arranging(), pytest.raises(PermissionRefused):
        runbooks.sign(step=step(tenant, "dry-run"), by=auditor, at=AT)


def test_taking_a_signature_back_needs_its_reason(tenant, opened):
    lead = make.staff_actor(make.staff(StaffRole.DATA_LEAD))
    with make.arranging():
        runbooks.sign(step=step(tenant, "dry-run"), by=lead, at=AT)
        with pytest.raises(runbooks.UnableToSign, match="Say why"):
            runbooks.withdraw(step=step(tenant, "dry-run"), by=lead, at=AT, reason=" ")
        back = runbooks.withdraw(step=step(tenant, "dry-run"), by=lead, at=AT, reason="The spec changed.")
        assert back.signed_at is None
        assert back.note == "The spec changed."


def test_moving_the_cutover_day_moves_every_step_and_is_recorded_once(tenant, opened):
    owner = make.staff_actor(make.staff(StaffRole.RUNBOOK_OWNER))
    with make.arranging():
        for _ in range(2):
            runbooks.reschedule(tenant_id=tenant.pk, cutover_on=date(2026, 12, 12), by=owner, at=AT)
        assert Runbook.objects.get(tenant=tenant).cutover_on == date(2026, 12, 12)
        assert events(tenant).count("runbooks.runbook.rescheduled") == 1


def test_the_check_blocks_until_each_gating_step_is_signed(tenant, opened):
    owner = make.staff_actor(make.staff(StaffRole.RUNBOOK_OWNER))
    with make.arranging():
        before = steps_signed(tenant_id=tenant.pk, at=AT)
        for row in queries.steps(tenant_id=tenant.pk).filter(gates=True):
            runbooks.sign(step=row, by=owner, at=AT)
        after = steps_signed(tenant_id=tenant.pk, at=AT)
    assert before.outcome == "block"
    assert "Finalise the mapping spec" in before.fix
    assert after.outcome == "pass"


def test_the_check_is_asked_again_when_a_step_is_signed_and_when_its_signature_is_taken_back(tenant, opened):
    owner = make.staff_actor(make.staff(StaffRole.RUNBOOK_OWNER))

    def said() -> str:
        queue.run_pending(at=timezone.now() + timedelta(seconds=1))
        with tenancy.scope(tenant_id=tenant.pk):
            return readiness.latest(tenant_id=tenant.pk)["runbooks.steps_signed"].finding.summary

    with make.arranging():
        runbooks.sign(step=step(tenant, "dry-run"), by=owner, at=AT)
    signed = said()
    with make.arranging():
        runbooks.withdraw(step=step(tenant, "dry-run"), by=owner, at=AT, reason="Too early.")
    assert (signed, said()) == tuple(f"{count} of 13 steps before the go/no-go are not signed" for count in (12, 13))


def test_a_tenant_without_a_runbook_is_blocked_and_told_that_nothing_is_needed_from_them(tenant):
    with tenancy.scope(tenant_id=tenant.pk):
        finding = steps_signed(tenant_id=tenant.pk, at=AT)
    assert finding.outcome == "block"
    assert "nothing is needed from you" in finding.fix


def test_only_who_may_sign_a_step_takes_its_signature_back(tenant, opened):
    with make.arranging():
        lead = make.staff_actor(make.staff(StaffRole.DATA_LEAD))
        runbooks.sign(step=step(tenant, "dry-run"), by=lead, at=AT)
        support = make.staff_actor(make.staff(StaffRole.SUPPORT))
        with pytest.raises(runbooks.UnableToSign, match="data lead or a runbook owner"):
            runbooks.withdraw(step=step(tenant, "dry-run"), by=support, at=AT, reason="No.")
        assert step(tenant, "dry-run").signed_by_id == lead.id
