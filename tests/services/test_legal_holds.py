"""Nothing of an account is removed while a legal hold stands on it, whoever would remove it; and it is told."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import nullcontext

import psycopg
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Tenant
from backfills.domain.runs import RunState
from backfills.models import DeadLetter, OutcomeTotal, Run
from backfills.services import retries, runs
from core import activity, holds, ports, queue, tenancy
from core.actor import Actor
from core.models import LedgerEntry
from core.permissions import StaffRole
from parity_reports.models import Report
from parity_reports.services import reports
from portal.adapters import catching, newplatform, stage, staged
from tests import airline, holding, make
from tests.databases import Platforms

HOUSE = Actor.system("tests")
pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world(airline_world: Platforms, settings: Settings) -> Platforms:
    airline.compare_with(airline_world, settings)
    return airline_world


@pytest.fixture
def tenant(world: Platforms) -> Iterator[Tenant]:
    made = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    with tenancy.scope(tenant_id=made.pk):
        yield made


def move(tenant: Tenant, *entities: str) -> dict[str, Run]:
    started = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=entities or None)
    queue.run_pending()
    return {run.entity: Run.objects.get(pk=run.pk) for run in started}


def compare(tenant: Tenant) -> Report:
    report = reports.request(tenant_id=tenant.pk, by=HOUSE, at=timezone.now())
    queue.run_pending()
    report.refresh_from_db()
    return report


def flights(world: Platforms) -> int:
    ((number,),) = airline.new_rows(world, "SELECT count(*) FROM platform.flight")
    return int(number)


@pytest.mark.slow
def test_a_run_keeps_what_it_would_remove_and_says_so_until_the_hold_is_released(
    world: Platforms, tenant: Tenant
) -> None:
    airline.flights(world, 4)
    move(tenant)
    hold = holding.place(tenant.pk)
    airline.legacy_do(world, "DELETE FROM flt_hist WHERE flt_seq = 2")
    run = move(tenant, "flights")["flights"]
    assert (run.state, run.source_total, run.removed, run.held, flights(world)) == (RunState.SUCCEEDED, 3, 0, 1, 4)
    assert sum(OutcomeTotal.objects.filter(run=run).values_list("count", flat=True)) == 3, "it balances"
    finished = LedgerEntry.objects.get(subject_id=str(run.pk), event="backfills.run.finished")
    assert activity.tell(finished.event, finished.data) == "moved flights: 3 rows accounted for, 1 held"

    client = Client()
    client.force_login(make.member(tenant, "admin").user)
    told = "1 object is held: nothing in legacy asks for it any more. The first run after the release removes"
    listing = client.get(f"/t/{tenant.slug}/runs/").content.decode()
    assert "A legal hold stands on this account" in listing
    assert told in listing
    assert "and holds what was deleted there" in listing
    assert told in client.get(f"/t/{tenant.slug}/runs/entities/flights/").content.decode()
    assert "1 object." in client.get(f"/t/{tenant.slug}/runs/entities/flights/rows/?fate=held").content.decode()
    fate = client.post(f"/t/{tenant.slug}/runs/entities/flights/find/", {"key": "2"}).content.decode()
    assert "Held since" in fate
    assert "because a legal hold stood then" in fate

    report = compare(tenant)
    assert (report.verdict, report.extra, report.on_hold, report.problem) == ("equal", 0, 1, ""), report.problem
    page = client.get(f"/t/{tenant.slug}/parity/{report.pk}/").content.decode()
    assert "1 record of the new platform stays there although nothing in legacy asks for it any more" in page

    holding.release(hold)
    after = compare(tenant)
    assert (after.verdict, after.extra, after.on_hold) == ("different", 1, 0), "nothing keeps it any more"
    run = move(tenant, "flights")["flights"]
    assert (run.removed, run.held, flights(world)) == (1, 0, 3)
    assert "legal hold" not in client.get(f"/t/{tenant.slug}/runs/").content.decode()


@pytest.mark.slow
def test_a_hold_that_is_placed_while_a_run_is_under_way_counts_from_its_next_step(
    world: Platforms, tenant: Tenant
) -> None:
    airline.flights(world, 3)
    move(tenant)
    airline.legacy_do(world, "DELETE FROM flt_hist WHERE flt_seq = 1")
    (run,) = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["flights"])
    for _ in range(2):  # it begins, and moves its only batch
        assert runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    holding.place(tenant.pk)
    while runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now()):
        pass
    run.refresh_from_db()
    assert (run.state, run.removed, run.held, flights(world)) == (RunState.SUCCEEDED, 0, 1, 3)


@pytest.mark.slow
@pytest.mark.parametrize("catches_up", [False, True])
def test_a_hold_that_is_placed_while_legacys_keys_are_read_counts(
    world: Platforms, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, catches_up: bool
) -> None:
    airline.flights(world, 3)
    move(tenant)
    airline.legacy_do(world, "DELETE FROM flt_hist WHERE flt_seq = 1")
    asked = {"entities": ["flights"], "catch_up": catches_up}
    (run,) = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), **asked)
    holding.overtake(monkeypatch, type(ports.legacy()), "held" if catches_up else "keys", tenant.pk)
    for _ in range(2):  # it begins, and moves its only batch
        assert runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    with nullcontext() if not catches_up else pytest.raises(ports.Unavailable, match="legal hold"):
        runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    while runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now()):
        pass
    run.refresh_from_db()
    assert (run.state, run.removed, run.held, flights(world)) == (RunState.SUCCEEDED, 0, 1, 3)


@pytest.mark.slow
@pytest.mark.parametrize("catches_up", [False, True])
def test_a_hold_that_is_placed_while_the_end_of_a_run_is_written_counts(
    world: Platforms, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, catches_up: bool
) -> None:
    airline.flights(world, 3)
    move(tenant)
    airline.legacy_do(world, "DELETE FROM flt_hist WHERE flt_seq = 1")
    asked = {"entities": ["flights"], "catch_up": catches_up}
    (run,) = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), **asked)
    holding.overtake(monkeypatch, catching if catches_up else newplatform, "close", tenant.pk)
    for _ in range(2):  # it begins, and moves its only batch
        assert runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    with pytest.raises(ports.Unavailable, match="legal hold"):
        runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    assert flights(world) == 3, "what was written is taken back"
    while runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now()):
        pass
    run.refresh_from_db()
    assert (run.state, run.removed, run.held, flights(world)) == (RunState.SUCCEEDED, 0, 1, 3)


@pytest.mark.slow
def test_a_hold_that_is_placed_while_a_batch_is_written_has_its_values_copied_first(
    world: Platforms, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    airline.flights(world, 2)
    move(tenant)
    airline.legacy_do(world, "UPDATE flt_hist SET dist_mi = 7777 WHERE flt_seq = 1")
    (run,) = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["flights"])
    holding.overtake(monkeypatch, staged.Staged, "upsert", tenant.pk)
    assert runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    with pytest.raises(ports.Unavailable, match="legal hold"):
        runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now())
    while runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now()):
        pass
    assert len(list(ports.mover().preserved(account_id=tenant.pk))) == 1


def copies_of_rejected_rows(world: Platforms) -> int:
    with psycopg.connect(world.new_loader) as connection:
        row = connection.execute("SELECT count(payload) FROM crossing_stage.dead_letter").fetchone()
    return int(row[0]) if row else 0


@pytest.fixture
def rejected(world: Platforms, tenant: Tenant) -> Run:
    """A run one of whose rows was rejected, and is gone from legacy since."""
    airline.flights(world, 2)
    airline.flights(world, 1, tail_no="N3AAAA")
    run = move(tenant)["flights"]
    airline.legacy_do(world, "DELETE FROM flt_hist WHERE tail_no = 'N3AAAA'")
    assert DeadLetter.objects.get().payload
    assert copies_of_rejected_rows(world) == 1
    return run


@pytest.mark.slow
def test_a_hold_that_is_placed_while_rejected_rows_are_judged_again_keeps_their_copies(
    world: Platforms, tenant: Tenant, rejected: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    retries.request(run=rejected, by=HOUSE, at=timezone.now())
    holding.overtake(monkeypatch, stage, "bury", tenant.pk)
    with pytest.raises(ports.Unavailable, match="legal hold"):
        runs.advance(run_id=rejected.pk, by=HOUSE, at=timezone.now())
    while runs.advance(run_id=rejected.pk, by=HOUSE, at=timezone.now()):
        pass
    letter = DeadLetter.objects.get()
    assert (letter.state, bool(letter.payload), copies_of_rejected_rows(world)) == ("resolved", True, 1)


@pytest.mark.slow
def test_a_hold_that_is_placed_right_after_the_end_of_a_run_keeps_the_copies_of_rejected_rows(
    tenant: Tenant, rejected: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = runs.start(tenant_id=tenant.pk, by=HOUSE, at=timezone.now(), entities=["flights"])
    holding.overtake(monkeypatch, type(ports.mover()), "finish", tenant.pk)
    while runs.advance(run_id=run.pk, by=HOUSE, at=timezone.now()):
        pass
    letter = DeadLetter.objects.get()
    assert (letter.state, bool(letter.payload)) == ("resolved", True)


@pytest.mark.slow
def test_only_the_account_under_hold_is_spared(world: Platforms, tenant: Tenant) -> None:
    with make.arranging():
        other = make.tenant("Other Air")
        holding.place(other.pk)
        assert holds.legally_held(at=timezone.now()) == {other.pk}
    airline.flights(world, 2)
    move(tenant)
    airline.legacy_do(world, "DELETE FROM flt_hist WHERE flt_seq = 1")
    assert move(tenant, "flights")["flights"].removed == 1


@pytest.mark.slow
def test_the_check_before_the_move_says_what_would_be_held(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 2)
    move(tenant)
    holding.place(tenant.pk)
    airline.legacy_do(world, "DELETE FROM flt_hist WHERE flt_seq = 1")
    client = Client()
    client.force_login(make.member(tenant, "admin").user)
    client.post(f"/t/{tenant.slug}/runs/inspection/request/")
    queue.run_pending()
    page = client.get(f"/t/{tenant.slug}/runs/inspection/").content.decode()
    assert "The move would hold something" in page
    assert "The move would remove something" not in page


@pytest.mark.slow
def test_what_was_written_over_is_handed_out_with_a_reason_and_a_ledger_entry(world: Platforms, tenant: Tenant) -> None:
    airline.flights(world, 2)
    move(tenant)
    holding.place(tenant.pk)
    airline.legacy_do(world, "UPDATE flt_hist SET dist_mi = 7777 WHERE flt_seq = 1")
    move(tenant, "flights")
    lawyer = Client()
    lawyer.force_login(make.staff(StaffRole.LEGAL_PRIVACY_LEAD))
    page = f"/staff/preserved/{tenant.pk}/"
    assert "1 copy of objects, each as it stood" in lawyer.get(page).content.decode()
    assert lawyer.post(f"{page}copies.jsonl", {"reason": " "}).status_code == 422
    taken = lawyer.post(f"{page}copies.jsonl", {"reason": "Matter 4711"})
    body = b"".join(taken)
    first, copy, last = map(json.loads, body.splitlines())
    assert (first["copies"], copy["entity"], last["end"], last["copies"]) == (1, "flights", True, 1)
    before = b"".join(body.splitlines(keepends=True)[:-1])
    assert last["sha256"] == hashlib.sha256(before).hexdigest()
    assert "7777" not in json.dumps(copy["object"]), "as it was before"
    entry = LedgerEntry.objects.get(event="compliance.preserved.exported")
    assert (entry.data, "4711" in str(entry.__dict__)) == ({"copies": 1}, False)
