"""The ledger in the database: what triggers, grants and scopes hold, and that the proof finds what they cannot."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, ProgrammingError, connection, transaction

from accounts.models import Tenant
from core import activity, chain, ledger, tenancy
from core.models import LedgerCheckpoint, LedgerDatum, LedgerEntry, LedgerHead
from tests import make
from tests.control import superuser

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def ours(db) -> Tenant:
    return make.tenant("Ours")


def note(tenant_id: UUID | None, number: int = 1, personal: dict[str, str] | None = None) -> UUID:
    with transaction.atomic():
        return ledger.record(
            "tests.note.made", by=make.SYSTEM, at=AT, tenant_id=tenant_id, subject=("tests.note", number),
            data={"n": number}, personal=personal,
        )  # fmt: skip


def verdict(tenant_id: UUID | None, *, witnesses: tuple[str, ...] = ()) -> chain.Verdict:
    lines = list(ledger.export(tenant_id=tenant_id, at=AT))
    return chain.verify(lines, public_keys=[bytes.fromhex(ledger.public_key())], witnesses=witnesses)


def signed(tenant_id: UUID, at: datetime = AT) -> LedgerCheckpoint:
    checkpoint = ledger.checkpoint(tenant_id=tenant_id, at=at)
    assert checkpoint is not None
    return checkpoint


def refused(sql: str, *params: Any) -> str:
    with transaction.atomic():
        with connection.cursor() as cursor, pytest.raises(DatabaseError) as refusal:
            cursor.execute(sql, params)
        transaction.set_rollback(True)
    return str(refusal.value)


def test_an_entry_says_what_was_recorded(ours):
    person = make.member(ours, "admin")
    with tenancy.scope(tenant_id=ours.pk):
        with transaction.atomic():
            entry_id = ledger.record(
                "accounts.domain.verified", by=make.actor(person), at=AT, tenant_id=ours.pk, subject=person,
                data={"tries": 3, "rate": Decimal("99.90"), "since": AT, "of": ours.pk, "list": ["a", None], "x": 0.5},
            )  # fmt: skip
        entry = LedgerEntry.objects.get(pk=entry_id)
    assert (entry.chain, entry.seq, entry.event, entry.at) == (ours.pk, 1, "accounts.domain.verified", AT)
    assert (entry.actor_kind, entry.actor_id) == ("member", person.user_id)
    assert (entry.subject_type, entry.subject_id) == ("accounts.member", str(person.pk))
    assert entry.data == {
        "tries": 3, "rate": "99.90", "since": "2026-03-01T09:30:00.000000Z", "of": str(ours.pk),
        "list": ["a", None], "x": "0.5",
    }  # fmt: skip
    assert bytes(entry.prev) == chain.genesis(str(ours.pk))
    assert bytes(entry.hash) == chain.entry_hash(bytes(entry.prev), entry.body.encode())
    assert chain.canonical(json.loads(entry.body)) == entry.body.encode()


def test_names_and_addresses_stay_out(ours):
    """No personal data in the chain: an actor is an id, a personal datum a salted digest."""
    person = make.member(ours, person=make.user("Zofia Nowak", email="zofia@ours.example"))
    with tenancy.scope(tenant_id=ours.pk), transaction.atomic():
        entry_id = ledger.record(
            "accounts.invitation.sent", by=make.actor(person), at=AT, tenant_id=ours.pk, subject=person,
            personal={"email": "zofia@ours.example"},
        )  # fmt: skip
    with tenancy.scope(tenant_id=ours.pk):
        body = LedgerEntry.objects.get(pk=entry_id).body
        datum = LedgerDatum.objects.get(entry_id=entry_id)
    assert "ofia" not in body
    assert json.loads(body)["personal"] == {"email": ledger.digest(bytes(datum.salt), "zofia@ours.example")}


def test_equal_data_have_unequal_digests(ours):
    with tenancy.scope(tenant_id=ours.pk):
        for _ in range(2):
            note(ours.pk, personal={"email": "a@ours.example"})
        digests = {json.loads(entry.body)["personal"]["email"] for entry in LedgerEntry.objects.all()}
    assert len(digests) == 2


def test_erasing_a_datum_leaves_the_chain_whole(ours):
    with tenancy.scope(tenant_id=ours.pk):
        entry_id = note(ours.pk, personal={"email": "a@ours.example", "name": "A"})
        assert ledger.erase(tenant_id=ours.pk, entry_id=entry_id, by=make.SYSTEM, at=AT) == 2
        assert ledger.erase(tenant_id=ours.pk, entry_id=entry_id, by=make.SYSTEM, at=AT) == 0
        assert not LedgerDatum.objects.exists()
        assert [entry.event for entry in ledger.recent(tenant_id=ours.pk)] == [
            "core.ledger.datum_erased",
            "tests.note.made",
        ]
        assert verdict(ours.pk).proven


def test_a_zero_character_cannot_stop_an_entry(ours):
    with tenancy.scope(tenant_id=ours.pk), transaction.atomic():
        ledger.record("a.b.c", by=make.SYSTEM, at=AT, tenant_id=ours.pk, subject=("t", "1"), data={"x": "a\0b"})


def test_a_change_is_recorded_in_its_own_transaction(ours):
    with tenancy.scope(tenant_id=ours.pk), pytest.raises(RuntimeError, match="transaction"):
        ledger.record("a.b.c", by=make.SYSTEM, at=AT, tenant_id=ours.pk, subject=("t", "1"))


def test_what_is_rolled_back_leaves_no_gap(ours):
    with tenancy.scope(tenant_id=ours.pk):
        note(ours.pk)
        with transaction.atomic():
            note(ours.pk, 2)
            transaction.set_rollback(True)
        note(ours.pk, 3)
        assert [(entry.seq, entry.data["n"]) for entry in LedgerEntry.objects.order_by("seq")] == [(1, 1), (2, 3)]
        assert verdict(ours.pk).proven


def test_a_time_without_a_zone_is_refused(ours):
    with tenancy.scope(tenant_id=ours.pk), pytest.raises(ValueError, match="zone"), transaction.atomic():
        ledger.record("a.b.c", by=make.SYSTEM, at=datetime(2026, 1, 1), tenant_id=ours.pk, subject=("t", "1"))  # noqa: DTZ001


@pytest.mark.parametrize("table", ["core_ledger_entry", "core_ledger_checkpoint"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET body = '{{}}'",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "DROP TABLE {}",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
    ],
)
@pytest.mark.parametrize("staff", [False, True])
def test_serving_roles_cannot_change_the_ledger(ours, table, statement, staff):
    scope = tenancy.staff_scope(by=make.SYSTEM, reason="try") if staff else tenancy.scope(tenant_id=ours.pk)
    with scope:
        note(ours.pk)
        ledger.checkpoint(tenant_id=ours.pk, at=AT)
        assert "permission denied" in (said := refused(statement.format(table))) or "must be owner" in said


@pytest.mark.parametrize("column", ["seq", "hash", "prev", "chain", "at"])
def test_only_the_words_of_an_entry_can_be_given(ours, column):
    with tenancy.scope(tenant_id=ours.pk):
        assert "permission denied" in refused(f"INSERT INTO core_ledger_entry (body, {column}) VALUES ('{{}}', NULL)")


@pytest.mark.parametrize("body", ["nonsense", "[]", '{"a":1,"a":2}', None])
def test_an_entry_is_a_json_object(ours, body):
    with tenancy.scope(tenant_id=ours.pk):
        assert "JSON object" in refused("INSERT INTO core_ledger_entry (body) VALUES (%s)", body)


def test_not_even_a_superuser_changes_a_row_unless_they_disable_the_triggers(committed_db):
    ours = make.tenant()
    with tenancy.scope(tenant_id=ours.pk):
        note(ours.pk)
    with superuser() as control:
        control.execute("SET session_replication_role = replica")  # disables all triggers but ALWAYS ones
        for statement in (
            "UPDATE core_ledger_entry SET event = 'x'",
            "DELETE FROM core_ledger_entry",
            "TRUNCATE core_ledger_entry",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only grows"):
                control.execute(statement)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE core_ledger_entry SET body = replace(body, '\"n\":2', '\"n\":7') WHERE seq = 2",
        "DELETE FROM core_ledger_entry WHERE seq = 2",
        "UPDATE core_ledger_entry SET seq = CASE seq WHEN 2 THEN 3 ELSE 2 END WHERE seq IN (2, 3)",
        "DELETE FROM core_ledger_checkpoint WHERE number = 1",
        "DELETE FROM core_ledger_entry WHERE seq = 4",
    ],
)
def test_what_a_superuser_tampers_with_is_refuted(committed_db, tampering):
    ours = make.tenant()
    with tenancy.scope(tenant_id=ours.pk):
        for number in (1, 2, 3):
            note(ours.pk, number)
        ledger.checkpoint(tenant_id=ours.pk, at=AT)
        note(ours.pk, 4)
        witness = signed(ours.pk).witness
        assert verdict(ours.pk, witnesses=(witness,)).proven
    with superuser() as control:
        control.execute("ALTER TABLE core_ledger_entry DISABLE TRIGGER ALL")
        control.execute("ALTER TABLE core_ledger_checkpoint DISABLE TRIGGER ALL")
        control.execute("ALTER TABLE core_ledger_entry DROP CONSTRAINT core_ledger_entry_place")
        assert control.execute(tampering).rowcount
    with tenancy.scope(tenant_id=ours.pk):
        assert not verdict(ours.pk, witnesses=(witness,)).proven


def test_chains_are_kept_apart(ours):
    theirs = make.tenant("Theirs")
    for tenant in (ours, theirs):
        with tenancy.scope(tenant_id=tenant.pk):
            note(tenant.pk)
            assert list(LedgerEntry.objects.values_list("chain", "seq")) == [(tenant.pk, 1)]
    with tenancy.scope(tenant_id=ours.pk):
        with pytest.raises(ProgrammingError, match="row-level security"):
            note(theirs.pk)
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM crossing.ledger_head(%s)", [theirs.pk])
            assert cursor.fetchall() == []


def test_anyone_adds_to_the_programmes_chain_and_only_staff_reads_it(ours):
    with tenancy.empty_scope():
        note(None)
        assert not LedgerEntry.objects.exists()
    with tenancy.scope(tenant_id=ours.pk):
        note(None, 2)
        assert not LedgerEntry.objects.exists()
    with make.arranging():
        assert LedgerEntry.objects.filter(chain=ledger.PROGRAMME).count() == 2
        assert verdict(None).proven


def test_nobody_moves_a_head_by_hand(ours):
    with make.arranging():
        note(ours.pk)
        assert LedgerHead.objects.get(pk=ours.pk).seq == 1
        assert "permission denied" in refused("UPDATE core_ledger_head SET seq = 9")


def test_trigger_functions_cannot_be_borrowed(ours):
    """Attached to a table of one's own they would move heads: temporary tables are refused, and so are they."""
    with tenancy.scope(tenant_id=ours.pk):
        assert "permission denied" in refused("CREATE TEMP TABLE mine (LIKE core_ledger_entry)")
        assert "permission denied" in refused("SELECT crossing.ledger_append()")


