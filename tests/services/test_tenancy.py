"""The signed context: who sees what, and what a forger, a thief and a latecomer see."""

import hashlib
import hmac
import time
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import ConnectionHandler, IntegrityError, ProgrammingError, connection, transaction

from accounts.models import Member, Tenant
from core import tenancy
from core.actor import Actor
from core.models import LedgerEntry
from portal.house.postgres import SUPERUSER
from portal.house.state import Memory
from tests import make
from tests.control import superuser


@pytest.fixture
def ours(db) -> Tenant:
    return make.tenant("Ours")


@pytest.fixture
def theirs(db) -> Tenant:
    return make.tenant("Theirs")


def seen() -> set[str]:
    """What a query without any filter returns."""
    return set(Tenant.objects.values_list("name", flat=True))


def set_context(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('crossing.context', %s, false)", [text])


def test_without_a_scope_there_are_no_rows(ours, theirs):
    assert seen() == set()


def test_a_scope_shows_one_tenant(ours, theirs):
    with tenancy.scope(tenant_id=ours.pk):
        assert seen() == {"Ours"}
    assert seen() == set()


def test_a_staff_scope_shows_every_tenant(ours, theirs):
    with tenancy.staff_scope(by=make.SYSTEM, reason="look around"):
        assert seen() == {"Ours", "Theirs"}


def test_nested_scopes_restore_the_one_before(ours, theirs):
    with tenancy.staff_scope(by=make.SYSTEM, reason="look around"):
        with tenancy.scope(tenant_id=ours.pk):
            with tenancy.scope(tenant_id=theirs.pk):
                assert seen() == {"Theirs"}
            with tenancy.empty_scope():
                assert seen() == set()
            assert seen() == {"Ours"}
        assert seen() == {"Ours", "Theirs"}


def test_a_scope_ends_when_its_block_raises(ours):
    with pytest.raises(LookupError), tenancy.scope(tenant_id=ours.pk):
        raise LookupError
    assert seen() == set()
    assert tenancy.current() == tenancy.EMPTY


def test_a_scope_survives_the_rollback_of_a_transaction_inside_it(ours, theirs):
    with tenancy.scope(tenant_id=ours.pk):
        with pytest.raises(IntegrityError), transaction.atomic():
            Tenant.objects.create(pk=ours.pk, name="Again", slug="again", legacy_ref="again")
        assert seen() == {"Ours"}


def test_a_scope_outlives_its_connection(committed_db):
    ours = make.tenant("Ours")
    with tenancy.scope(tenant_id=ours.pk):
        connection.close()
        assert seen() == {"Ours"}
    connection.close()
    assert seen() == set()


def test_a_connection_that_died_is_given_up_at_the_end(committed_db):
    ours = make.tenant("Ours")
    with tenancy.scope(tenant_id=ours.pk):
        assert seen() == {"Ours"}
        with superuser() as control:
            control.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    assert connection.connection is None
    assert seen() == set()


def test_rows_cannot_be_written_into_another_tenant(ours, theirs):
    person = make.user()
    with tenancy.scope(tenant_id=ours.pk), pytest.raises(ProgrammingError, match="row-level security"):
        Member.objects.create(tenant=theirs, user=person, role="owner")


def test_a_row_cannot_point_into_another_tenant(committed_db):
    """What row-level security lets through, the composite foreign key does not: even staff cannot cross tenants."""
    from cutover.models import Cutover

    ours, theirs = make.tenant("Ours"), make.tenant("Theirs")
    stranger = make.member(theirs)
    with make.arranging(), pytest.raises(IntegrityError, match="tenant_fk"), transaction.atomic():
        Cutover.objects.create(tenant=ours, phase_since=ours.created_at, approver=stranger)


def test_sql_in_a_query_cannot_switch_the_tenant(ours, theirs):
    """`set_config` from inside a query changes the setting, but the forger has no key."""
    forged = f"tenant:{theirs.pk}|{int(time.time()) + 600}|{'0' * 64}"
    with tenancy.scope(tenant_id=ours.pk):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT name FROM accounts_tenant WHERE set_config('crossing.context', '{forged}', false) <> ''"
                f" UNION ALL SELECT name FROM accounts_tenant"
            )
            assert "Theirs" not in {row[0] for row in cursor.fetchall()}
        assert seen() == set()


