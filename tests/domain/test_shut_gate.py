"""What keeps a gate shut is said in one sentence, also when it is a lot."""

from datetime import UTC, datetime, timedelta

from core.domain.checks import Check
from core.domain.gates import GateState, Line, Standing
from cutover.queries import gates

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def line(title: str, standing: Standing) -> Line:
    """Make a line of a check that is never asked."""
    check = Check(title.lower(), title, "data", "T-30", timedelta(days=1), frozenset(), "", lambda: None)  # type: ignore[arg-type, return-value]  # never asked
    return Line(check, standing)


def test_what_keeps_a_gate_shut_is_told_by_kind():
    found = (
        line("Rows", Standing.BLOCKED),
        line("Domain", Standing.EXPIRED),
        line("Parity", Standing.BLOCKED),
        line("Window", Standing.PASSED),
    )
    assert gates.shut(GateState("go_no_go", AT, found)) == (
        "The gate is shut: “Rows” and “Parity” are not true yet; “Domain” was answered too long ago."
    )


def test_a_gate_that_was_never_asked_says_so():
    assert gates.shut(GateState("go_no_go", AT, ())) == "The gate is shut: no check has been run."
