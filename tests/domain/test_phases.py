"""Which phase may follow which, and what a move needs."""

from itertools import pairwise, product

import pytest

from cutover.domain.phases import MOVING, ORDER, TRANSITIONS, Facts, Need, Phase, refusal, targets


def _refusal(
    source: Phase, target: Phase, *, approved: bool = False, reason: str = "", halted: Phase | None = None
) -> str | None:
    return refusal(Facts(source, target, approved=approved, reason=reason, halted_from=halted))


def test_the_way_forward_is_the_charters() -> None:
    assert " ".join(ORDER) == "discover prepare preflight canary ramp full stabilise decommission done"
    assert all(pair in TRANSITIONS for pair in pairwise(ORDER))


def test_every_move_that_is_not_in_the_table_is_refused_whatever_is_offered() -> None:
    for source, target in product(Phase, Phase):
        if (source, target) not in TRANSITIONS:
            refused = _refusal(source, target, approved=True, reason="please", halted=target)
            assert refused == f"A tenant in phase “{source.label}” cannot move to “{target.label}”."


def test_no_phase_is_skipped_and_none_follows_the_end() -> None:
    for early, late in product(range(len(ORDER)), repeat=2):
        if late > early + 1:
            assert (ORDER[early], ORDER[late]) not in TRANSITIONS
    assert targets(Phase.DONE) == []


def test_the_cutover_begins_only_with_a_signed_go_no_go() -> None:
    assert _refusal(Phase.PREFLIGHT, Phase.CANARY) == "Moving to “Canary” needs a signed go/no-go."
    assert _refusal(Phase.PREFLIGHT, Phase.CANARY, approved=True) is None
    assert [target for (_, target), need in TRANSITIONS.items() if need is Need.APPROVAL] == [Phase.CANARY]
    assert [source for source, target in TRANSITIONS if target is Phase.CANARY] == [Phase.PREFLIGHT, Phase.HALTED]


@pytest.mark.parametrize("phase", sorted(MOVING))
def test_a_halted_cutover_resumes_where_it_was_halted(phase: Phase) -> None:
    assert _refusal(phase, Phase.HALTED) == "Say why: this move is no step forward, and its reason is kept."
    assert _refusal(phase, Phase.HALTED, reason="drift") is None
    assert _refusal(Phase.HALTED, phase, reason="explained", halted=phase) is None
    other = next(candidate for candidate in MOVING if candidate is not phase)
    assert "resumes only in the phase" in str(_refusal(Phase.HALTED, other, reason="explained", halted=phase))


def test_there_is_a_way_back_until_decommission() -> None:
    for phase in (*MOVING, Phase.STABILISE, Phase.HALTED):
        assert _refusal(phase, Phase.ROLLED_BACK, reason="veto") is None
    for phase in (Phase.DECOMMISSION, Phase.DONE):
        assert (phase, Phase.ROLLED_BACK) not in TRANSITIONS
