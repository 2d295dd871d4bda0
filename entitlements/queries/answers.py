"""Answers as people read them: one sentence, where it stops, who can help, and the legacy platform beside it."""

from collections.abc import Iterable
from dataclasses import dataclass

from core.domain.decisions import Grant, Step, Verdict
from entitlements.models import AccessRequest
from entitlements.queries import abilities
from entitlements.queries.decisions import Answer

STATES = {
    Verdict.PASS: ("pass", "Open"),
    Verdict.FAIL: ("block", "Shut"),
    Verdict.UNKNOWN: ("unknown", "Unknown"),
}
LEGACY = {
    Verdict.PASS: ("pass", "Possible"),
    Verdict.FAIL: ("none", "Not possible"),
    Verdict.UNKNOWN: ("unknown", "Unknown"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One gate of the trail."""

    label: str
    step: Step
    state: str
    words: str
    is_first: bool


@dataclass(frozen=True, slots=True)
class Page:
    """The whole answer."""

    answer: Answer
    title: str
    state: str
    lines: tuple[Line, ...]
    stopped: Line | None
    grant: Grant | None
    may_ask: bool
    legacy_state: str
    legacy_words: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request for access with its words."""

    row: AccessRequest
    title: str
    wanted: str
    state: str
    words: str
    is_ours: bool


def page(answer: Answer, *, is_me: bool) -> Page:
    """Return an answer's page; only for oneself can one ask for what is missing."""
    decision, title = answer.decision, answer.question.title
    first = decision.stopped_at
    lines = tuple(Line(step.gate.label, step, *STATES[step.verdict], is_first=step is first) for step in decision.steps)
    name = "You" if is_me else str(answer.member.user)
    said = {
        Verdict.PASS: f"{name} can {title}",
        Verdict.FAIL: f"{name} cannot {title}",
        Verdict.UNKNOWN: f"Whether {name if not is_me else 'you'} can {title} is not known",
    }[decision.verdict]
    grant = decision.nearest_grant
    before = answer.before
    state, words = LEGACY[before.verdict] if before else ("none", "")
    return Page(
        answer=answer,
        title=said,
        state=STATES[decision.verdict][0],
        lines=lines,
        stopped=next((line for line in lines if line.is_first), None),
        grant=grant,
        may_ask=is_me and grant is not None and bool(grant.key),
        legacy_state=state,
        legacy_words=words,
    )


def requests(rows: Iterable[AccessRequest]) -> list[Request]:
    """Return requests with their words; what nobody can ask about any more keeps its name."""
    return [_request(row) for row in rows]


def _request(row: AccessRequest) -> Request:
    question = abilities.question(row.ability)
    kind, _, what = row.wanted.partition(":")
    looks = {"": ("queued", "Waits for an answer"), "granted": ("done", "Granted"), "declined": ("stopped", "Declined")}
    name = what.replace("-", " ").replace("_", " ")
    return Request(
        row,
        question.title if question else row.ability,
        f"{WANTED.get(kind, kind)} {name.capitalize() if kind in ROLES else name}",
        *looks[row.outcome],
        is_ours=kind in ("flag", "feature"),
    )


ROLES = frozenset({"role", "product_role"})
WANTED = {"role": "the role", "product_role": "the role", "flag": "the feature switch", "feature": "a plan with"}