def test_a_checkpoint_signs_the_head_once(ours):
    with tenancy.scope(tenant_id=ours.pk):
        assert ledger.checkpoint(tenant_id=ours.pk, at=AT) is None
        note(ours.pk)
        first = signed(ours.pk)
        assert signed(ours.pk, AT + timedelta(minutes=5)) == first
        note(ours.pk, 2)
        second = signed(ours.pk, AT + timedelta(minutes=5))
    assert (first.number, first.seq, second.number, second.seq) == (1, 1, 2, 2)
    assert json.loads(second.body)["prev"] == first.witness


def test_a_checkpoint_must_continue_the_chain(ours):
    with tenancy.scope(tenant_id=ours.pk):
        note(ours.pk)
        honest = json.loads(signed(ours.pk).body)
        note(ours.pk, 2)
        for lie in (honest, honest | {"number": 2}, honest | {"seq": 2, "number": 2}, {"chain": str(ours.pk)}):
            said = refused(
                "INSERT INTO core_ledger_checkpoint (body, signature) VALUES (%s, %s)", json.dumps(lie), b"\0" * 64
            )
            assert "does not continue" in said


def test_beat_signs_every_chain_that_grew(ours):
    theirs = make.tenant()
    with make.arranging():
        note(ours.pk)
        note(theirs.pk)
        note(None)
        assert ledger.checkpoint_all(at=AT) == 3
        assert ledger.checkpoint_all(at=AT) == 0
        note(ours.pk)
        assert ledger.checkpoint_all(at=AT) == 1
        assert LedgerCheckpoint.objects.filter(chain=ours.pk).count() == 2


