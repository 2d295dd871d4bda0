"""One entity of the mapping: its latest run, where every row of it ended, and what was rejected."""

from dataclasses import dataclass, field
from datetime import datetime

from backfills.domain import wording
from backfills.domain.judgement import Fate
from backfills.domain.runs import ACTIVE, TRANSITIONS, RunState, seconds_left
from backfills.domain.spec import Spec
from backfills.domain.wording import Words
from backfills.models import Pace, Retry, Run
from core.queue import JobState, JobView

_WORDS = {
    RunState.STOPPED: "Too many rejected",
    RunState.PAUSED: "Paused",
    RunState.CANCELLED: "Ended early",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many rows ended by one rule."""

    fate: str
    rule: str
    count: int
    words: Words

    @property
    def label(self) -> str:
        """The fate in words."""
        return wording.FATES[Fate(self.fate)]


@dataclass(frozen=True, slots=True)
class Rejects:
    """Rejected rows with one fix."""

    rule: str
    column: str
    count: int
    example: str
    words: Words
    newest: datetime
    """Since when the last of them is rejected."""


@dataclass(frozen=True, slots=True)
class EntityRow:
    """An entity of the mapping, its latest run and where that stands."""

    spec: Spec
    run: Run | None
    outcomes: list[Outcome] = field(default_factory=list)
    rejects: list[Rejects] = field(default_factory=list)
    job: JobView | None = None
    """The job that moves it, while its run is active."""
    retry: Retry | None = None
    """The latest time its rejected rows were judged again."""
    stands: Run | None = None
    """The run by which its rows stand: the latest, but a catch-up only from its end on."""

    @property
    def is_accounted(self) -> bool:
        """Whether every row has its one outcome.

        A catch-up under way takes nothing from that. One that was cut short does, unless nobody asked for it: the next
        one is minutes away, and how far behind legacy the rows are is told apart from this.
        """
        cut_short = self.run_state and self.run_state.is_cut_short and not (self.run and self.run.standing)
        return bool(self.stands and RunState(self.stands.state).is_accounted and not cut_short)

    @property
    def is_stopped(self) -> bool:
        """Whether the run by which its rows stand rejected more of them than the mapping allows."""
        return self.stands is not None and self.stands.state == RunState.STOPPED

    @property
    def caught_up_to(self) -> datetime | None:
        """Up to when everything has arrived, if all rows are accounted for: what changed since may be missing."""
        return self.stands.arrived_until if self.stands and RunState(self.stands.state).was_accounted else None

    def seconds_left(self, pace: Pace, *, at: datetime) -> float | None:
        """Return how long its run still takes, None for a guess; a catch-up does not know how much there is to read."""
        if self.run is None or not self.is_active or self.run.since:
            return None
        measured = self.job.progress.time_left(at=at) if self.job and self.job.state is JobState.RUNNING else None
        return seconds_left(
            source_total=self.run.source_total,
            read=self.run.read,
            rows_per_second=pace.rows_per_second,
            measured=measured.total_seconds() if measured is not None else None,
        )

    @property
    def has_public_key(self) -> bool:
        """Whether a row's key in legacy may be shown."""
        return self.spec.has_public_key

    @property
    def is_of_earlier_mapping(self) -> bool:
        """Whether its rows moved by another version of the mapping than the one in force."""
        stands = self.stands
        return stands is not None and stands.state != RunState.QUEUED and stands.spec != self.spec.label

    @property
    def failed_retry(self) -> Retry | None:
        """The latest retry, if it was not finished and nothing has been tried since."""
        return self.retry if self.retry and self.retry.state == Retry.State.FAILED and not self.is_active else None

    @property
    def may_catch_up(self) -> bool:
        """Whether reading only what changed is likely to do: all moved by the mapping in force, and nothing failed."""
        if self.spec.changed is None or self.stands is None or self.run_state is RunState.FAILED:
            return False
        if self.stands.state == RunState.CANCELLED:
            return False
        return self.stands.watermark is not None and self.stands.spec == self.spec.label

    @property
    def may_retry(self) -> bool:
        """Whether its rejected rows may be judged again: after a run that was cut short, all rows are."""
        return bool(self.rejects and self.run_state and self.run_state.is_accounted)

    @property
    def may_cancel(self) -> bool:
        """Whether its run may be ended early."""
        return bool(self.run_state and RunState.CANCELLED in TRANSITIONS[self.run_state])

    @property
    def is_catching_up(self) -> bool:
        """Whether its run reads only what changed."""
        return self.is_active and self.run is not None and self.run.since is not None

    @property
    def has_caught_up(self) -> bool:
        """Whether its run read only what changed, and accounts for every row."""
        state = self.run_state
        return bool(self.run and self.run.since and state and state.is_accounted)

    @property
    def is_stuck(self) -> bool:
        """Whether nothing moves it any more although its run has not ended: its job was given up."""
        return self.is_active and self.run_state is not RunState.PAUSED and (self.job is None or self.job.is_over)

    @property
    def trouble(self) -> str:
        """What went wrong at the last attempt, while its run is active; fit for the customer."""
        return self.job.problem if self.is_active and self.job else ""

    @property
    def run_state(self) -> RunState | None:
        """The state of its latest run."""
        return RunState(self.run.state) if self.run else None

    @property
    def state(self) -> str:
        """The state's name among the components."""
        if self.run is None:
            return "none"
        if self.run.state == RunState.STOPPED:
            return "block"
        if self.is_stuck:
            return "stuck"
        return {
            RunState.QUEUED: "queued",
            RunState.RUNNING: "running",
            RunState.RETRYING: "running",
            RunState.PAUSED: "stopped",
            RunState.SUCCEEDED: "done",
            RunState.FAILED: "fail",
            RunState.CANCELLED: "stopped",
        }[RunState(self.run.state)]

    @property
    def words(self) -> str:
        """The state in words, where they are not the component's own."""
        if self.run is None:
            return "Not moved yet"
        return _WORDS.get(RunState(self.run.state), "")

    @property
    def is_active(self) -> bool:
        """Whether its run is not over."""
        return self.run is not None and RunState(self.run.state) in ACTIVE

    @property
    def total(self) -> int:
        """Source rows, as last counted."""
        return (self.stands.source_total or 0) if self.stands else 0

    @property
    def moved(self) -> int:
        """Rows that have an object on the new platform, or are part of one."""
        return sum(one.count for one in self.outcomes if one.fate in ("migrated", "transformed", "merged"))

    @property
    def dropped(self) -> int:
        """Rows that a rule leaves behind."""
        return sum(one.count for one in self.outcomes if one.fate == Fate.DROPPED)

    @property
    def rejected(self) -> int:
        """Rows that were rejected."""
        return sum(one.count for one in self.outcomes if one.fate == Fate.QUARANTINED)

    @property
    def held(self) -> int:
        """Objects that are on the new platform although nothing of legacy asks for them: kept, not counted as rows."""
        return self.stands.held if self.stands else 0

    @property
    def accounted(self) -> int:
        """Rows that have their outcome."""
        return sum(one.count for one in self.outcomes)
