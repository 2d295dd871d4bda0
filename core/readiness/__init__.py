"""Readiness: checks answer with findings, findings open gates or keep them shut."""

from core.domain.checks import GO_NO_GO, OWNERS, PREFLIGHT, Check, Gate
from core.domain.gates import Answer, Cover, GateState, Line, Standing
from core.readiness.evaluating import evaluate, prune
from core.readiness.reading import (
    blocked_over_time,
    covers,
    gate,
    gate_of_many,
    history,
    latest,
    latest_of_many,
    needs_you,
    overview,
    overview_of_many,
    passing,
)
from core.readiness.registry import CHECKS, EXCEPTIONS, GATES, check, checks_of, exceptions, title_of
from core.readiness.requesting import expiring, request, request_expiring

__all__ = [
    "CHECKS",
    "EXCEPTIONS",
    "GATES",
    "GO_NO_GO",
    "OWNERS",
    "PREFLIGHT",
    "Answer",
    "Check",
    "Cover",
    "Gate",
    "GateState",
    "Line",
    "Standing",
    "blocked_over_time",
    "check",
    "checks_of",
    "covers",
    "evaluate",
    "exceptions",
    "expiring",
    "gate",
    "gate_of_many",
    "history",
    "latest",
    "latest_of_many",
    "needs_you",
    "overview",
    "overview_of_many",
    "passing",
    "prune",
    "request",
    "request_expiring",
    "title_of",
]