def test_entries_of_two_transactions_stand_in_line(committed_db):
    """Two at once: the second waits for the first's commit, and no place is given twice or left out."""
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    ours = make.tenant()

    def several(start: int) -> None:
        try:
            with tenancy.scope(tenant_id=ours.pk):
                for number in range(start, start + 20):
                    note(ours.pk, number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(several, range(0, 80, 20)))
    with tenancy.scope(tenant_id=ours.pk):
        assert list(LedgerEntry.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 81))
        assert verdict(ours.pk).proven


def test_activity_is_told_in_sentences(ours, monkeypatch):
    monkeypatch.setattr(activity.SENTENCES, "_items", {})
    ledger.sentences({
        "tests.note.made": "made note {n} for {nobody}",
        "tests.note.burnt": lambda data: f"burnt {data['n']} notes",
        "tests.note.read": "Note read",
    })  # fmt: skip
    person = make.member(ours, person=make.user("Ada"))
    with tenancy.scope(tenant_id=ours.pk), transaction.atomic():
        for by, event in (
            (make.SYSTEM, "made"),
            (make.actor(person), "burnt"),
            (make.actor(person), "left_out"),
            (make.SYSTEM, "read"),
        ):
            ledger.record(f"tests.note.{event}", by=by, at=AT, tenant_id=ours.pk, subject=person, data={"n": 2})
    with tenancy.scope(tenant_id=ours.pk):
        told = [entry.sentence for entry in ledger.recent(tenant_id=ours.pk)]
        assert told == ["Note read", "Ada left out a note", "Ada burnt 2 notes", "Crossing made note 2 for …"]
        assert len(ledger.recent(tenant_id=ours.pk, limit=1)) == 1
        assert ledger.recent(tenant_id=ours.pk, subject=("accounts.member", uuid4())) == []


