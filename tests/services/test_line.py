"""The line stops by itself: a raised signal halts a cutover while traffic moves, and nothing else."""

from datetime import timedelta

import pytest

from core import stop_the_line, tenancy
from core.errors import PermissionRefused
from core.permissions import StaffRole
from core.stop_the_line import SIGNALS, Alarm
from cutover.domain.phases import Phase
from cutover.models import Cutover
from cutover.queries import cutovers
from cutover.services import line, phases
from tests import make
from tests.cutovers import AT

pytestmark = pytest.mark.django_db


@pytest.fixture
def raised(monkeypatch):
    """Alarms that a test raises."""
    found = []
    monkeypatch.setattr(SIGNALS, "_items", {"tests": lambda *, tenant_id, at: found[0] if found else None})
    return found


@pytest.fixture
def tenant(raised):
    made = make.tenant()
    with tenancy.scope(tenant_id=made.pk):
        phases.advance(tenant_id=made.pk, target=Phase.PREPARE, by=make.SYSTEM, at=AT)
        yield made


def stand(tenant, phase):
    Cutover.objects.filter(tenant_id=tenant.pk).update(phase=phase.value)


def stop(tenant):
    return line.stop_if_raised(tenant_id=tenant.pk, by=make.SYSTEM, at=AT + timedelta(hours=1))


@pytest.mark.parametrize("phase", [Phase.CANARY, Phase.RAMP, Phase.FULL])
def test_a_raised_signal_halts_while_traffic_moves(tenant, raised, phase):
    stand(tenant, phase)
    assert (stop(tenant), cutovers.phase_of(tenant.pk)) == (False, phase)
    raised.append(Alarm("3 records drift.", AT))
    assert (stop(tenant), cutovers.phase_of(tenant.pk)) == (True, Phase.HALTED)
    assert cutovers.history(tenant_id=tenant.pk).last().reason == "3 records drift."
    assert not stop(tenant), "it is halted already"


@pytest.mark.parametrize("phase", [Phase.PREFLIGHT, Phase.STABILISE])
def test_where_no_traffic_moves_nothing_halts(tenant, raised, phase):
    raised.append(Alarm("3 records drift.", AT))
    stand(tenant, phase)
    assert (stop(tenant), cutovers.phase_of(tenant.pk)) == (False, phase)


def test_every_reason_is_told_the_oldest_first(tenant, monkeypatch):
    later = AT + timedelta(minutes=1)
    monkeypatch.setattr(
        SIGNALS,
        "_items",
        {
            "one": lambda *, tenant_id, at: Alarm("Later.", later),
            "two": lambda *, tenant_id, at: Alarm("First.", AT),
            "three": lambda *, tenant_id, at: None,
        },
    )
    told = stop_the_line.raised(tenant_id=tenant.pk, at=later)
    assert [alarm.reason for alarm in told] == ["First.", "Later."]


def test_those_whose_traffic_moves_are_watched(tenant):
    stand(tenant, Phase.RAMP)
    with make.arranging():
        assert tenant.pk in cutovers.moving()
        assert line.watch_all(by=make.SYSTEM) == len(cutovers.moving())
        with pytest.raises(PermissionRefused):
            line.watch_all(by=make.staff_actor(make.staff(StaffRole.AUDITOR)))
