"""Taking passwords away: guarded, sealed, given back exactly, forgotten in time."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.utils import timezone

from accounts.domain.enforcement import State
from accounts.models import PasswordRemoval, SealedPassword, SsoSignIn, User
from accounts.queries import enforcement as known
from accounts.queries import removals as queries
from accounts.services import cutbacks, enforcement, removals, sso
from core import ledger, tenancy
from core.errors import PermissionRefused
from core.permissions import StaffRole, TenantRole
from tests import enforcing, make
from tests.enforcing import DAY, Company

pytestmark = pytest.mark.django_db
PASSWORD = "long and secret"


@pytest.fixture
def company() -> Iterator[Company]:
    found = enforcing.company(password=PASSWORD)
    with tenancy.scope(tenant_id=found.tenant_id):
        enforcing.prepare(found)
        enforcing.enforce(found)
        yield found


def flag(company: Company) -> None:
    lead = make.staff_actor(make.staff(StaffRole.SRE_LEAD))
    removals.open_switch(tenant_id=company.tenant_id, reason="The move is over.", by=lead, at=timezone.now())


def remove(company: Company, **more: Any) -> PasswordRemoval:
    seen = queries.untried(tenant_id=company.tenant_id).digest
    return removals.remove(
        tenant_id=company.tenant_id,
        **{"reason": "As agreed.", "excepted_list": seen, "by": company.by, "at": timezone.now(), **more},
    )


def state(company: Company, days: int = 0) -> State:
    at = timezone.now() + days * DAY
    return known.standing(tenant_id=company.tenant_id, at=at).state(at=at)


def passwords() -> dict[str, str]:
    return dict(User.objects.values_list("email", "password"))


def told(company: Company) -> list[str]:
    return [entry.event for entry in reversed(ledger.recent(tenant_id=company.tenant_id, limit=100))]


def test_passwords_are_sealed_and_given_back_to_the_letter(company: Company) -> None:
    shared = make.user(email="both@airline.example", password=PASSWORD)
    make.member(company.tenant, TenantRole.MEMBER, person=shared)
    make.member(make.tenant(), TenantRole.MEMBER, person=shared)
    before = passwords()
    flag(company)
    removal = remove(company)
    assert (removal.sealed, removal.kept, removal.excepted) == (2, 1, 3)
    after = passwords()
    assert after["both@airline.example"] == before["both@airline.example"]
    assert [after[f"owner{n}@airline.example"][:1] for n in (1, 2)] == ["!", "!"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(sealed, ' ') FROM accounts_sealedpassword")
        assert "md5$" not in cursor.fetchone()[0]
    assert state(company) is state(company, days=400) is State.REMOVED
    assert removals.restore(removal=removal, by=company.by, at=timezone.now()) == 2
    assert removals.restore(removal=removal, by=company.by, at=timezone.now()) == 0
    assert {email: passwords()[email] for email in before} == before
    assert not SealedPassword.objects.exists()
    assert state(company) is State.ENFORCED
    assert told(company)[-2:] == ["accounts.passwords.removed", "accounts.passwords.restored"]


def test_who_has_set_a_new_password_meanwhile_keeps_it(company: Company) -> None:
    flag(company)
    removal, user = remove(company), company.owners[0].user
    user.set_password("another and longer one")
    user.save()
    assert removals.restore(removal=removal, by=company.by, at=timezone.now()) == 1
    user.refresh_from_db()
    assert user.check_password("another and longer one")


def test_none_is_given_back_where_the_key_is_gone_and_all_once_it_is_back(company: Company, settings: Any) -> None:
    flag(company)
    before, removal, keys = passwords(), remove(company), settings.FIELD_KEYS
    sealed = passwords()
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(removals.UnableToRestore, match="key"):
        removals.restore(removal=removal, by=company.by, at=timezone.now())
    assert passwords() == sealed
    settings.FIELD_KEYS = [*settings.FIELD_KEYS, *keys]
    assert removals.restore(removal=removal, by=company.by, at=timezone.now()) == removal.sealed
    assert passwords() == before


def test_after_thirty_days_they_are_forgotten(company: Company) -> None:
    flag(company)
    removal = remove(company)
    later = timezone.now() + 31 * DAY
    with pytest.raises(removals.UnableToRestore, match="forgotten"):
        removals.restore(removal=removal, by=company.by, at=later)
    assert removals.forget_due(at=timezone.now() + 29 * DAY) == 0
    assert [removals.forget_due(at=later) for _ in range(2)] == [1, 0]
    assert not SealedPassword.objects.exists()
    assert told(company)[-1] == "accounts.passwords.forgotten"
    with pytest.raises(removals.UnableToRestore, match="forgotten"):
        removals.restore(removal=removal, by=company.by, at=timezone.now())


def test_the_companys_sign_in_stays_the_only_way_after_its_flag_has_expired(company: Company) -> None:
    flag(company)
    remove(company)
    assert enforcement.end(tenant_id=company.tenant_id, by=company.by, at=timezone.now())
    assert state(company) is State.REMOVED
    place = tenancy.find_membership(user_id=company.owners[0].user_id, slug=company.tenant.slug)
    assert place
    assert place.sso_only.startswith("org_")
    with pytest.raises(sso.UnableToDisconnect):
        sso.disconnect(tenant_id=company.tenant_id, by=company.by, at=timezone.now())
    with pytest.raises(cutbacks.UnableToAsk, match="let nobody in"):
        cutbacks.ask(tenant_id=company.tenant_id, reason="Down.", hours=1, by=company.by, at=timezone.now())


def test_each_guard_refuses_and_changes_nothing(company: Company) -> None:
    before = passwords()
    with pytest.raises(removals.UnableToRemove, match="not open"):
        remove(company)
    flag(company)
    with pytest.raises(removals.UnableToRemove, match="2 members have never signed in"):
        remove(company, excepted_list="")
    with pytest.raises(removals.UnableToRemove, match="Say why"):
        remove(company, reason=" ")
    cutback = cutbacks.ask(tenant_id=company.tenant_id, reason="Down.", hours=1, by=company.by, at=timezone.now())
    with pytest.raises(removals.UnableToRemove, match="cutback is open"):
        remove(company)
    cutbacks.end(cutback=cutback, by=company.by, at=timezone.now())
    with pytest.raises(PermissionRefused):
        remove(company, by=make.actor(make.member(company.tenant, TenantRole.ADMIN)))
    with pytest.raises(removals.UnableToRemove, match="not open"):
        remove(company, at=timezone.now() + 15 * DAY)
    enforcement.end(tenant_id=company.tenant_id, by=company.by, at=timezone.now())
    with pytest.raises(removals.UnableToRemove, match="still sign"):
        remove(company)
    assert not PasswordRemoval.objects.exists()
    assert {email: passwords()[email] for email in before} == before


def test_who_has_signed_in_by_the_company_is_no_exception(company: Company) -> None:
    at = timezone.now()
    for number, owner in enumerate(company.owners):
        SsoSignIn.objects.create(
            tenant=company.tenant, connection_id=company.connection_id, fingerprint="f", request_id=f"_{number}",
            browser="b", started_at=at, expires_at=at + timedelta(minutes=10), answered_at=at, outcome="signed_in",
            reason="linked", member=owner, used_at=at,
        )  # fmt: skip
    assert queries.untried(tenant_id=company.tenant_id).count == 0
    flag(company)
    assert remove(company).excepted == 0
    with pytest.raises(removals.UnableToRemove, match="already"):
        remove(company)


def test_a_restore_that_finds_nothing_sealed_gives_nothing_back() -> None:
    removal = enforcing.without_passwords()
    lead = make.staff_actor(make.staff(StaffRole.IDENTITY_BILLING_LEAD))
    with tenancy.scope(tenant_id=removal.tenant_id):
        assert removals.restore(removal=removal, by=lead, at=timezone.now()) == 0
        removal.refresh_from_db()
    assert removal.restored_at