def test_activity_costs_two_queries_however_long(ours, django_assert_num_queries):
    with tenancy.scope(tenant_id=ours.pk):
        for number in range(30):
            note(ours.pk, number)
        with django_assert_num_queries(2):
            ledger.recent(tenant_id=ours.pk, limit=30)


def test_the_commands_export_and_verify(ours, tmp_path, capsys):
    with tenancy.scope(tenant_id=ours.pk):
        note(ours.pk)
        witness = signed(ours.pk).witness
    file = tmp_path / "ours.jsonl"
    call_command("export_ledger", file, slug=ours.slug)
    call_command("verify_ledger", file, witness=[witness])
    assert "PROVEN" in capsys.readouterr().out
    file.write_text(file.read_text().replace("tests.note.made", "tests.note.kept"))
    with pytest.raises(CommandError, match="refuted"):
        call_command("verify_ledger", file)
    assert "edited at entry 1" in capsys.readouterr().out
    with pytest.raises(CommandError, match="No tenant"):
        call_command("export_ledger", file, slug="nobody")


def test_what_is_recorded_during_an_export_waits_for_the_next(ours):
    with tenancy.scope(tenant_id=ours.pk):
        note(ours.pk)
        lines = ledger.export(tenant_id=ours.pk, at=AT)
        read = [next(lines)]
        note(ours.pk, 2)
        signed(ours.pk)
        read += lines
        assert chain.verify(read, public_keys=[bytes.fromhex(ledger.public_key())]).proven
        assert len(read) == 3


def test_an_empty_chain_is_proven_too(ours):
    with tenancy.scope(tenant_id=ours.pk):
        assert verdict(ours.pk).proven


def test_verifying_needs_no_database(tmp_path, django_db_blocker):
    body = chain.canonical({"chain": "c"})
    link = chain.entry_hash(chain.genesis("c"), body)
    file = tmp_path / "c.jsonl"
    lines = (
        {"format": chain.FORMAT, "chain": "c"},
        {"seq": 1, "prev": chain.genesis("c").hex(), "hash": link.hex(), "body": body.decode()},
    )
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with django_db_blocker.block(), pytest.raises(CommandError, match="refuted"):
        call_command("verify_ledger", file)
