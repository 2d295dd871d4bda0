"""The comparison of two platforms: in full in DuckDB, by digests of both servers, or of what was written since."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core import tenancy
from core.comparison import Difference, Findings, Looked, Measures, Plan, Segment, Survey
from core.ports import Rejected
from portal.adapters.comparison import few, marks, servers
from portal.adapters.comparison.identity import Unmarked
from portal.adapters.comparison.marks import Mark
from portal.adapters.comparison.pushdown import NotPushable, Pushdown
from portal.adapters.comparison.since import MOST, Present
from portal.adapters.postgres import is_postgres, primary

if TYPE_CHECKING:
    from portal.adapters.comparison.full import Full

log = logging.getLogger(__name__)

_ROW_BYTES = 200
"""How long a record is taken to be where no planner can be asked."""


@dataclass(frozen=True, slots=True)
class DuckComparison:
    """Compares entities of two platforms, each given by its address (`platforms` lists what can be read).

    `settle` are the seconds after which differing records are read again before they are reported: what was in
    flight on a live platform has arrived by then.
    """

    legacy: str = field(repr=False)
    new: str = field(repr=False)
    memory_limit: str = "480MB"
    threads: int = 2
    settle: float = 1.0
    sleep: Callable[[float], None] = time.sleep

    def divide(self, plan: Plan, *, size: int) -> tuple[Segment, ...]:
        """Divide an entity into segments of about `size` records; at least one.

        By ranges of the native key where the mapping takes the key over as it is, otherwise by a digest of the
        record's key, which each segment computes on all of the entity's rows.
        """
        if self.legacy and is_postgres(self.legacy) and servers.count(self.legacy, plan) <= size:
            return (Segment(),)  # without the engine, which takes longer to start than to count
        with self._full(plan) as full:
            return full.divide(size=size)

    def compare(self, plan: Plan, *, segment: Segment, report: Callable[[Difference], None]) -> Findings:
        """Compare one segment; every difference that stands a second reading goes to `report`, one by one."""
        with self._full(plan) as full:
            return full.compare(segment, report=report, wait=self._wait)

    def survey(self, plan: Plan) -> Survey:
        """Say how much there is to compare, without reading it, and why a re-check would have to read it all."""
        if self._is_in_postgres:
            with servers.opened(legacy=self.legacy, new=self.new) as databases:
                return Pushdown(plan, databases).survey()
        with self._full(plan) as full:
            legacy, new = full.counted()
        obstacle = "one of the platforms is no PostgreSQL"
        return Survey(legacy, legacy * _ROW_BYTES, new, new * _ROW_BYTES, obstacle=obstacle)

    def recheck(self, plan: Plan, *, report: Callable[[Difference], None]) -> Findings:
        """Compare a whole entity by digests that the platforms compute themselves, and in full what differs by them.

        Where that is not possible or not worth while, everything is compared value by value (`Findings.exact`).
        """
        if not self._is_in_postgres or plan.on_hold:  # a server's sums would hold what is set aside
            return self.compare(plan, segment=Segment(), report=report)
        try:
            with servers.opened(legacy=self.legacy, new=self.new) as databases:
                suspects = Pushdown(plan, databases).suspects()
        except (NotPushable, Rejected) as refusal:
            # Whatever keeps a server from digesting, the typed comparison decides whether anything is wrong.
            log.info("parity.recheck_in_full entity=%s: %s", plan.entity, refusal)
            return self.compare(plan, segment=Segment(), report=report)
        if suspects.found:
            self._wait()
            self._judge(plan, suspects.found, report=report)
        return suspects.findings

    def look(self, plan: Plan, *, mark: str, report: Callable[[Difference], None]) -> Looked:
        """Tell every record that differs now, reading only what was written since a mark, where one holds.

        What differed at the mark is judged anew too, so that nothing but the mark need be remembered.
        """
        written, now = self._written(plan, mark)
        # A standby that lags behind the server of the mark shows what was: nobody would look at that record again.
        reader = replace(self, legacy=primary(self.legacy), new=primary(self.new)) if now else self
        differing: list[str] = []

        def tell(difference: Difference) -> None:
            if len(differing) <= MOST:
                differing.append(difference.key)
            report(difference)

        if written is None:
            reader.recheck(plan, report=tell)
        elif written:
            reader._judge_twice(plan, sorted(written), report=tell)
        holds = now is not None and len(differing) <= MOST and all(map(marks.is_native, differing))
        return Looked(now.naming(differing).written() if now and holds else "", whole=written is None)

    def measure(self, plan: Plan) -> Measures:
        """Count on the platforms' own servers, or in their files again, what the comparison must agree with."""
        with self._full(plan) as full:
            return full.measure()

    def _written(self, plan: Plan, mark: str) -> tuple[set[str] | None, Mark | None]:
        """Return what was written since the mark, None where everything must be read; and the mark to go on from."""
        if not self._is_in_postgres:
            return None, None
        try:
            with servers.opened(legacy=self.legacy, new=self.new) as databases:
                present = Present(plan, databases)
                try:
                    if mark:
                        return present.written(marks.read(mark))
                except (Unmarked, ValueError) as refusal:
                    log.info("parity.look_at_everything entity=%s: %s", plan.entity, refusal)
                return None, present.remember()
        except (Unmarked, Rejected) as refusal:
            log.info("parity.nothing_to_go_on_from entity=%s: %s", plan.entity, refusal)
            return None, None

    def _judge_twice(self, plan: Plan, keys: Sequence[str], *, report: Callable[[Difference], None]) -> None:
        """Report which of these records differ in two readings."""
        found: list[str] = []
        self._judge(plan, [(key, None) for key in keys], report=lambda difference: found.append(difference.key))
        if found:
            self._wait()
            self._judge(plan, [(key, None) for key in found], report=report)

    def _judge(
        self, plan: Plan, suspects: Sequence[tuple[str, str | None]], *, report: Callable[[Difference], None]
    ) -> None:
        """Report which records, given by key and legacy key, differ now."""
        if len(suspects) > few.MOST or (found := self._few(plan, [key for key, _ in suspects])) is None:
            with self._full(plan) as full:
                full.judge(suspects, report=report)
            return
        for difference in found:
            report(difference)

    def _few(self, plan: Plan, keys: Sequence[str]) -> list[Difference] | None:
        """Return which of these records differ, as the servers show them; None where that does not tell."""
        if not self._is_in_postgres:
            return None
        try:
            with servers.opened(legacy=self.legacy, new=self.new) as databases:
                judge = few.opened(plan, databases)
                return None if judge is None else list(judge.differences(keys))
        except Rejected as refusal:
            log.info("parity.judged_by_the_engine entity=%s: %s", plan.entity, refusal)
            return None

    @property
    def _is_in_postgres(self) -> bool:
        """Whether both platforms have servers that digest."""
        return is_postgres(self.legacy) and is_postgres(self.new)

    def _wait(self) -> None:
        self.sleep(self.settle)

    @contextmanager
    def _full(self, plan: Plan) -> Iterator[Full]:
        # DuckDB takes 50 MB once it is there: a look that finds nothing written does without.
        from portal.adapters.comparison import full

        tenancy.forbid_transaction()
        with full.opened(
            plan, legacy=self.legacy, new=self.new, memory_limit=self.memory_limit, threads=self.threads
        ) as opened:
            yield opened
