"""The go/no-go when two people, or one person twice, press at the same moment."""

from collections.abc import Callable, Iterator
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from core import tenancy
from core.actor import Actor
from core.approvals.requests import UnableToRequest
from core.approvals.signatures import UnableToSign
from core.errors import UseCaseError
from core.models import ApprovalRequest
from cutover.domain.phases import Phase
from cutover.models import PhaseChange
from tests.cutovers import Case, ready_case

ROUNDS = 3


@pytest.fixture
def case(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    with ready_case(monkeypatch, at=timezone.now()) as ready:
        yield ready


def _at_once(case: Case, *calls: Callable[[], object]) -> list[object]:
    """Make calls at the same moment, each on a connection of its own; return what each gave or refused with."""
    barrier, results = Barrier(len(calls)), [None] * len(calls)

    def run(index: int, call: Callable[[], object]) -> None:
        try:
            with tenancy.scope(tenant_id=case.tenant_id):
                barrier.wait(timeout=30)
                results[index] = call()  # type: ignore[call-overload]  # a list of whatever comes back
        except UseCaseError as refusal:
            results[index] = refusal  # type: ignore[call-overload]  # as above
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return list(results)


def _signing(case: Case, request: ApprovalRequest, by: Actor) -> Callable[[], object]:
    def sign() -> object:
        own = ApprovalRequest.objects.select_related("pack").get(pk=request.pk)
        return case.sign(own, by=by, at=timezone.now())

    return sign


def test_both_signers_at_once_move_the_tenant_once(case: Case) -> None:
    request, customer, vendor = case.ask(at=timezone.now()), case.customer, case.vendor
    results = _at_once(case, _signing(case, request, customer), _signing(case, request, vendor))
    assert [type(result) for result in results] == [ApprovalRequest, ApprovalRequest]
    request.refresh_from_db()
    assert request.state == "approved"
    assert PhaseChange.objects.filter(target=Phase.CANARY.value).count() == 1


def test_one_person_at_once_in_two_windows_signs_once(case: Case) -> None:
    request, customer = case.ask(at=timezone.now()), case.customer
    results = _at_once(case, *[_signing(case, request, customer)] * ROUNDS)
    refused = [result for result in results if isinstance(result, UnableToSign)]
    assert len(refused) == ROUNDS - 1
    assert {refusal.message for refusal in refused} <= {
        "You have signed this request already. The other signature must be another person's."
    }
    assert request.signatures.count() == 1


def test_two_requests_at_once_are_one(case: Case) -> None:
    customer, at = case.customer, timezone.now()
    results = _at_once(case, *[lambda: case.ask(by=customer, at=at)] * ROUNDS)
    assert sum(isinstance(result, ApprovalRequest) for result in results) == 1
    assert sum(isinstance(result, UnableToRequest) for result in results) == ROUNDS - 1