def test_sql_in_a_query_cannot_become_staff(ours, theirs):
    with tenancy.scope(tenant_id=ours.pk), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('role', 'crossing_staff', false)")
        assert seen() == set()


@pytest.mark.parametrize(
    "forgery", ["", "|", "||", "tenant:x|9999999999|ff", "tenant:{id}|99999999999999|ff", "tenant:{id}|-1|{mac}"]
)
def test_nonsense_is_no_context(ours, forgery):
    set_context(forgery.format(id=ours.pk, mac="0" * 64))
    assert seen() == set()


def test_the_key_cannot_be_read(ours):
    with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="permission denied"):
        cursor.execute("SELECT * FROM crossing_private.tenancy_key")


def test_a_context_of_another_backend_is_refused(ours):
    """Stolen from one connection, a signature is worth nothing on another."""
    pid, later = connection.connection.info.backend_pid, int(time.time()) + 600
    context = tenancy.Context(tenant_id=ours.pk)
    set_context(tenancy.token(context, backend_pid=pid + 1, expiry=later))
    assert seen() == set()
    set_context(tenancy.token(context, backend_pid=pid, expiry=later))
    assert seen() == {"Ours"}, "the same, signed for this backend, holds: the refusal was for the backend"


def test_an_expired_context_shows_nothing(ours):
    pid = connection.connection.info.backend_pid
    context = tenancy.Context(tenant_id=ours.pk)
    set_context(tenancy.token(context, backend_pid=pid, expiry=int(time.time()) - 1))
    assert seen() == set()


def test_a_context_cannot_be_prolonged_or_promoted(ours, theirs):
    pid, soon = connection.connection.info.backend_pid, int(time.time()) + 60
    signed = tenancy.token(tenancy.Context(tenant_id=ours.pk), backend_pid=pid, expiry=soon)
    subject, expiry, signature = signed.split("|")
    for forged in (
        f"{subject}|{int(expiry) + 1}|{signature}",
        f"tenant:{theirs.pk}|{expiry}|{signature}",
        f"staff:{ours.pk}|{expiry}|{signature}",
    ):
        set_context(forged)
        assert seen() == set()


def test_the_signature_is_plain_hmac(settings):
    settings.TENANCY_KEY = "ab" * 32
    tenant_id = uuid4()
    expected = hmac.new(bytes.fromhex("ab" * 32), f"tenant:{tenant_id}|77|42".encode(), hashlib.sha256).hexdigest()
    assert tenancy.token(tenancy.Context(tenant_id=tenant_id), backend_pid=42, expiry=77).endswith(f"|77|{expected}")


def test_a_key_the_database_does_not_know_opens_nothing(ours, settings):
    settings.TENANCY_KEY = "00" * 32
    with tenancy.scope(tenant_id=ours.pk):
        assert seen() == set()


def test_keys_rotate(committed_db, settings):
    """While two keys are installed both sign validly; the old one ends with the migration that drops it."""
    ours = make.tenant("Ours")
    old, new = settings.TENANCY_KEY, "cd" * 32

    def install(*keys: str) -> None:
        with superuser() as owner:
            owner.execute("DELETE FROM crossing_private.tenancy_key")
            for key in keys:
                owner.execute(
                    "INSERT INTO crossing_private.tenancy_key VALUES (%s, %s)", tenancy.pads(bytes.fromhex(key))
                )

    def opens_with(key: str) -> bool:
        settings.TENANCY_KEY = key
        with tenancy.scope(tenant_id=ours.pk):
            return seen() == {"Ours"}

    install(old, new)
    assert opens_with(f"{old},{new}")
    assert opens_with(f"{new},{old}")
    install(new)
    assert opens_with(new)
    assert not opens_with(old)


def test_a_long_scope_is_signed_anew(ours, monkeypatch):
    with tenancy.scope(tenant_id=ours.pk):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('crossing.context')")
            before = cursor.fetchone()[0]
        clock = time.time() + tenancy.LIFETIME * 0.6
        monkeypatch.setattr(time, "time", lambda: clock)
        assert seen() == {"Ours"}
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('crossing.context')")
            after = cursor.fetchone()[0]
    assert int(after.split("|")[1]) > int(before.split("|")[1])


