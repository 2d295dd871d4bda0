"""What a sample of records says of all of them, with a stated confidence.

The sample is drawn by a hash of each record's key, so it is the same on both platforms: a record that is missing, added
or changed is in it as likely as any other. How many of the sampled records differ then bounds, by the exact binomial
bound of Clopper and Pearson (Biometrika 26, 1934), the share that differs among all; without a difference in the sample
that is the “rule of three”. Drawing without replacement makes the true bound a little better still, never worse.
"""

import math
from collections.abc import Iterable

CONFIDENCE = 0.99
"""The share of samples, at least, of which the bound that they give is true."""

WANTED = 20_000
"""Records of a sample: without a difference among them, fewer than 1 in 4,342 differ."""

_STEPS = 60


def one_in(records: int) -> int:
    """Return of how many records one is sampled; 1 where a sample would save nothing."""
    return max(1, records // WANTED)


def upper_bound(*, errors: int, compared: int, confidence: float = CONFIDENCE) -> float:
    """Return the largest share of differing records among all that such a sample is compatible with.

    Were the share larger, fewer than `1 - confidence` of all samples would show so few differences. Never rounded down.
    """
    if errors >= compared:
        return 1.0
    doubt = 1 - confidence
    if errors == 0:
        return -math.expm1(math.log(doubt) / compared)
    low, high = errors / compared, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _at_most(errors, compared, middle) > doubt:
            low = middle
        else:
            high = middle
    return high


def fewer_than_one_in(*, errors: int, compared: int, confidence: float = CONFIDENCE) -> int:
    """Return the largest N for which the sample says that fewer than 1 in N records differ; 1 says nothing."""
    return max(1, math.floor(1 / upper_bound(errors=errors, compared=compared, confidence=confidence) * (1 - 1e-9)))


def together(samples: Iterable[tuple[int, int]]) -> int:
    """Return the N that holds for every entity of a report at once, of (errors, compared) of each that was sampled.

    Each one's doubt is a part of the whole doubt (Bonferroni), so that all hold with the stated confidence.
    """
    every = list(samples)
    confidence = 1 - (1 - CONFIDENCE) / max(1, len(every))
    return min(
        (fewer_than_one_in(errors=errors, compared=compared, confidence=confidence) for errors, compared in every),
        default=1,
    )


def statement(bound: int, *, of: str = "records") -> str:
    """Say what a sample says, in the one form in which it is said everywhere."""
    if bound <= 1:
        return "The sample is too small to say anything."
    return f"99 % confident that fewer than 1 in {bound:,} {of} differ."


def _at_most(errors: int, compared: int, share: float) -> float:
    """Return the probability of at most so many differences, where `share` of all records differs (and more do)."""
    if share >= 1:
        return 0.0
    log = math.lgamma(compared + 1) - math.lgamma(errors + 1) - math.lgamma(compared - errors + 1)
    term = math.exp(log + errors * math.log(share) + (compared - errors) * math.log1p(-share))
    total = 0.0
    for number in range(errors, -1, -1):
        total += term
        term *= number / (compared - number + 1) * (1 - share) / share
        if term < total * 1e-17:
            break
    return total
