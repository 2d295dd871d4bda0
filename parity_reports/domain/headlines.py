"""What a report says first: its verdict in one sentence, and what kind of comparison it is."""

from collections.abc import Mapping, Sequence

from parity_reports.domain import sampling
from parity_reports.domain.ladder import Method
from parity_reports.domain.verdict import PARITY_ERROR_TARGET, Tally, Verdict, share

BY_ENTITY: Mapping[str, str] = {Method.SAMPLE: "By entity, of the records that were read"}
"""What the table of entities is called where it does not tell of all their records."""

METHODS: Mapping[str, str] = {
    Method.CHECKSUMS: "Both databases are asked for checksums, and only what differs by them is read. It says whether "
    "anything changed since the last full comparison; for the go/no-go, only a full comparison counts.",
    Method.SAMPLE: "A sample reads some records, the same on both platforms, and says how many may differ among all. "
    "For the go/no-go, only a full comparison counts.",
}
"""What is said beside a report that is no full comparison."""


def differing(
    tally: Tally, *, incomplete: bool, samples: Sequence[tuple[int, int]] = ()
) -> tuple[str, str, str, str, str]:
    """Return the figure of the records that differ: label, value, target, state, words.

    A sample is on target only if what it says of all records is.
    """
    label = "Sampled records that differ" if samples else "Records that differ"
    state, words = "pass", "On target"
    if incomplete:
        state, words = "incomplete", "Incomplete"
    elif tally.error_rate > PARITY_ERROR_TARGET:
        state, words = "fail", "Above target"
    elif samples and sampling.together(samples) * PARITY_ERROR_TARGET < 1:
        state, words = "warn", "Too few to tell"
    return label, share(tally.error_rate, digits=3) if tally.compared else "", "target ≤ 0.1 %", state, words


def headline(verdict: str, *, method: str, tally: Tally, samples: Sequence[tuple[int, int]] = ()) -> str:
    """Return a report's first sentence; `samples` are (errors, compared) of each entity that was sampled."""
    said = f" {sampling.statement(sampling.together(samples))}" if samples else ""
    if samples and tally.errors > sum(
        errors for errors, _ in samples
    ):  # records of an entity that was read in full are no sample
        said = f" Where a sample was read: {said.strip()}"
    match verdict:
        case Verdict.SAMPLED:
            return f"A sample agrees: {tally.compared:,} records were compared.{said}"
        case Verdict.EQUAL if method == Method.CHECKSUMS:
            return f"Nothing differs: both platforms have the same {tally.compared:,} records."
        case Verdict.EQUAL:
            return f"Both platforms are equal: all {tally.compared:,} records agree in every column."
        case Verdict.DIFFERENT if tally.errors and samples:
            return f"{tally.errors:,} of {tally.compared:,} compared records do not agree.{said}"
        case Verdict.DIFFERENT if tally.errors:
            return f"Both platforms differ: {tally.errors:,} of {tally.compared:,} records do not agree."
        case Verdict.DIFFERENT:
            return "Every record agrees, but an invariant does not hold."
        case Verdict.INCOMPLETE:
            return "The comparison is incomplete. What was not read is not called equal."
    return "The comparison is running."
