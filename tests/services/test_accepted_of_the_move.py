"""What was signed as rejected or different, or is excepted, keeps no copy of a move: the attestation names it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings

from backfills.models import DeadLetter, Run
from compliance.services import deletions
from compliance.services.deletions import UnableToDelete
from core.readiness import CHECKS, Cover
from cutover.domain.phases import Phase
from cutover.models import Cutover
from parity_reports.models import Report
from tests import make
from tests.cutovers import AT, LATER, Case, ready_case
from tests.services.test_compliance import StagedMover, staging

LETTERS, PARITY = "backfills.dead_letters", "parity_reports.parity"
ITEM = "aircraft:bad_year:mfr_yr"
AFTER = AT + timedelta(days=100)


@contextmanager
def asked(monkeypatch: pytest.MonkeyPatch, *checks: str) -> Iterator[Case]:
    """Let an account be ready for its go/no-go, which asks real checks."""
    real = {check_id: CHECKS[check_id] for check_id in checks}
    with ready_case(monkeypatch) as case:
        CHECKS._items.update(real)
        yield case


def report(case: Case, *, differing: int, compared: int = 2_000, sha256: str = "ab", at: Any = AT) -> None:
    with make.arranging():
        Report.objects.create(
            tenant_id=case.tenant_id, state="finished", requested_at=at, finished_at=at, compared=compared,
            verdict="different" if differing else "equal", missing=differing, expected=compared,
            actual=compared - differing, mapping_sha256="0" * 64, sha256=sha256 * 32,
            invariants_total=3, invariants_passed=3,
        )  # fmt: skip


def reject(case: Case, *, run: Run | None = None, state: str = "succeeded") -> Run:
    """Let a run have rejected one row (more)."""
    tenant_id = case.tenant_id
    with make.arranging():
        run = run or Run.objects.create(
            tenant_id=tenant_id, entity="aircraft", state=state, spec="aircraft 1", source_total=2_000, read=2_000,
            requested_at=AT, started_at=AT, finished_at=AT, problem="" if state == "succeeded" else "Too many",
        )  # fmt: skip
        DeadLetter.objects.create(
            tenant_id=tenant_id, run=run, entity="aircraft", source_key=uuid4().hex, rule="bad_year", column="mfr_yr",
            spec=run.spec, first_at=AT, last_at=AT, payload=b"sealed",
        )  # fmt: skip
    return run


def sign(case: Case) -> str:
    """Have both sides sign; the account then goes to where its move is over. Return the evidence's digest."""
    case.run_checks()
    request = case.ask()
    case.sign(request)
    case.sign(request, by=case.vendor)
    with make.arranging():
        Cutover.objects.update(phase=Phase.STABILISE.value)
    case.exceptions.clear()  # they end long before the copies go
    return request.pack.evidence_sha256


def attested(case: Case) -> dict[str, Any]:
    """Delete the stage data and return what is said of it."""
    order = deletions.order(tenant_id=case.tenant_id, by=make.SYSTEM, at=AFTER)
    made = deletions.carry_out(tenant_id=case.tenant_id, deletion_id=order.pk, by=make.SYSTEM, at=AFTER)
    assert made is not None
    said: dict[str, Any] = json.loads(bytes(made.body))
    return said


@pytest.fixture
def signing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    with staging(settings), asked(monkeypatch, LETTERS, PARITY) as case:
        yield case


@pytest.mark.django_db
def test_one_row_below_the_limit_that_was_signed_keeps_no_copy(signing: Case) -> None:
    run = reject(signing)
    report(signing, differing=1)
    evidence = sign(signing)
    report(signing, differing=900, sha256="cd", at=LATER)  # what the customer wrote on the new platform since
    said = attested(signing)
    assert said["parity_sha256"] == "ab" * 32, "the comparison that was signed"
    assert said["accepted"] == {
        "broken_invariants": 0, "differences": 1, "exceptions": [], "go_no_go_sha256": evidence, "rejected_rows": 1,
    }  # fmt: skip
    assert StagedMover.rows == 0
    assert run.dead_letters.count() == 1


@pytest.mark.django_db
def test_rows_above_the_limit_stay_behind_as_they_were_signed_under_an_exception(signing: Case) -> None:
    run = reject(signing, state="stopped")
    report(signing, differing=1)
    upto = {ITEM: (AT + timedelta(days=1)).isoformat()}
    signing.exceptions.append(Cover(LETTERS, "ex-1", AT + timedelta(days=2), items=upto))
    sign(signing)
    assert reject(signing, run=run) == run
    with pytest.raises(UnableToDelete, match=r"Rejected rows \(2\) have not moved") as refused:
        attested(signing)
    assert "try them again" in refused.value.fix
    assert "an exception from “Few enough rows were rejected”" in refused.value.fix
    signing.exceptions.append(Cover(LETTERS, "ex-2", AFTER + timedelta(days=2), items=upto))
    said = attested(signing)["accepted"]
    assert (said["rejected_rows"], said["exceptions"]) == (2, ["ex-2"])


@pytest.mark.django_db
def test_an_exception_that_was_signed_goes_on_to_name_what_it_named(signing: Case) -> None:
    reject(signing, state="stopped")
    report(signing, differing=300)
    day = AT + timedelta(days=1)
    signing.exceptions.append(Cover(LETTERS, "ex-1", day, items={ITEM: day.isoformat()}))
    signing.exceptions.append(Cover(PARITY, "ex-2", day))
    sign(signing)
    said = attested(signing)["accepted"]
    assert (said["differences"], said["rejected_rows"], said["exceptions"]) == (300, 1, ["ex-1", "ex-2"])


@pytest.mark.django_db
def test_without_a_signature_the_targets_or_an_exception_decide(settings: Settings, monkeypatch: Any) -> None:
    with staging(settings), asked(monkeypatch, LETTERS, PARITY) as case:
        with make.arranging():
            Cutover.objects.update(phase=Phase.STABILISE.value)
        report(case, differing=9)
        with pytest.raises(UnableToDelete, match="nobody signed or excepted what differs") as refused:
            attested(case)
        assert "“Both platforms hold the same records”" in refused.value.fix
        case.exceptions.append(Cover(PARITY, "ex-1", AFTER + timedelta(days=1)))
        said = attested(case)["accepted"]
    assert said == {
        "broken_invariants": 0, "differences": 9, "exceptions": ["ex-1"], "go_no_go_sha256": "", "rejected_rows": 0,
    }  # fmt: skip
