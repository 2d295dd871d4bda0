"""The trail: the first failing gate is the earliest, more grants never take anything away, unknown is no answer."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.abilities import TITLES, every, role_step
from core.actor import Actor
from core.domain.decisions import Gate, Step, Verdict, conclude
from core.domain.declared import SpecError
from core.permissions import TENANT_ROLE_GRANTS, TenantRole
from entitlements.domain.abilities import Ability, Feature, Flag, Policy, load
from entitlements.domain.decision import Facts, LegacyFacts, Names, before, decide

FILE = Path(__file__).parents[2] / "portal" / "demo" / "mapping" / "entitlements" / "abilities.yaml"
ABILITIES = load(FILE.read_text())
ROLES = ["viewer", "auditor", "dispatcher", "crew-planner", "administrator", "account-owner"]
EXPORT = ABILITIES["export-reports"]
ALL = Facts(
    flags=frozenset({"bulk-rebooking"}),
    features=frozenset({"flight-board", "report-view", "report-export", "api", "webhooks", "sso", "audit-log"}),
    plan="Enterprise",
    roles=frozenset(ROLES),
    policies={},
    second_factor=True,
)

order = list(Gate)
steps = st.lists(st.builds(Step, st.sampled_from(Gate), st.sampled_from(Verdict), st.just("")), max_size=8)
abilities = st.builds(
    Ability,
    code=st.just("x"),
    title=st.just("x"),
    roles=st.lists(st.sampled_from(ROLES), min_size=1, unique=True).map(tuple),
    flag=st.none() | st.just(Flag("f", "F", 1)),
    feature=st.none() | st.just(Feature("x", "X", ("P",))),
    policy=st.none() | st.just(Policy("p", "P", "you")),
    second_factor=st.booleans(),
)
facts = st.builds(
    Facts,
    flags=st.frozensets(st.just("f")),
    features=st.none() | st.frozensets(st.just("x")),
    roles=st.none() | st.frozensets(st.sampled_from(ROLES)),
    policies=st.none() | st.dictionaries(st.just("p"), st.booleans()),
    second_factor=st.booleans(),
)


@given(steps)
def test_the_first_failing_gate_is_the_earliest_in_order(found: list[Step]) -> None:
    decision = conclude(found)
    failing = [order.index(step.gate) for step in found if step.verdict is Verdict.FAIL]
    assert [order.index(step.gate) for step in decision.steps] == sorted(order.index(step.gate) for step in found)
    if failing:
        assert decision.verdict is Verdict.FAIL
        assert decision.stopped_at is not None
        assert order.index(decision.stopped_at.gate) == min(failing)


@given(steps)
def test_it_is_allowed_only_when_every_gate_passes_and_there_is_one(found: list[Step]) -> None:
    assert conclude(found).is_allowed == (bool(found) and all(step.verdict is Verdict.PASS for step in found))


@given(
    abilities,
    facts,
    st.sampled_from(["flags", "features", "roles", "policies", "second_factor"]),
    st.sampled_from(ROLES),
)
def test_adding_a_grant_never_turns_allowed_to_denied(one: Ability, known: Facts, what: str, role: str) -> None:
    more = {
        "flags": known.flags | {"f"},
        "features": (known.features or frozenset()) | {"x"},
        "roles": (known.roles or frozenset()) | {role},
        "policies": {**(known.policies or {}), "p": True},
        "second_factor": True,
    }
    before_it, after = decide(one, known), decide(one, replace(known, **{what: more[what]}))
    if before_it.is_allowed:
        assert after.is_allowed
    passed = {step.gate for step in before_it.steps if step.verdict is Verdict.PASS}
    assert passed <= {step.gate for step in after.steps if step.verdict is Verdict.PASS}


@given(abilities, facts)
def test_giving_what_the_first_failing_gate_lacks_opens_that_gate(one: Ability, known: Facts) -> None:
    stopped = decide(one, known).stopped_at
    if stopped is None or stopped.verdict is not Verdict.FAIL:
        return
    assert stopped.grant is not None
    kind, _, what = stopped.grant.key.partition(":")
    given_: dict[str, Any] = {
        "flag": {"flags": known.flags | {what}},
        "feature": {"features": (known.features or frozenset()) | {what}},
        "product_role": {"roles": (known.roles or frozenset()) | {what}},
        "": {"policies": {}, "second_factor": True},
    }[kind]
    after = decide(one, replace(known, **given_))
    assert next(step for step in after.steps if step.gate is stopped.gate).verdict is Verdict.PASS


@given(abilities)
def test_what_nobody_knows_is_neither_yes_nor_no(one: Ability) -> None:
    decision = decide(one, Facts(flags=frozenset({"f"}), second_factor=True))
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.nearest_grant is None


def test_every_permission_of_a_tenants_people_has_words_and_no_other_has() -> None:
    assert set(TITLES) == {one.permission for one in every() if one.id.startswith("portal.")}


@pytest.mark.parametrize("ability", every(), ids=lambda one: one.id)
@pytest.mark.parametrize("role", list(TenantRole))
def test_what_is_told_of_a_permission_is_what_is_enforced(ability, role: TenantRole) -> None:
    tenant = uuid4()
    actor = Actor.member(user_id=uuid4(), tenant_id=tenant, role=role)
    step = role_step(ability.permission, role)
    assert (step.verdict is Verdict.PASS) == actor.can(ability.permission, tenant_id=tenant)
    if step.grant:
        given_ = TenantRole(step.grant.key.removeprefix("role:"))
        assert ability.permission in TENANT_ROLE_GRANTS[given_]


def test_the_trail_reads_as_a_person_would_say_it() -> None:
    known = replace(ALL, plan="Standard", features=frozenset({"report-view"}), roles=frozenset({"dispatcher"}),
                    policies={"report-exports": False})  # fmt: skip
    trail = decide(EXPORT, known, Names(roles={"dispatcher": "Dispatcher", "auditor": "Auditor"}))
    assert [(step.gate, step.verdict, step.reason) for step in trail.steps] == [
        (Gate.ENTITLEMENT, Verdict.FAIL, "The plan Standard does not include report exports."),
        (Gate.ROLE, Verdict.FAIL, "The role Dispatcher does not include it."),
        (Gate.POLICY, Verdict.FAIL, "Your organisation does not allow: exports of reports."),
    ]
    assert trail.nearest_grant is not None
    assert trail.nearest_grant.words == "a plan with report exports: Professional or Enterprise"
    assert trail.steps[1].grant is not None
    assert trail.steps[1].grant.words == "the role Auditor"


@pytest.mark.parametrize("ability", ABILITIES.values(), ids=lambda one: one.code)
def test_with_everything_given_everything_is_allowed(ability: Ability) -> None:
    assert decide(ability, ALL).is_allowed


DISPATCHER = LegacyFacts("OPS-PRO", "Operations Pro", "DSP", "Dispatcher", is_known=True)


@pytest.mark.parametrize(
    ("code", "known", "verdict", "words"),
    [
        ("export-reports", DISPATCHER, Verdict.PASS, "Operations Pro included it, as did the role Dispatcher"),
        ("set-up-sso", DISPATCHER, Verdict.FAIL, "it was not part of Operations Pro either"),
        ("add-seat", DISPATCHER, Verdict.FAIL, "the role Dispatcher did not include it either"),
        ("read-audit-log", DISPATCHER, Verdict.FAIL, "The legacy platform could not do this"),
        ("add-seat", replace(DISPATCHER, role=None), Verdict.FAIL, "no account on the legacy platform"),
        ("add-seat", LegacyFacts(), Verdict.UNKNOWN, "this is not known"),
    ],
)
def test_the_old_platforms_answer_stands_beside_it(code: str, known: LegacyFacts, verdict: Verdict, words: str) -> None:
    told = before(ABILITIES[code], known)
    assert told.verdict is verdict
    assert words in told.words


@pytest.mark.parametrize(
    ("change", "into", "words"),
    [
        ("feature: sso", "feature: saml", "abilities.set-up-sso: no feature 'saml' is declared"),
        ("policy: guest-seats", "policy: guests", "abilities.add-seat: no policy 'guests' is declared"),
        ("roles: [crew-planner,", "rolls: [crew-planner,", "abilities.plan-crew.rolls: Additional properties"),
    ],
)
def test_a_wrong_catalogue_names_its_line(change: str, into: str, words: str) -> None:
    text = FILE.read_text()
    assert text.count(change) == 1
    line = text[: text.index(change)].count("\n") + 1
    with pytest.raises(SpecError) as raised:
        load(text.replace(change, into), file="abilities.yaml")
    assert str(raised.value).startswith(f"abilities.yaml:{line}: {words}")
