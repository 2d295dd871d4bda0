"""What was kept to show that a move went well goes, attested, once nobody can go back; test messages earlier."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from pytest_django import Settings

from backfills.models import Batch, DeadLetter, InspectedEntity, InspectedFault, Inspection, OutcomeTotal, Run
from backfills.services import erasure as erasing
from compliance import tasks, verifier
from compliance.domain.datasets import Dataset
from compliance.models import Deletion
from compliance.queries import files
from compliance.queries import obligations as standing
from compliance.services import deletions
from compliance.services.datasets import HANDLED
from compliance.services.deletions import UnableToDelete
from core import holds, ledger, ports, queue, tenancy
from core.approvals import seals
from cutover.models import Cutover
from entitlements.models import Mismatch, Snapshot
from integrations.domain.retries import State
from integrations.models import Attempt, Endpoint, HarnessRun, Message
from integrations.services import erasure
from parity_reports.models import Report, Sample
from tests import drifting, holding, make
from tests.drifting import Drifting
from tests.queueing import now

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
KEPT = (Dataset.MOVES, Dataset.FINDINGS, Dataset.CONTRACTS, Dataset.MESSAGES)
pytestmark = [pytest.mark.slow, pytest.mark.django_db]


def fill(tenant_id: Any, *, at: datetime = AT) -> Endpoint:
    """Let an account have contracts that differed, and messages that were tried."""
    snapshot = Snapshot.objects.create(
        tenant_id=tenant_id, taken_at=at, taken_by=make.SYSTEM.id, matrix="1", use={}, unmapped=0, choices=0,
        mismatches=1, currency="EUR",
    )  # fmt: skip
    Mismatch.objects.create(tenant_id=tenant_id, subject="plan", title="Plan", opened_in=snapshot)
    endpoint = Endpoint.objects.create(
        tenant_id=tenant_id, url="https://a.example/", secret="s", registered_at=at, registered_by=make.SYSTEM.id
    )
    say(endpoint, at=at)
    return endpoint


def run(tenant_id: Any, *, at: datetime = AT) -> Run:
    """Let the rows of an account have been inspected, and moved but for one."""
    begun = Run.objects.create(
        tenant_id=tenant_id, entity="people", state="succeeded", spec="people 1", source_total=9, read=9, batches=1,
        requested_at=at, finished_at=at,
    )  # fmt: skip
    for fate, rule, count in (("migrated", "", 8), ("quarantined", "bad_year", 1)):
        OutcomeTotal.objects.create(tenant_id=tenant_id, run=begun, fate=fate, rule=rule, count=count)
    Batch.objects.create(
        tenant_id=tenant_id, run=begun, number=1, first_key="ann", last_key="zoe", rows=9, changed=8, committed_at=at
    )
    for number, state in enumerate(("open", "resolved")):
        DeadLetter.objects.create(
            tenant_id=tenant_id, run=begun, entity="people", source_key=f"bob{number}", state=state, rule="bad_year",
            spec="people 1", first_at=at, last_at=at, payload=b"sealed",
        )  # fmt: skip
    inspection = Inspection.objects.create(
        tenant_id=tenant_id, state="done", mapping_sha256="0" * 64, requested_at=at, finished_at=at
    )
    inspected = InspectedEntity.objects.create(
        tenant_id=tenant_id, inspection=inspection, entity="people", position=1, spec="people 1", rows=9, size=9,
        seconds=1, rejected=1,
    )  # fmt: skip
    InspectedFault.objects.create(
        tenant_id=tenant_id, inspected=inspected, rule="bad_year", count=1, examples=[["bob", "19x"]]
    )
    return begun


def say(endpoint: Endpoint, *, at: datetime, is_settled: bool = True) -> Message:
    end = {"state": State.DELIVERED.value, "settled_at": at} if is_settled else {"next_attempt_at": at}
    message = Message.objects.create(
        tenant_id=endpoint.tenant_id, endpoint=endpoint, message_id=uuid4().hex, event="crossing.test", body="{}",
        requested_at=at, requested_by=make.SYSTEM.id, **end,
    )  # fmt: skip
    Attempt.objects.create(tenant_id=endpoint.tenant_id, message=message, attempted_at=at, status=200)
    HarnessRun.objects.create(
        tenant_id=endpoint.tenant_id, endpoint=endpoint, requested_at=at, requested_by=make.SYSTEM.id,
        finished_at=at, has_passed=True,
    )  # fmt: skip
    return message


LEAD = "legal_privacy_lead"


@pytest.fixture
def done(settings: Settings, tmp_path: Path) -> Any:
    """An account whose move is over."""
    settings.QUEUE_RINGS = False
    settled: Drifting = drifting.settle(settings, tmp_path)
    settled.new(1, name="Somebody else")
    settled.compare()
    settled.new(2, name="Nobody")
    settled.look()
    with make.arranging():
        Cutover.objects.update_or_create(
            tenant_id=settled.tenant_id, defaults={"phase": "done", "phase_since": AT - timedelta(days=100)}
        )
    with tenancy.scope(tenant_id=settled.tenant_id):
        fill(settled.tenant_id)
        run(settled.tenant_id)
        yield settled.tenant_id


def test_a_quarter_after_the_move_it_goes_by_itself_and_that_is_attested(done: Any) -> None:
    before = {dataset: HANDLED[dataset].count(done) for dataset in KEPT}
    assert all(before.values())
    assert before[Dataset.FINDINGS]["drift"]
    assert Sample.objects.exists()
    with tenancy.empty_scope():
        with make.arranging():
            tasks.find_due_erasures(at=now())
        queue.run_pending()
    made = {row.deletion.dataset: row for row in standing.attestations(tenant_id=done)}
    for dataset in KEPT:
        report = verifier.verify(files.attestation(made[dataset]), server_key=seals.public_key())
        assert report.problems == []
        assert report.said["deleted"] == dict(before[dataset])
        assert not any(HANDLED[dataset].count(done).values())
        assert dataset.owner
    with tenancy.empty_scope(), make.arranging():
        assert [deletions.due_erasures(at=now(), dataset=dataset) for dataset in KEPT] == [[]] * len(KEPT)


def test_the_database_lets_go_of_reports_and_snapshots_only_while_that_is_ordered(done: Any) -> None:
    for model in (Sample, Mismatch):
        assert model.objects.all().delete()[0] == 0, "no order stands"
    with make.arranging(), pytest.raises(DatabaseError), transaction.atomic():
        Report.objects.all()._raw_delete("default")
    lead = make.staff_actor(make.staff(LEAD))
    deletions.order(tenant_id=done, dataset=Dataset.CONTRACTS, by=lead, at=now())
    assert Mismatch.objects.all().delete()[0] == 0, "it is ordered, and nobody works on it"
    Deletion.objects.update(begun_at=now() - timedelta(hours=2))
    assert Mismatch.objects.all().delete()[0] == 0, "whoever worked on it gave up"
    Deletion.objects.update(begun_at=now())
    hold = holding.place(done)
    assert Mismatch.objects.all().delete()[0] == 0, "a legal hold was placed since"
    holding.release(hold)
    assert Sample.objects.all().delete()[0] == 0, "something else is carried out"
    assert Mismatch.objects.all().delete()[0] == 1


@pytest.mark.parametrize("dataset", KEPT)
def test_a_hold_that_is_placed_while_it_is_erased_keeps_all_of_it(
    done: Any, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = deletions.order(tenant_id=done, dataset=dataset, by=make.staff_actor(make.staff(LEAD)), at=now())
    before = HANDLED[dataset].count(done)
    holding.overtake(monkeypatch, QuerySet, "delete", done)
    with pytest.raises(holds.LegallyHeld):
        deletions.carry_out(tenant_id=done, deletion_id=order.pk, by=make.SYSTEM, at=now())
    assert HANDLED[dataset].count(done) == before
    assert not standing.attestations(tenant_id=done).exists()


class Killed(BaseException):
    """Not even an except clause for every error catches it."""


def killed(do: Any = None) -> Any:
    """Be killed, after doing something or at once."""

    def work(*given: Any) -> None:
        if do:
            do(*given)
        raise Killed

    return work


@pytest.mark.parametrize("moment", ["before it is deleted", "before it is sealed", "before it is written down"])
def test_killed_at_any_moment_the_same_is_attested(done: Any, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = Report.objects.order_by("-requested_at").values_list("sha256", flat=True)[0]
    findings, first = HANDLED[Dataset.FINDINGS], now()
    order = deletions.order(tenant_id=done, dataset=Dataset.FINDINGS, by=make.staff_actor(make.staff(LEAD)), at=first)
    with monkeypatch.context() as patched:
        if moment == "before it is written down":
            patched.setattr(seals, "seal", killed(seals.seal))
        else:
            delete = killed(findings.delete if moment == "before it is sealed" else None)
            patched.setattr(deletions, "HANDLED", {Dataset.FINDINGS: replace(findings, delete=delete)})
        with pytest.raises(Killed):
            deletions.carry_out(tenant_id=done, deletion_id=order.pk, by=make.SYSTEM, at=first)
    later = first + timedelta(minutes=5)
    made = deletions.carry_out(tenant_id=done, deletion_id=order.pk, by=make.SYSTEM, at=later)
    assert made is not None
    said = json.loads(bytes(made.body))
    assert (said["parity_sha256"], said["deleted"]) == (digest, order.counted)
    deleted_at = later if moment == "before it is deleted" else first
    assert datetime.fromisoformat(said["deleted_at"]) == deleted_at
    contracts = deletions.order(tenant_id=done, dataset=Dataset.CONTRACTS, by=make.SYSTEM, at=later)
    made = deletions.carry_out(tenant_id=done, deletion_id=contracts.pk, by=make.SYSTEM, at=later)
    assert made is not None
    assert json.loads(bytes(made.body))["parity_sha256"] == digest, "although the comparison itself is gone"


def test_of_runs_and_inspections_no_key_and_no_value_stays_and_every_total_does(done: Any) -> None:
    order = deletions.order(tenant_id=done, dataset=Dataset.MOVES, by=make.SYSTEM, at=now())
    assert order.counted == {"deadletter": 2, "batch": 1, "inspectedfault": 1}
    made = Run.objects.create(tenant_id=done, entity="zones", state="paused", spec="zones 1", requested_at=AT)
    with pytest.raises(erasing.UnableToErase, match="is under way"):
        deletions.carry_out(tenant_id=done, deletion_id=order.pk, by=make.SYSTEM, at=now())
    assert DeadLetter.objects.count() == 2
    made.delete()
    assert deletions.carry_out(tenant_id=done, deletion_id=order.pk, by=make.SYSTEM, at=now())
    assert not DeadLetter.objects.exists()
    assert Batch.objects.values_list("first_key", "last_key", "rows", "changed").get() == ("", "", 9, 8)
    assert InspectedFault.objects.values_list("count", "examples").get() == (1, [])
    assert list(OutcomeTotal.objects.order_by("count").values_list("fate", "count")) == [
        ("quarantined", 1), ("migrated", 8),
    ]  # fmt: skip
    assert [row.event for row in ledger.recent(tenant_id=done)].count("backfills.rows.erased") == 1


@pytest.mark.parametrize("dataset", [Dataset.FINDINGS, Dataset.MOVES])
def test_what_allows_to_delete_stage_data_stays_until_their_deletion_is_attested(done: Any, dataset: Dataset) -> None:
    stage = Deletion.objects.create(
        tenant_id=done, dataset="stage", counted={"run": 1}, requested_at=AT, requested_by=make.SYSTEM.known_id,
        begun_at=AT,
    )  # fmt: skip
    lead = make.staff_actor(make.staff(LEAD))
    with pytest.raises(UnableToDelete, match="is under way"):
        deletions.order(tenant_id=done, dataset=dataset, by=lead, at=now())
    deletions.carry_out(tenant_id=done, deletion_id=stage.pk, by=make.SYSTEM, at=now())
    deletions.order(tenant_id=done, dataset=dataset, by=lead, at=now())


@pytest.mark.parametrize("dataset", [Dataset.FINDINGS, Dataset.MOVES])
def test_it_stays_as_long_as_there_are_stage_data(done: Any, dataset: Dataset, monkeypatch: Any) -> None:
    monkeypatch.setattr(type(ports.mover()), "staged", lambda self, *, account_id: {"outcome": 1})
    lead = make.staff_actor(make.staff(LEAD))
    with pytest.raises(UnableToDelete, match="Stage data are there still"):
        deletions.order(tenant_id=done, dataset=dataset, by=lead, at=now())
    deletions.order(tenant_id=done, dataset=Dataset.CONTRACTS, by=lead, at=now())


@pytest.mark.parametrize("dataset", KEPT)
def test_neither_under_a_hold_nor_while_there_is_a_way_back(done: Any, dataset: Dataset) -> None:
    lead = make.staff_actor(make.staff(LEAD))
    with make.arranging():
        Cutover.objects.update(phase="stabilise")
    with pytest.raises(UnableToDelete, match="way back"):
        deletions.order(tenant_id=done, dataset=dataset, by=lead, at=now())
    with make.arranging():
        Cutover.objects.update(phase="done")
    holding.place(done)
    with pytest.raises(holds.LegallyHeld):
        deletions.order(tenant_id=done, dataset=dataset, by=lead, at=now())
    with tenancy.empty_scope(), make.arranging():
        assert deletions.due_erasures(at=now(), dataset=dataset) == []


def test_old_test_messages_go_as_time_passes_but_for_the_latest_run_of_the_harness() -> None:
    held, free = make.tenant(), make.tenant()
    for tenant in (held, free):
        with tenancy.scope(tenant_id=tenant.pk):
            endpoint = fill(tenant.pk)
            say(endpoint, at=AT + timedelta(days=1), is_settled=False)
    with tenancy.scope(tenant_id=held.pk):
        holding.place(held.pk, at=AT)
    with make.arranging():
        assert erasure.forget(at=AT + erasure.KEPT - timedelta(seconds=1)) == 0
        assert erasure.forget(at=AT + erasure.KEPT) == 3, "a message, its attempt and a run"
        assert erasure.forget(at=AT + timedelta(days=200)) == 0
        assert list(HarnessRun.objects.filter(tenant=free).values_list("requested_at", flat=True)) == [
            AT + timedelta(days=1)
        ]
        assert Message.objects.filter(tenant=held).count() == 2


def test_a_hold_that_is_placed_while_old_test_messages_go_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make.tenant()
    with tenancy.scope(tenant_id=tenant.pk):
        fill(tenant.pk)
    with make.arranging():
        holding.overtake(monkeypatch, QuerySet, "delete", tenant.pk)
        assert erasure.forget(at=AT + erasure.KEPT) == 0
        assert Message.objects.filter(tenant=tenant).count() == 1
