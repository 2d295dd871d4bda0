"""Cutovers in the admin: phases are moved, runbook owners assigned, waves filled; each by one use case."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from core.permissions import StaffRole
from cutover.models import Cutover, PhaseChange
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def cutover() -> Cutover:
    tenant = make.tenant("Hawaiian Airlines")
    with make.arranging():
        return Cutover.objects.create(tenant=tenant, phase="preflight")


def _signed_in(client: Client, *roles: StaffRole) -> User:
    person = make.staff(*roles)
    client.force_login(person)
    return person


def _operate(client: Client, cutover: Cutover, name: str, **answers: str) -> tuple[int, str]:
    response = client.post(reverse(f"admin:cutover_cutover_{name}", args=[cutover.pk]), answers)
    return response.status_code, " ".join(response.content.decode().split())


def test_a_phase_is_moved_with_its_reason(client: Client, cutover: Cutover) -> None:
    _signed_in(client, StaffRole.PROGRAMME_MANAGER)
    status, page = _operate(client, cutover, "move", target="prepare")
    assert status == 422
    assert "Say why: this move is no step forward" in page
    status, _ = _operate(client, cutover, "move", target="prepare", reason="The mapping changes.")
    assert status == 302
    with make.arranging():
        assert PhaseChange.objects.get().reason == "The mapping changes."


def test_nobody_moves_a_tenant_into_its_cutover_by_hand(client: Client, cutover: Cutover) -> None:
    _signed_in(client, StaffRole.PROGRAMME_MANAGER, StaffRole.RUNBOOK_OWNER, StaffRole.SRE_LEAD)
    status, page = _operate(client, cutover, "move", target="canary", reason="Please.")
    assert status == 422
    assert "needs a signed go/no-go" in page
    with make.arranging():
        assert not PhaseChange.objects.exists()


def test_a_runbook_owner_is_assigned_from_those_who_may_sign(client: Client, cutover: Cutover) -> None:
    owner, other = make.staff(StaffRole.RUNBOOK_OWNER), make.staff(StaffRole.SUPPORT)
    _signed_in(client, StaffRole.CS)
    assert _operate(client, cutover, "assign", owner=str(other.pk))[0] == 422
    assert _operate(client, cutover, "assign", owner=str(owner.pk))[0] == 302
    assert _operate(client, cutover, "put_in_wave", wave="Canaries")[0] == 403
    with make.arranging():
        cutover.refresh_from_db()
    assert cutover.runbook_owner_id == owner.pk


def test_a_tenant_is_put_into_a_wave(client: Client, cutover: Cutover) -> None:
    _signed_in(client, StaffRole.CS_LEAD)
    assert _operate(client, cutover, "put_in_wave", wave="Canaries")[0] == 302
    with make.arranging():
        cutover.refresh_from_db()
    assert cutover.wave == "Canaries"


@pytest.mark.parametrize("role", [StaffRole.AUDITOR, StaffRole.SUPPORT])
def test_who_only_reads_may_do_none_of_it(client: Client, cutover: Cutover, role: StaffRole) -> None:
    _signed_in(client, role)
    answers = {"move": {"target": "prepare"}, "assign": {"owner": "x"}, "put_in_wave": {"wave": "1"}}
    assert {_operate(client, cutover, name, **given)[0] for name, given in answers.items()} == {403}