def test_a_renewal_taken_back_by_a_rollback_is_made_again(ours, monkeypatch):
    with tenancy.scope(tenant_id=ours.pk):
        clock = time.time() + tenancy.LIFETIME * 0.6
        with transaction.atomic():
            monkeypatch.setattr(time, "time", lambda: clock)  # inside: the savepoint itself is a query, too
            assert seen() == {"Ours"}
            transaction.set_rollback(True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('crossing.context')")
            assert int(cursor.fetchone()[0].split("|")[1]) == int(clock) + tenancy.LIFETIME


def test_scopes_cost_no_counted_query(ours, django_assert_num_queries):
    with django_assert_num_queries(1), tenancy.scope(tenant_id=ours.pk):
        seen()


def test_scopes_are_not_opened_inside_a_transaction(ours, theirs):
    with transaction.atomic(), pytest.raises(tenancy.TransactionOpenError), tenancy.scope(tenant_id=ours.pk):
        pass
    with tenancy.scope(tenant_id=ours.pk), transaction.atomic(), tenancy.scope(tenant_id=ours.pk):
        assert seen() == {"Ours"}, "the same scope again changes nothing and is let through"


def test_ports_refuse_to_be_called_inside_a_transaction(db):
    tenancy.forbid_transaction()
    with pytest.raises(tenancy.TransactionOpenError, match="Asking DNS"), transaction.atomic():
        tenancy.forbid_transaction("Asking DNS")


def test_a_staff_scope_names_its_reason(db):
    with pytest.raises(ValueError, match="reason"), tenancy.staff_scope(by=make.SYSTEM, reason=" "):
        pass


@pytest.mark.parametrize("by", [Actor.anonymous(), Actor.member(user_id=uuid4(), tenant_id=uuid4(), role="owner")])
def test_only_staff_and_the_house_open_a_staff_scope(db, by):
    with pytest.raises(PermissionError), tenancy.staff_scope(by=by, reason="curiosity"):
        pass


def test_a_persons_staff_scope_is_audited_with_its_reason(db):
    actor = make.staff_actor(make.staff("support"))
    with tenancy.staff_scope(by=actor, reason="ticket 17"):
        entry = LedgerEntry.objects.get(event="core.staff_scope.opened")
    assert (entry.actor_id, entry.data) == (actor.id, {"reason": "ticket 17"})


def test_memberships_are_found_without_a_scope(ours, theirs):
    member = make.member(ours, "admin")
    assert tenancy.find_membership(user_id=member.user_id, slug=ours.slug) == tenancy.Membership(
        ours.pk, member.pk, "admin"
    )
    assert tenancy.find_membership(user_id=member.user_id, slug=theirs.slug) is None
    assert tenancy.find_memberships(user_id=member.user_id) == [tenancy.TenantName(ours.slug, "Ours", "admin", ours.pk)]


def test_who_left_is_a_stranger(ours):
    member = make.member(ours)
    with make.arranging():
        Member.objects.filter(pk=member.pk).update(deactivated_at=ours.created_at, deactivated_by=member.user_id)
    assert tenancy.find_membership(user_id=member.user_id, slug=ours.slug) is None
    assert tenancy.find_memberships(user_id=member.user_id) == []


def test_a_superuser_is_refused(db):
    """Row-level security would be off without a word."""
    memory = Memory()
    there = {**settings.DATABASES["default"], "USER": SUPERUSER, "PASSWORD": memory.secret(SUPERUSER)}
    wrong = ConnectionHandler({"default": there})["default"]
    with pytest.raises(ImproperlyConfigured, match="superuser"):
        wrong.ensure_connection()
    assert wrong.connection is None


def test_the_owner_of_the_tables_sees_no_rows_either(committed_db):
    """FORCE: a data migration must declare a context, or it touches nothing."""
    make.tenant("Ours")
    with superuser() as control:
        control.execute("SET ROLE crossing_owner")
        assert control.execute("SELECT count(*) FROM accounts_tenant").fetchone() == (0,)
        control.execute("RESET ROLE")
        assert control.execute("SELECT count(*) FROM accounts_tenant").fetchone() == (1,)


def test_a_scope_on_a_connection_that_died_before_opens_another(committed_db):
    ours = make.tenant("Ours")
    assert seen() == set()
    with superuser() as control:
        control.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    with tenancy.scope(tenant_id=ours.pk):
        assert seen() == {"Ours"}
