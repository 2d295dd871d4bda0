"""Idempotency-Key: sent again is answered again and done once, also by threads at the same moment."""

import json
import threading
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Domain, Member
from accounts.services import domains
from core import tenancy
from core.api import idempotency
from core.models import KeptAnswer
from tests import api, make
from tests.api import call, problem

CLAIM = "/api/v1/domains"


@pytest.fixture
def owner(db: None) -> Member:
    return make.member(make.tenant())


@pytest.fixture
def secret(owner: Member) -> str:
    return api.token(owner)


def claim(secret: str, key: str | None, name: str = "ours.example", **headers: str) -> Any:
    return call("POST", CLAIM, secret=secret, body={"name": name}, key=key, **headers)


def kept() -> Any:
    return KeptAnswer.objects.all()


@pytest.mark.parametrize("key", [None, " ", "x" * 256, "a b", "é"])
def test_a_write_needs_a_fit_key(secret: str, key: str | None) -> None:
    problem(claim(secret, key), 400)


def test_a_repeated_write_is_answered_as_before_and_done_once(secret: str, owner: Member) -> None:
    first, again = claim(secret, "k"), claim(secret, "k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert (again.headers["Idempotency-Replayed"], "Idempotency-Replayed" in first.headers) == ("true", False)
    assert "RateLimit" in again.headers
    with make.arranging():
        assert Domain.objects.filter(tenant=owner.tenant).count() == 1


def test_an_answer_without_a_body_is_repeated_too(secret: str) -> None:
    here = claim(secret, "k").headers["Location"]
    told = [call("DELETE", here, secret=secret, key="d") for _ in range(2)]
    assert [(answer.status_code, answer.content) for answer in told] == [(204, b""), (204, b"")]
    problem(call("DELETE", here, secret=secret, key="other"), 404)


def test_a_refusal_is_repeated_too(secret: str) -> None:
    told = [claim(secret, "k", "co.uk") for _ in range(2)]
    assert told[0].content == told[1].content
    problem(told[1], 422)


def test_a_key_stands_for_one_request(secret: str) -> None:
    claim(secret, "k")
    told = problem(claim(secret, "k", "other.example"), 422)
    assert told["type"].endswith("#idempotency-key-reused")
    problem(call("POST", "/api/v1/readiness/runs", secret=secret, body={"name": "ours.example"}, key="k"), 422)


def test_a_key_is_each_tokens_own(secret: str, owner: Member) -> None:
    claim(secret, "k")
    assert "on your list already" in problem(claim(api.token(owner), "k"), 422)["detail"]
    stranger = make.member(make.tenant())
    assert claim(api.token(stranger), "k").status_code == 201


def test_what_is_refused_before_the_endpoint_takes_no_key(secret: str, owner: Member) -> None:
    problem(call("POST", CLAIM, secret=secret, raw=b"{", key="k"), 400)
    problem(call("POST", CLAIM, secret=api.token(owner, "domains:read"), body={"name": "x.example"}, key="k"), 403)
    with make.arranging():
        assert kept().count() == 0
    assert claim(secret, "k").status_code == 201


def test_a_fault_of_ours_gives_the_key_back(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(domains, "claim", lambda **kwargs: 1 / 0)
        problem(claim(secret, "k"), 500)
    assert claim(secret, "k").status_code == 201


def test_a_request_in_flight_is_waited_for_and_a_lost_one_is_taken_over(secret: str) -> None:
    assert claim(secret, "k").status_code == 201
    with make.arranging():
        Domain.objects.all().delete()
        kept().update(answered_at=None, status=None)
    told = claim(secret, "k")
    assert problem(told, 409)["type"].endswith("#request-in-flight")
    assert told.headers["Retry-After"] == "5"
    with make.arranging():
        kept().update(started_at=timezone.now() - idempotency.LOST_AFTER)
    assert claim(secret, "k").status_code == 201


def test_an_answer_is_kept_for_a_day(secret: str) -> None:
    first = claim(secret, "k")
    with make.arranging():
        past = timezone.now() - timedelta(seconds=1)
        kept().update(started_at=past - timedelta(days=1), expires_at=past)
        Domain.objects.all().delete()
    second = claim(secret, "k")
    assert second.status_code == 201
    assert json.loads(second.content)["id"] != json.loads(first.content)["id"]
    with make.arranging():
        assert idempotency.prune(at=timezone.now() + timedelta(hours=25)) == 1


def test_no_kept_answer_holds_a_secret(secret: str, owner: Member) -> None:
    claim(secret, "k")
    call("POST", "/api/v1/readiness/runs", secret=secret, key="r")
    with make.arranging():
        bodies = b"".join(bytes(row.body) for row in kept())
    assert b"crossing_" not in bodies.replace(b"_crossing-challenge", b"")
    assert secret.encode() not in bodies


def test_the_address_of_a_link_is_in_the_first_answer_alone(secret: str) -> None:
    domain = json.loads(claim(secret, "k").content)["id"]
    first, again = (call("POST", f"{CLAIM}/{domain}/links", secret=secret, key="l") for _ in range(2))
    made, told = json.loads(first.content), json.loads(again.content)
    assert (first.status_code, again.status_code, again.headers["Idempotency-Replayed"]) == (201, 201, "true")
    assert told == {**made, "url": None}
    with make.arranging():
        assert not any(made["url"].encode() in bytes(row.body) for row in kept())


def test_of_many_equal_writes_at_once_one_is_done(committed_db: None) -> None:
    owner = make.member(make.tenant())
    secret, key = api.token(owner), str(uuid4())
    start, told = threading.Barrier(8), []

    def send() -> None:
        start.wait()
        try:
            told.append(claim(secret, key))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = Counter(answer.status_code for answer in told)
    assert set(statuses) <= {201, 409}, statuses
    assert statuses[201] >= 1
    assert len({answer.content for answer in told if answer.status_code == 201}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in told if answer.status_code == 201) == 1
    with tenancy.scope(tenant_id=owner.tenant_id):
        assert Domain.objects.count() == 1
    assert claim(secret, key).status_code == 201
