"""Bringing in tenants, their people and the vendor's own, by use case and by command."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from accounts.models import Member, Tenant, User
from accounts.services import imports
from core.errors import PermissionRefused
from core.permissions import StaffRole, TenantRole
from tests import make

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEADING = "slug,name,segment,legacy_ref,time_zone\n"

pytestmark = pytest.mark.django_db


def bring_in(tenant, **changes):
    wanted = {"email": "Ana@airline.example", "name": "Ana", "role": TenantRole.ADMIN, "password": make.PASSWORD}
    with make.arranging():
        return imports.member(tenant_id=tenant.pk, by=make.SYSTEM, at=AT, **{**wanted, **changes})


def test_a_person_comes_in_once_with_a_verified_address_in_lower_case():
    tenant = make.tenant()
    first, second = bring_in(tenant), bring_in(tenant, role=TenantRole.OWNER)
    assert first == second
    assert second.role == "admin"
    assert first.user.email == "ana@airline.example"
    assert EmailAddress.objects.get(user=first.user).verified
    assert first.user.check_password(make.PASSWORD)


def test_a_person_of_two_tenants_keeps_their_password():
    first = bring_in(make.tenant())
    second = bring_in(make.tenant(), password="another-secret-altogether")
    assert first.user == second.user
    assert User.objects.get(pk=first.user.pk).check_password(make.PASSWORD)


def test_without_a_password_nobody_can_sign_in_with_one():
    assert not bring_in(make.tenant(), password=None).user.has_usable_password()


def test_a_customer_may_not_bring_anybody_in():
    tenant = make.tenant()
    owner = make.actor(make.member(tenant))
    with pytest.raises(PermissionRefused):
        imports.member(
            tenant_id=tenant.pk, email="x@y.example", name="X", role=TenantRole.OWNER, password=None, by=owner, at=AT
        )


def write(folder: Path, text: str) -> Path:
    path = folder / "tenants.csv"
    path.write_text(HEADING + text, encoding="utf-8")
    return path


def test_importing_a_file_twice_registers_each_tenant_once(tmp_path):
    path = write(tmp_path, "nord,Nordwind,major,ND,Europe/Berlin\nsud,Südwind,,SD,Europe/Rome\n")
    for _ in range(2):
        call_command("import_tenants", path)
    with make.arranging():
        found = Tenant.objects.filter(legacy_ref__in=["ND", "SD"]).values_list("name", flat=True)
        assert sorted(found) == ["Nordwind", "Südwind"]


def test_every_bad_line_is_told_at_once_and_nothing_is_registered(tmp_path):
    path = write(tmp_path, "good,Good,,G,UTC\nbad slug,Bad,,B,UTC\nzone,Zone,,Z,Mars/Olympus\n,,,,\n")
    with pytest.raises(CommandError) as caught:
        call_command("import_tenants", path)
    said = str(caught.value)
    assert all(part in said for part in ("Line 3", "Line 4", "Mars/Olympus", "Line 5", "slug, name, legacy_ref"))
    with make.arranging():
        assert not Tenant.objects.filter(legacy_ref="G").exists()


def test_a_file_without_the_heading_says_what_it_lacks(tmp_path):
    path = tmp_path / "tenants.csv"
    path.write_text("slug;name\n", encoding="utf-8")
    with pytest.raises(CommandError, match="lacks slug, name, segment, legacy_ref, time_zone"):
        call_command("import_tenants", path)


def test_a_slug_of_another_tenant_is_refused_by_name(tmp_path):
    make.tenant(slug="taken", legacy_ref="T1")
    with pytest.raises(CommandError, match="Another tenant is called “taken”"):
        call_command("import_tenants", write(tmp_path, "taken,Other,,T2,UTC\n"))


def test_appointing_adds_the_roles_that_are_missing(capsys):
    call_command("appoint_staff", "kim@vendor.example", "Kim", "cs")
    call_command("appoint_staff", "kim@vendor.example", "Kim", "cs", "steering_group")
    person = User.objects.get(email="kim@vendor.example")
    held = set(person.staff_assignments.values_list("role", flat=True))
    assert held == {StaffRole.CS.value, StaffRole.STEERING_GROUP.value}
    assert person.is_staff
    assert not Member.objects.exists()
    assert "/accounts/password/reset/" in capsys.readouterr().out
