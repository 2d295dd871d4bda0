"""A matrix that is wrong is refused before anybody relies on it, and the refusal names the line."""

from pathlib import Path

import pytest

from core.domain.declared import SpecError
from entitlements.domain.matrix import Matrix, load

FILE = Path(__file__).parents[2] / "portal" / "demo" / "mapping" / "entitlements" / "matrix.yaml"
GOOD = """\
format: crossing-entitlements/1
version: 3
title: Old to new
currency: EUR
resources:
  people: {title: People, used: seats, over: block}
plans:
  OLD:
    to: new
    name: New
    price: same
    list_price: 900
    limits:
      people: {from: seats, times: 2, at_least: 10}
addons:
  SMS: {to: sms, name: Messages, per: 1000, price: {each: 5}}
  FAX: {retired: Nobody sends it.}
terms: {}
roles:
  BOSS: {was: Boss, to: owner, name: Owner}
"""


def refusal(change: str, into: str) -> str:
    assert change in GOOD
    with pytest.raises(SpecError) as raised:
        load(GOOD.replace(change, into), file="matrix.yaml")
    return str(raised.value)


def good() -> Matrix:
    return load(GOOD)


def test_the_good_one_is_read() -> None:
    assert good().label.startswith("matrix@3+")
    assert good().plans["OLD"].limits["people"].apply({"seats": 4}) == 10
    assert good().plans["OLD"].limits["people"].apply({"seats": 40}) == 80
    assert good().plans["OLD"].limits["people"].apply({"seats": None}) is None


@pytest.mark.parametrize(("old", "new"), [(0, 0), (1, 1), (1000, 1), (1001, 2), (5000, 5)])
def test_packs_are_rounded_up_so_that_nobody_gets_less(old: int, new: int) -> None:
    assert good().addons["SMS"].quantity(old) == new


@pytest.mark.parametrize(
    ("change", "into", "words"),
    [
        ("version: 3", "version: three", "matrix.yaml:2: version: 'three' is not of type 'integer'"),
        ("currency: EUR", "currency: euro", "matrix.yaml:4: currency: 'euro' does not match"),
        ("over: block", "over: forbid", "matrix.yaml:6: resources.people.over: 'forbid' is not one of"),
        (", over: block", "", "matrix.yaml:6: resources.people: `used` and `over` belong together"),
        ("    price: same", "    prize: same", "matrix.yaml:11: plans.OLD.prize: Additional properties are not"),
        ("list_price: 900", "list_price: 9.5", "matrix.yaml:12: plans.OLD.list_price: 9.5 is not of type 'integer'"),
        ("      people: {from", "      folks: {from", "matrix.yaml:14: plans.OLD.limits: no resource 'folks'"),
        ("FAX: {", "SMS: {", "matrix.yaml:17: 'SMS' stands twice"),
        ("BOSS: {was: Boss, ", "BOSS: {", "matrix.yaml:20: roles.BOSS: 'was' is a required property"),
    ],
)
def test_a_wrong_one_names_its_line(change: str, into: str, words: str) -> None:
    assert refusal(change, into).startswith(words)


def test_a_plan_that_says_nothing_of_a_resource_is_refused() -> None:
    extra = "  people: {title: People, used: seats, over: block}\n  rooms: {title: Rooms}\n"
    told = refusal("  people: {title: People, used: seats, over: block}\n", extra)
    assert told.startswith("matrix.yaml:14: plans.OLD: says nothing of 'rooms'")


def test_the_demos_matrix_knows_every_plan_of_the_demo() -> None:
    assert set(load(FILE.read_text()).plans) == {"OPS-ENT", "OPS-PRO", "OPS-STD"}
