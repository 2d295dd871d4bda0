"""The preview: what changes, what it costs, what is in the way; and that what was promised is what is compared."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.subscriptions import AddOn, Subscription, Term, Use
from entitlements.domain import records
from entitlements.domain.matrix import load
from entitlements.domain.preview import Change, Choice, Decided, Preview, build
from entitlements.domain.reconciliation import mismatches

FILE = Path(__file__).parents[2] / "portal" / "demo" / "mapping" / "entitlements" / "matrix.yaml"
MATRIX = load(FILE.read_text())
ON = date(2026, 11, 22)
WEATHER, MESSAGES = AddOn("WX-FEED", "Weather feed", 1, 12_000), AddOn("CREW-SMS", "Crew messages", 5_000, 4_500)
TELEX = AddOn("TTY-FAX", "Telex and fax", 1, 7_500)
OLD = Subscription(
    "OPS-ENT", "Operations Enterprise", 390_000, "USD", {"seats": 250, "flights_per_year": None}, (WEATHER, MESSAGES),
    (Term("kept-price", date(2027, 12, 31)),),
)  # fmt: skip
USE = Use({"seats": 60, "flights_per_year": 54_635}, {"OWN": 1, "DSP": 59})
LISTED = replace(
    MATRIX, plans={**MATRIX.plans, "OPS-ENT": replace(MATRIX.plans["OPS-ENT"], keeps_price=False, list_price=400_000)}
)


def lay(old: Subscription = OLD, *, use: Use = USE, matrix=MATRIX, on: date = ON, **decided: Decided) -> Preview:
    subjects = {name.replace("_", ":", 1).replace("_", "-"): one for name, one in decided.items()}
    return build(matrix=matrix, legacy=old, use=use, decided=subjects, on=on)


def line(preview: Preview, title: str):
    return next(one for one in preview.lines if one.title == title)


def accepted(preview: Preview, subject: str, choice: Choice = Choice.ACCEPT) -> Decided:
    return Decided(choice, next(one.basis for one in preview.options if one.subject == subject))


def test_a_kept_price_is_carried_over_and_nothing_costs_more() -> None:
    preview = lay()
    assert str(preview.old_total) == str(preview.new_total) == "USD 4,065.00"
    assert preview.difference is not None
    assert preview.difference.minor == 0
    assert preview.promise is not None
    assert preview.promise.terms == (Term("kept-price", date(2027, 12, 31)),)
    kept = line(preview, "The price of your earlier contract")
    assert (kept.new, kept.because) == (
        "until 31 December 2027", "Afterwards Enterprise costs USD 4,800.00 a month."
    )  # fmt: skip


def test_two_addons_and_two_terms_that_become_one_are_promised_as_one() -> None:
    matrix = replace(
        MATRIX,
        addons={**MATRIX.addons, "CREW-MMS": MATRIX.addons["CREW-SMS"]},
        terms={**MATRIX.terms, "older": MATRIX.terms["kept-price"]},
    )
    mms, older = AddOn("CREW-MMS", "Crew pictures", 1_500, 700), Term("older", date(2029, 1, 31))
    preview = lay(replace(OLD, addons=(*OLD.addons, mms), terms=(*OLD.terms, older)), matrix=matrix)
    assert preview.promise is not None
    assert [(one.code, one.quantity, one.price) for one in preview.promise.addons] == [
        ("crew-messages", 7, 5_200), ("weather", 1, 12_000),
    ]  # fmt: skip
    assert preview.promise.terms == (Term("kept-price", date(2029, 1, 31)),)
    assert preview.difference is not None
    assert preview.difference.minor == 0


def test_changes_come_first_and_what_stays_is_set_apart() -> None:
    preview = lay()
    assert preview.changed[0].title == "Plan"
    assert line(preview, "Crew messages").new == "Crew messages, 5"
    assert line(preview, "Crew messages").change is Change.CHANGED
    assert {"Weather feed", "Members", "Flights a year", "Dispatcher"} <= {one.title for one in preview.same}


def test_a_limit_that_was_not_there_is_a_change() -> None:
    limit = line(lay(), "API calls a day")
    assert (limit.old, limit.new, limit.change) == ("No limit", "500,000", Change.CHANGED)


@pytest.mark.parametrize(
    ("different", "title"),
    [
        ({"plan": "OPS-GOLD"}, "Plan"),
        ({"currency": "EUR"}, "Plan"),
        ({"limits": {"seats": 1, "flights_per_year": 1, "gates": 3}}, "Gates"),
        ({"limits": {"seats": 1}}, "Flights a year"),
        ({"addons": (AddOn("FREIGHT", "Freight desk", 1, 1),)}, "Freight desk"),
        ({"terms": (Term("free-beer"),)}, "free-beer"),
    ],
)
def test_what_the_matrix_does_not_know_stands_in_the_way(different, title: str) -> None:
    preview = lay(replace(OLD, **different))
    assert [one.title for one in preview.unmapped] == [title]
    assert preview.promise is None
    assert preview.difference is None
    assert preview.changed[0].title == title


def test_an_unknown_role_stands_in_the_way() -> None:
    assert [one.title for one in lay(use=Use(roles={"GOD": 1})).unmapped] == ["GOD"]


def test_no_contract_stands_in_the_way() -> None:
    preview = build(matrix=MATRIX, legacy=None, use=None, decided={}, on=ON)
    assert [one.kind for one in preview.unmapped] == ["Contract"]


def test_what_is_retired_waits_for_a_choice() -> None:
    preview = lay(replace(OLD, addons=(TELEX,)))
    assert line(preview, "Telex and fax").change is Change.OPEN
    assert [one.choices for one in preview.open_options] == [(Choice.ACCEPT, Choice.GIVE_UP)]
    assert preview.promise is None
    assert preview.undecided == {"ops-mail"}


def test_accepting_what_takes_its_place_settles_it_to_the_cent() -> None:
    old = replace(OLD, addons=(TELEX,))
    preview = lay(old, addon_TTY_FAX=accepted(lay(old), "addon:TTY-FAX"))
    assert preview.promise is not None
    assert [(one.code, one.price) for one in preview.promise.addons] == [("ops-mail", 2_500)]
    assert preview.difference is not None
    assert (preview.difference.signed, preview.difference.a_year.signed) == ("−USD 50.00", "−USD 600.00")


def test_giving_it_up_settles_it_too() -> None:
    old = replace(OLD, addons=(TELEX,))
    preview = lay(old, addon_TTY_FAX=accepted(lay(old), "addon:TTY-FAX", Choice.GIVE_UP))
    assert line(preview, "Telex and fax").change is Change.ENDED
    assert preview.promise is not None
    assert preview.promise.addons == ()


def test_an_addon_nobody_has_mapped_can_be_given_up() -> None:
    old = replace(OLD, addons=(AddOn("FREIGHT", "Freight desk", 1, 1),))
    assert lay(old).open_options == ()
    assert lay(old, addon_FREIGHT=accepted(lay(old), "addon:FREIGHT", Choice.GIVE_UP)).promise is not None


def test_a_choice_made_of_another_offer_does_not_count() -> None:
    old = replace(OLD, addons=(TELEX,))
    preview = lay(old, addon_TTY_FAX=Decided(Choice.ACCEPT, "ops-mail, 1, at USD 20.00 a month instead of TTY-FAX"))
    assert preview.open_options


def test_a_higher_price_waits_for_a_choice_and_is_exact() -> None:
    old = replace(OLD, terms=())
    open_one = lay(old, matrix=LISTED)
    assert [one.subject for one in open_one.open_options] == ["price"]
    assert open_one.draft is None
    preview = lay(old, matrix=LISTED, price=accepted(open_one, "price"))
    assert preview.difference is not None
    assert (preview.difference.signed, preview.difference.a_year.signed) == ("+USD 100.00", "+USD 1,200.00")


def test_a_kept_price_shields_from_the_list_until_its_end() -> None:
    assert lay(matrix=LISTED, on=date(2027, 12, 31)).open_options == ()
    assert [one.subject for one in lay(matrix=LISTED, on=date(2028, 1, 1)).open_options] == ["price"]


@pytest.mark.parametrize(
    ("used", "most", "state"), [(60, 60, "pass"), (61, 60, "block"), (60, None, "pass"), (None, 60, "unknown")]
)
def test_use_is_held_against_the_new_limit(used, most, state: str) -> None:
    resources = {"flights_per_year": 1} | ({} if used is None else {"seats": used})
    preview = lay(replace(OLD, limits={"seats": most, "flights_per_year": None}), use=Use(resources))
    assert next(one for one in preview.usage if one.title == "Members").state == state


def test_more_flights_than_the_limit_warn() -> None:
    preview = lay(replace(OLD, limits={"seats": 90, "flights_per_year": 10}))
    assert next(one for one in preview.usage if one.title == "Flights a year").state == "warn"


amount = st.integers(min_value=0, max_value=10**9)
contracts = st.builds(
    Subscription,
    plan=st.sampled_from(["OPS-ENT", "OPS-PRO", "OPS-STD"]),
    plan_name=st.just("Operations"),
    price=amount,
    currency=st.just("USD"),
    limits=st.fixed_dictionaries({"seats": st.none() | amount, "flights_per_year": st.none() | amount}),
    addons=st.lists(
        st.builds(AddOn, st.sampled_from(["WX-FEED", "CREW-SMS"]), st.just("X"), st.integers(1, 10**6), amount),
        unique_by=lambda one: one.code,
        max_size=2,
    ).map(tuple),
    terms=st.lists(st.builds(Term, st.just("kept-price"), st.none() | st.dates()), max_size=1).map(tuple),
)


@given(contracts)
def test_a_mapped_contract_at_the_same_price_costs_the_same(old: Subscription) -> None:
    preview = lay(old)
    assert preview.difference is not None
    assert preview.difference.minor == 0


@given(contracts)
def test_what_is_set_up_as_promised_differs_in_nothing(old: Subscription) -> None:
    promise = lay(old).promise
    assert promise is not None
    assert mismatches(promise=promise, found=promise) == ()
    assert records.subscription(records.of_subscription(promise)) == promise


@given(contracts, st.integers(min_value=1, max_value=10**6))
def test_a_cent_too_much_is_one_mismatch(old: Subscription, cents: int) -> None:
    promise = lay(old).promise
    assert promise is not None
    found = mismatches(promise=promise, found=replace(promise, price=promise.price + cents))
    assert [one.subject for one in found] == ["price"]


@given(contracts, contracts)
def test_mismatches_are_found_whichever_side_has_more(one: Subscription, other: Subscription) -> None:
    a, b = lay(one).promise, lay(other).promise
    assert a is not None
    assert b is not None
    there = {found.subject for found in mismatches(promise=a, found=b)}
    back = {found.subject for found in mismatches(promise=b, found=a)}
    assert there == back
    assert bool(there) == (
        (a.plan, a.price, a.limits, a.terms) != (b.plan, b.price, b.limits, b.terms)
        or [(x.code, x.quantity, x.price) for x in a.addons] != [(x.code, x.quantity, x.price) for x in b.addons]
    )


def test_what_is_undecided_is_not_judged() -> None:
    draft = lay(replace(OLD, addons=(TELEX,))).draft
    assert draft is not None
    found = replace(draft, addons=(AddOn("ops-mail", "Operations mail", 1, 1), AddOn("weather", "Weather feed", 1, 5)))
    told = mismatches(promise=draft, found=found, undecided={"ops-mail"})
    assert [(one.subject, one.promised, one.found) for one in told] == [
        ("addon:weather", "nothing", "1 for USD 0.05 a month")
    ]


def test_no_subscription_at_all_is_one_mismatch() -> None:
    promise = lay().promise
    assert promise is not None
    assert [one.subject for one in mismatches(promise=promise, found=None)] == ["subscription"]
