"""The forecast's own rules: what stops everybody, and what becomes of one person."""

import pytest

from accounts.domain.lockouts import Answer, Forecast, Link, Outcome, Person, Why, barrier_of, predict
from accounts.domain.verdicts import Code

GOOD = Answer(frozenset())


def failed(*codes: Code, has_address: bool = True) -> Answer:
    return Answer(frozenset(codes), has_address=has_address)


@pytest.mark.parametrize(
    ("answers", "barrier"),
    [
        ([], Why.NOTHING_SEEN),
        ([GOOD], None),
        ([GOOD, failed(Code.SIGNATURE)], None),
        ([failed(Code.SIGNATURE), GOOD], Why.SIGNATURE),
        ([failed(Code.CONDITIONS, Code.ISSUED)], Why.CLOCK),
        ([failed(Code.RECIPIENT, Code.CONDITIONS)], Why.ADDRESSED_WRONGLY),
        ([failed(Code.SUBJECT, Code.EMAIL)], Why.MAPPING),
        ([failed(Code.EMAIL, has_address=False)], Why.MAPPING),
        ([failed(Code.EMAIL)], None),
        ([failed(Code.ISSUER)], Why.ANSWER_REFUSED),
        ([failed(Code.STATUS), GOOD], None),
        ([failed(Code.ONCE, Code.REQUEST), failed(Code.SIGNATURE)], Why.SIGNATURE),
        ([failed(Code.STATUS)], Why.NOTHING_SEEN),
    ],
)
def test_the_newest_answer_that_tells_of_everybody_decides(answers: list[Answer], barrier: Why | None) -> None:
    assert barrier_of(answers, is_connected=True) is barrier


def test_nobody_gets_in_by_a_provider_that_is_not_connected() -> None:
    assert barrier_of([GOOD], is_connected=False) is Why.NOT_CONNECTED


def person(**known: object) -> Person:
    return Person(**{"is_active": True, "is_proven": True, "has_rule": False, **known})  # type: ignore[arg-type]


IN, WAITS, JOINS, OUT = Outcome.SIGNS_IN, Outcome.NEEDS_APPROVAL, Outcome.NEW_ACCOUNT, Outcome.LOCKED_OUT


@pytest.mark.parametrize(
    ("known", "barrier", "outcome", "why"),
    [
        ({"link": Link.LINKED}, None, IN, Why.LINKED),
        ({"has_rule": True}, None, IN, Why.LINKED_BY_RULE),
        ({"link": Link.PENDING, "has_rule": True}, None, IN, Why.LINKED_BY_RULE),
        ({}, None, WAITS, Why.TO_BE_APPROVED),
        ({"link": Link.PENDING}, None, WAITS, Why.TO_BE_APPROVED),
        ({"link": Link.CLASH, "has_rule": True}, None, WAITS, Why.NAME_HAS_NEW_OWNER),
        ({"link": Link.SECOND, "has_rule": True}, None, WAITS, Why.ALREADY_LINKED),
        ({"link": Link.REJECTED, "has_rule": True}, None, OUT, Why.LINK_REJECTED),
        ({"link": Link.LINKED, "is_proven": False}, None, OUT, Why.DOMAIN_NOT_PROVEN),
        ({"link": Link.LINKED, "is_active": False}, None, OUT, Why.DEACTIVATED),
        ({"link": Link.LINKED, "is_staff": True}, None, OUT, Why.STAFF),
        ({"link": Link.LINKED}, Why.CLOCK, OUT, Why.CLOCK),
        ({"link": Link.LINKED}, Why.NOTHING_SEEN, Outcome.UNKNOWN, Why.NOTHING_SEEN),
        ({"is_invited": True, "has_rule": True}, None, JOINS, Why.JOINS_BY_RULE),
        ({"is_invited": True, "has_rule": True, "has_account": True}, None, OUT, Why.NOT_JOINED),
        ({"is_invited": True}, None, OUT, Why.NOT_JOINED),
        ({"is_invited": True, "is_proven": False, "has_rule": True}, None, OUT, Why.DOMAIN_NOT_PROVEN),
        ({"is_invited": True, "has_rule": True}, Why.SIGNATURE, OUT, Why.SIGNATURE),
    ],
)
def test_each_person_has_an_outcome_and_its_reason(
    known: dict[str, object], barrier: Why | None, outcome: Outcome, why: Why
) -> None:
    found = predict(person(**known), barrier=barrier)
    assert (found.outcome, found.why) == (outcome, why)
    assert found.words
    assert bool(found.fix) == (outcome not in (IN, JOINS) and why is not Why.STAFF)


@pytest.mark.parametrize(("stuck", "owners", "grave"), [(0, 0, False), (5, 0, False), (6, 0, True), (1, 1, True)])
def test_one_owner_or_more_than_one_in_twenty_is_grave(stuck: int, owners: int, grave: bool) -> None:
    assert Forecast(people=100, stuck=stuck, owners_stuck=owners).is_grave is grave
