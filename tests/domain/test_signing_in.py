"""Who is signed in by an answer: a table, and what must hold for any facts."""

from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain import signing_in
from accounts.domain.directory import Key
from accounts.domain.signing_in import REASONS, Candidate, Facts, Identity, Outcome, Reason

ADDRESS, DOMAIN = "olivia@airline.example", "airline.example"
OLIVIA, OTHER = Candidate(uuid4(), ADDRESS), Candidate(uuid4(), "otto@airline.example")
NEW = Facts(is_accepted=True, key=Key(user_name=ADDRESS), addresses=(ADDRESS,), domains=frozenset({DOMAIN}))
MEMBER = replace(NEW, members=(OLIVIA,))
LINKED = replace(MEMBER, identities=(Identity(OLIVIA.member_id, user_name=ADDRESS),))
RULED = frozenset({DOMAIN})
CLASH = replace(
    MEMBER, key=Key("new", ADDRESS), members=(OLIVIA, OTHER), identities=(Identity(OTHER.member_id, "old", ADDRESS),)
)

CASES: dict[str, tuple[Facts, Outcome, Reason]] = {
    "linked": (LINKED, Outcome.SIGNED_IN, Reason.LINKED),
    "linked, renamed": (replace(LINKED, addresses=("liv@airline.example",)), Outcome.SIGNED_IN, Reason.LINKED),
    "refused answer": (replace(LINKED, is_accepted=False), Outcome.REFUSED, Reason.ANSWER_REFUSED),
    "no lasting name": (replace(LINKED, key=Key()), Outcome.REFUSED, Reason.NAME_NOT_LASTING),
    "linked to who is gone": (replace(LINKED, members=()), Outcome.REFUSED, Reason.DEACTIVATED),
    "linked, deactivated": (
        replace(LINKED, members=(replace(OLIVIA, is_active=False),)), Outcome.REFUSED, Reason.DEACTIVATED,
    ),
    "linked, staff": (replace(LINKED, members=(replace(OLIVIA, is_staff=True),)), Outcome.REFUSED, Reason.STAFF),
    "linked, own address elsewhere": (
        replace(LINKED, members=(replace(OLIVIA, address="olivia@home.example"),)),
        Outcome.REFUSED, Reason.ADDRESS_ELSEWHERE,
    ),
    "linked, domain released": (replace(LINKED, domains=frozenset()), Outcome.REFUSED, Reason.ADDRESS_ELSEWHERE),
    "address of a member": (MEMBER, Outcome.WAITING, Reason.TO_BE_APPROVED),
    "address of a member, in capitals": (
        replace(MEMBER, addresses=(ADDRESS.upper(),)), Outcome.WAITING, Reason.TO_BE_APPROVED,
    ),
    "address of a member, rule": (replace(MEMBER, linking=RULED), Outcome.SIGNED_IN, Reason.LINKED_BY_RULE),
    "address of who comes in as somebody else, rule": (
        replace(MEMBER, linking=RULED, members=(replace(OLIVIA, is_linked=True),)),
        Outcome.WAITING, Reason.ALREADY_LINKED,
    ),
    "address of a member, rule to join only": (
        replace(MEMBER, joining=RULED), Outcome.WAITING, Reason.TO_BE_APPROVED,
    ),
    "address of a member, rejected": (
        replace(MEMBER, linking=RULED, rejected=frozenset({OLIVIA.member_id})), Outcome.REFUSED, Reason.LINK_REJECTED,
    ),
    "address of one deactivated, rules": (
        replace(MEMBER, linking=RULED, joining=RULED, members=(replace(OLIVIA, is_active=False),)),
        Outcome.REFUSED, Reason.DEACTIVATED,
    ),
    "address of staff, rule": (
        replace(MEMBER, linking=RULED, members=(replace(OLIVIA, is_staff=True),)), Outcome.REFUSED, Reason.STAFF,
    ),
    "name under a new id, rules": (
        replace(CLASH, linking=RULED, joining=RULED), Outcome.WAITING, Reason.NAME_HAS_NEW_OWNER,
    ),
    "name under a new id, nobody's address": (
        replace(CLASH, members=(OTHER,), joining=RULED), Outcome.REFUSED, Reason.NOT_A_MEMBER,
    ),
    "nobody": (NEW, Outcome.REFUSED, Reason.NOT_A_MEMBER),
    "nobody, rule to link only": (replace(NEW, linking=RULED), Outcome.REFUSED, Reason.NOT_A_MEMBER),
    "nobody, rule to join": (replace(NEW, joining=RULED), Outcome.JOINED, Reason.JOINED_BY_RULE),
    "rule of a domain that is proven no longer": (
        replace(NEW, joining=RULED, domains=frozenset()), Outcome.REFUSED, Reason.NOT_A_MEMBER,
    ),
    "known elsewhere, rule to join": (
        replace(NEW, joining=RULED, is_known_elsewhere=True), Outcome.REFUSED, Reason.NOT_A_MEMBER,
    ),
    "two addresses": (replace(MEMBER, addresses=(ADDRESS, OTHER.address)), Outcome.REFUSED, Reason.NOT_A_MEMBER),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_becomes_of_an_answer(name: str) -> None:
    facts, outcome, reason = CASES[name]
    decision = signing_in.decide(facts)
    assert (decision.outcome, decision.reason) == (outcome, reason)
    assert decision.is_in == (outcome in (Outcome.SIGNED_IN, Outcome.JOINED))
    assert decision.links == (reason in (Reason.LINKED_BY_RULE, Reason.JOINED_BY_RULE))


def test_every_reason_has_its_words_and_its_case() -> None:
    assert set(REASONS) == set(Reason) == {reason for _, _, reason in CASES.values()}


addresses = st.sampled_from([ADDRESS, "olivia@home.example"])
members = st.builds(
    Candidate,
    st.just(OLIVIA.member_id),
    st.sampled_from([ADDRESS, "olivia@home.example"]),
    st.booleans(),
    st.booleans(),
)
domains = st.frozensets(st.sampled_from([DOMAIN, "other.example"]))


@given(
    member=members, domains=domains, linking=domains, joining=domains, is_accepted=st.booleans(),
    identities=st.sampled_from([(), LINKED.identities, (Identity(OTHER.member_id, user_name=ADDRESS),)]),
    key=st.sampled_from([Key(), NEW.key, CLASH.key]),
)  # fmt: skip
def test_nobody_is_in_without_a_link_or_a_rule_nor_ever_staff_or_another_domains(
    member, domains, linking, joining, is_accepted, identities, key
) -> None:
    facts = Facts(is_accepted, key, (ADDRESS,), domains, identities, (member,), linking, joining)
    decision = signing_in.decide(facts)
    if decision.outcome is Outcome.SIGNED_IN:
        assert is_accepted
        assert key
        assert (member.is_active, member.is_staff) == (True, False)
        assert signing_in.domain_of(member.address) in domains
        assert (identities and identities[0].member_id == decision.member_id) or DOMAIN in linking
    if decision.outcome is Outcome.JOINED:
        assert is_accepted
        assert DOMAIN in domains & joining
