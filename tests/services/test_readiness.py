"""Asking checks: crashes, outages, expiry, exceptions, and what is written down of it."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Tenant
from core import ports, queue, readiness, tenancy
from core.actor import Actor
from core.errors import NotFound, PermissionRefused, UseCaseError
from core.findings import Finding, Outcome
from core.models import Event, LedgerEntry, RecordedFinding
from core.permissions import TenantRole
from core.readiness import CHECKS, EXCEPTIONS, GO_NO_GO, PREFLIGHT, Cover, Standing
from tests import make

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOON = AT + timedelta(minutes=1)
CANARY = "canary-3f9c"
BY = Actor.system("tests")

type Say = Callable[..., None]


@pytest.fixture
def tenant(db: None) -> Iterator[Tenant]:
    """A tenant, with its scope open."""
    made = make.tenant()
    with tenancy.scope(tenant_id=made.id):
        yield made


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Say:
    """Word the only checks there are; called again, a check is worded anew."""
    monkeypatch.setattr(CHECKS, "_items", {})
    monkeypatch.setattr(EXCEPTIONS, "_items", {})

    def word(
        outcome: object = Outcome.PASS,
        *,
        raises: BaseException | None = None,
        check_id: str = "tests.check",
        valid_for: timedelta = timedelta(days=1),
        owner: str = "data",
        gates: Collection[str] = (PREFLIGHT, GO_NO_GO),
        **finding: Any,
    ) -> None:
        def ask(*, tenant_id: UUID, at: datetime) -> Finding:
            if raises is not None:
                raise raises
            return Finding(outcome, "Found", **finding) if isinstance(outcome, Outcome) else outcome  # type: ignore[return-value]  # what a faulty check returns

        CHECKS._items.pop(check_id, None)
        readiness.check(check_id, title="Check", owner=owner, due="T-30", valid_for=valid_for, gates=gates)(ask)

    return word


def ask(tenant: Tenant, *, at: datetime = AT) -> readiness.Answer:
    """Ask the one check."""
    return readiness.evaluate(tenant_id=tenant.id, by=BY, at=at)["tests.check"]


def gate(tenant: Tenant, *, at: datetime = SOON) -> readiness.GateState:
    """Look at the go/no-go gate."""
    return readiness.gate(tenant_id=tenant.id, name=GO_NO_GO, at=at)


def except_it(tenant: Tenant, *, until: datetime, exception_id: str = "e1") -> None:
    """Let an exception cover the check."""

    def source(*, tenant_ids: Collection[UUID], at: datetime) -> Mapping[UUID, list[Cover]]:
        return {tenant.id: [Cover("tests.check", exception_id, until)]}

    EXCEPTIONS._items.clear()
    readiness.exceptions(source)


def test_an_answer_is_recorded_with_its_expiry_and_one_entry_in_the_ledger(tenant: Tenant, say: Say) -> None:
    say(facts={"a": 1}, evidence={"when": AT}, fix="Nothing", link="domains/")
    answer = ask(tenant)
    assert (answer.outcome, answer.expires_at) == (Outcome.PASS, AT + timedelta(days=1))
    assert answer.finding == Finding(
        Outcome.PASS, "Found", facts={"a": 1}, evidence={"when": "2026-11-22T12:00:00Z"}, fix="Nothing", link="domains/"
    )
    entry = LedgerEntry.objects.get(event="core.readiness.evaluated")
    assert json.loads(entry.body)["data"]["outcomes"] == {"tests.check": "pass"}
    assert gate(tenant).open


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (ValueError(CANARY), "fault on our side"),
        (RecursionError(CANARY), "fault on our side"),
        (queue.LeaseLost(CANARY), "fault on our side"),
        (ports.Unavailable(CANARY), "did not answer"),
        (ports.Rejected(CANARY), "refused the question"),
    ],
    ids=["crash", "recursion", "misuse", "outage", "refusal"],
)
def test_a_check_that_fails_is_unknown_blocks_and_tells_nothing_of_the_error(
    tenant: Tenant, say: Say, trouble: Exception, told: str
) -> None:
    say(check_id="tests.healthy")
    say(raises=trouble)
    answer = ask(tenant)
    assert answer.outcome is Outcome.UNKNOWN
    assert told in answer.finding.summary
    assert answer.finding.fix
    row = RecordedFinding.objects.get(check_id="tests.check")
    assert CANARY not in str([getattr(row, field.name) for field in row._meta.fields])
    assert row.error == type(trouble).__name__
    assert [line.check_id for line in gate(tenant).blocking] == ["tests.check"]


def test_a_refusal_meant_for_the_customer_is_told_to_them(tenant: Tenant, say: Say) -> None:
    say(raises=UseCaseError("Claim a domain first."))
    answer = ask(tenant)
    assert (answer.outcome, answer.finding.summary) == (Outcome.UNKNOWN, "Claim a domain first.")


@pytest.mark.parametrize("nonsense", [None, "pass", True], ids=repr)
def test_what_is_no_finding_is_unknown(tenant: Tenant, say: Say, nonsense: object) -> None:
    say(nonsense)
    assert ask(tenant).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("facts", [{"x": object()}, {"x": float("nan")}], ids=["object", "nan"])
def test_facts_that_are_no_json_are_unknown(tenant: Tenant, say: Say, facts: dict[str, object]) -> None:
    say(facts=facts)
    assert ask(tenant).outcome is Outcome.UNKNOWN


def test_an_unknown_answer_is_asked_again_within_minutes(tenant: Tenant, say: Say) -> None:
    say(Outcome.UNKNOWN, valid_for=timedelta(days=7))
    assert ask(tenant).expires_at == AT + timedelta(minutes=15)


def test_a_gate_with_an_answer_missing_or_expired_is_shut(tenant: Tenant, say: Say) -> None:
    say(valid_for=timedelta(hours=1))
    assert gate(tenant).blocking[0].standing is Standing.MISSING
    ask(tenant)
    assert gate(tenant).open
    assert gate(tenant).open_until == AT + timedelta(hours=1)
    assert gate(tenant, at=AT + timedelta(hours=1)).blocking[0].standing is Standing.EXPIRED


def test_a_gate_without_checks_is_shut_and_one_that_nobody_knows_is_an_error(tenant: Tenant, say: Say) -> None:
    assert not gate(tenant).open
    with pytest.raises(KeyError):
        readiness.gate(tenant_id=tenant.id, name="no_such_gate", at=AT)


def test_a_check_keeps_only_its_own_gates_shut(tenant: Tenant, say: Say) -> None:
    say(check_id="tests.both")
    say(Outcome.BLOCK, gates=(GO_NO_GO,))
    ask(tenant)
    assert readiness.gate(tenant_id=tenant.id, name=PREFLIGHT, at=SOON).open
    assert not gate(tenant).open


def test_an_exception_covers_a_block_is_shown_and_blocks_again_when_it_expires(tenant: Tenant, say: Say) -> None:
    say(Outcome.BLOCK)
    ask(tenant)
    assert not gate(tenant).open
    except_it(tenant, until=AT + timedelta(hours=2))
    covered = gate(tenant)
    assert covered.open
    assert [line.cover.exception_id for line in covered.covered if line.cover] == ["e1"]
    assert not gate(tenant, at=AT + timedelta(hours=2)).open


def test_an_exception_covers_no_unknown_and_no_expired_answer(tenant: Tenant, say: Say) -> None:
    say(Outcome.UNKNOWN)
    except_it(tenant, until=AT + timedelta(days=30))
    ask(tenant)
    assert not gate(tenant).open
    say(Outcome.BLOCK)
    ask(tenant, at=SOON)
    assert gate(tenant).open
    assert not gate(tenant, at=AT + timedelta(days=2)).open


def test_a_source_of_exceptions_that_fails_covers_nothing(tenant: Tenant, say: Say) -> None:
    say(Outcome.BLOCK)
    ask(tenant)

    def broken(*, tenant_ids: Collection[UUID], at: datetime) -> Mapping[UUID, list[Cover]]:
        raise RuntimeError(CANARY)

    readiness.exceptions(broken)
    assert not gate(tenant).open


def test_material_moves_with_outcome_facts_and_exceptions_but_not_with_time(tenant: Tenant, say: Say) -> None:
    say(facts={"domain": "a.example"}, evidence={"looked_up": 1})
    ask(tenant)
    first = gate(tenant).material
    say(facts={"domain": "a.example"}, evidence={"looked_up": 2})
    ask(tenant, at=SOON)
    assert gate(tenant).material == first
    say(facts={"domain": "b.example"})
    ask(tenant, at=SOON)
    assert gate(tenant).material != first
    say(Outcome.BLOCK, facts={"domain": "a.example"})
    ask(tenant, at=SOON)
    blocked = gate(tenant).material
    except_it(tenant, until=AT + timedelta(days=30))
    one = gate(tenant).material
    except_it(tenant, until=AT + timedelta(days=30), exception_id="e2")
    assert len({str(material) for material in (first, blocked, one, gate(tenant).material)}) == 4


def test_an_evaluation_that_began_earlier_never_replaces_a_newer_answer(tenant: Tenant, say: Say) -> None:
    say(Outcome.BLOCK)
    ask(tenant, at=SOON)
    say(Outcome.PASS)
    assert ask(tenant, at=AT).outcome is Outcome.BLOCK
    assert [answer.outcome for answer in readiness.history(tenant_id=tenant.id, check_id="tests.check")] == [
        Outcome.BLOCK,
        Outcome.PASS,
    ]


def test_the_database_keeps_one_latest_answer_of_a_check(tenant: Tenant, say: Say) -> None:
    say()
    ask(tenant)
    row = RecordedFinding.objects.get()
    row.pk = None
    row._state.adding = True
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_needs_you_counts_what_blocks_by_owner(tenant: Tenant, say: Say) -> None:
    say(check_id="tests.passes")
    say(Outcome.BLOCK, check_id="tests.blocks", owner="customer")
    say(Outcome.UNKNOWN, check_id="tests.unknown", owner="data")
    readiness.evaluate(tenant_id=tenant.id, by=BY, at=AT)
    assert readiness.needs_you(tenant_id=tenant.id, at=SOON) == {"customer": 1, "data": 1}


def test_only_who_may_run_checks_does(tenant: Tenant, say: Say) -> None:
    say()
    nobody = Actor.member(user_id=tenant.id, tenant_id=tenant.id, role=TenantRole.MEMBER)
    stranger = Actor.member(user_id=tenant.id, tenant_id=BY.known_id, role=TenantRole.OWNER)
    for actor in (nobody, stranger):
        with pytest.raises(PermissionRefused):
            readiness.evaluate(tenant_id=tenant.id, by=actor, at=AT)
        with pytest.raises(PermissionRefused):
            readiness.request(tenant_id=tenant.id, by=actor)


def test_an_unknown_check_is_refused(tenant: Tenant, say: Say) -> None:
    with pytest.raises(NotFound):
        readiness.evaluate(tenant_id=tenant.id, by=BY, at=AT, checks=["tests.no_such"])
    with pytest.raises(NotFound):
        readiness.request(tenant_id=tenant.id, by=BY, check_id="tests.no_such")


def test_checks_are_never_asked_inside_a_transaction(tenant: Tenant, say: Say) -> None:
    say()
    with pytest.raises(tenancy.TransactionOpenError), transaction.atomic():
        readiness.evaluate(tenant_id=tenant.id, by=BY, at=AT)


def test_the_button_runs_all_checks_or_one_as_a_job_with_progress(tenant: Tenant, say: Say) -> None:
    say(check_id="tests.other")
    say()
    owner = make.actor(make.member(tenant))
    job_id = readiness.request(tenant_id=tenant.id, by=owner, check_id="tests.check")
    assert readiness.request(tenant_id=tenant.id, by=owner, check_id="tests.check") == job_id
    queue.run_pending()
    job = queue.job(job_id)
    assert job is not None
    assert (job.state, job.progress.done, job.progress.total) == (queue.JobState.DONE, 1, 1)
    assert set(readiness.latest(tenant_id=tenant.id)) == {"tests.check"}
    assert RecordedFinding.objects.get().evaluated_by == owner.id
    readiness.request(tenant_id=tenant.id, by=owner)
    queue.run_pending()
    assert set(readiness.latest(tenant_id=tenant.id)) == {"tests.check", "tests.other"}


def test_a_cancelled_evaluation_keeps_what_it_has(tenant: Tenant, say: Say) -> None:
    say(check_id="tests.first")
    say()

    def cancels(*, tenant_id: UUID, at: datetime) -> Finding:
        queue.cancel(job_id, by=BY)
        return Finding(Outcome.PASS, "Cancelled meanwhile")

    CHECKS._items.pop("tests.first")
    readiness.check("tests.a", title="A", owner="data", due="T0", valid_for=timedelta(days=1))(cancels)
    job_id = readiness.request(tenant_id=tenant.id, by=BY)
    CHECKS._items["tests.z"] = CHECKS._items.pop("tests.check")
    queue.run_pending()
    job = queue.job(job_id)
    assert job is not None
    assert job.state is queue.JobState.CANCELLED
    assert set(readiness.latest(tenant_id=tenant.id)) == {"tests.a"}
    entry = LedgerEntry.objects.get(event="core.readiness.evaluated")
    assert json.loads(entry.body)["data"]["complete"] is False


def test_answers_about_to_expire_and_checks_of_a_new_release_are_asked_again(db: None, say: Say) -> None:
    tenant, other, untouched = make.tenant(), make.tenant(), make.tenant()
    say(valid_for=timedelta(hours=1))
    for one in (tenant, other):
        with tenancy.scope(tenant_id=one.id):
            ask(one)
    later = AT + timedelta(minutes=56)
    with make.arranging():
        assert readiness.request_expiring(by=BY, at=AT) == 0
        assert readiness.request_expiring(by=BY, at=later) == 2
    with tenancy.scope(tenant_id=tenant.id):
        assert readiness.expiring(tenant_id=tenant.id, at=AT) == []
        assert readiness.expiring(tenant_id=tenant.id, at=later) == ["tests.check"]
    say(check_id="tests.new")
    with make.arranging():
        assert readiness.request_expiring(by=BY, at=AT) == 2
    with tenancy.scope(tenant_id=tenant.id):
        assert readiness.expiring(tenant_id=tenant.id, at=AT) == ["tests.new"]
        queue.run_pending()
        assert set(readiness.latest(tenant_id=tenant.id)) == {"tests.check", "tests.new"}
    with tenancy.scope(tenant_id=untouched.id):
        assert readiness.expiring(tenant_id=untouched.id, at=later) == []


def test_one_query_tells_the_latest_of_many_tenants(
    db: None, say: Say, django_assert_num_queries: Callable[..., Any]
) -> None:
    say()
    tenants = [make.tenant() for _ in range(3)]
    for one in tenants:
        with tenancy.scope(tenant_id=one.id):
            ask(one)
    with make.arranging():
        for some in (tenants[:1], tenants):
            with django_assert_num_queries(1):
                states = readiness.gate_of_many(tenant_ids=[one.id for one in some], name=GO_NO_GO, at=SOON)
            assert all(state.open for state in states.values())
            assert len(states) == len(some)


def test_a_tenant_sees_no_other_tenants_answers(db: None, say: Say) -> None:
    say()
    ours, theirs = make.tenant(), make.tenant()
    with tenancy.scope(tenant_id=theirs.id):
        ask(theirs)
    with tenancy.scope(tenant_id=ours.id):
        assert readiness.latest(tenant_id=theirs.id) == {}
        assert not readiness.gate(tenant_id=theirs.id, name=GO_NO_GO, at=SOON).open


def test_what_moves_is_published_once(tenant: Tenant, say: Say) -> None:
    def published() -> list[object]:
        return [event.payload for event in Event.objects.filter(name="core.findings.moved").order_by("published_at")]

    say(facts={"a": 1}, evidence={"b": 1})
    ask(tenant)
    assert published() == [{"check_ids": ["tests.check"]}]
    say(facts={"a": 1}, evidence={"b": 2})
    ask(tenant, at=SOON)
    assert len(published()) == 1
    say(facts={"a": 2})
    ask(tenant, at=SOON)
    say(Outcome.WARN, facts={"a": 2})
    ask(tenant, at=SOON)
    assert len(published()) == 3


def test_a_check_that_takes_too_long_is_unknown_and_ends_the_evaluation(tenant: Tenant, say: Say) -> None:
    say(raises=queue.TimedOut())
    say(check_id="tests.z_after")
    with pytest.raises(queue.TimedOut):
        ask(tenant)
    found = readiness.latest(tenant_id=tenant.id)
    assert set(found) == {"tests.check"}
    assert "too long" in found["tests.check"].finding.summary


def test_old_answers_are_deleted_but_never_the_latest(tenant: Tenant, say: Say) -> None:
    say()
    for at in (AT, SOON):
        ask(tenant, at=at)
    assert readiness.prune(at=AT + timedelta(days=365)) == 0
    assert readiness.prune(at=AT + timedelta(days=367)) == 1
    assert RecordedFinding.objects.get().evaluated_at == SOON
