"""A handful of processes that live and die together: started, restarted when they fall, ended without a trace."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Self

from portal.house import keeper, state
from portal.house.trouble import Trouble

RESTARTS = 5
"""How often a process that falls is started again before the supervisor gives up."""


class Ended(BaseException):
    """Somebody asked us to end: Ctrl-C, a signal, or the death of the process that started us."""


@dataclass
class Child:
    """One process, in a group of its own, its words in a log of its own (or on the terminal)."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    loud: bool = False
    process: "subprocess.Popen[bytes] | None" = None
    restarts: int = 0
    not_before: float = 0

    def start(self) -> None:
        """Start the process."""
        logs = state.prepare() / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)
        words = None if self.loud else (logs / f"{self.name}.log").open("ab")
        try:
            self.process = subprocess.Popen(
                list(self.command),
                cwd=state.CHECKOUT,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT if words else None,
                start_new_session=True,
            )
        finally:
            if words:
                words.close()

    def last_words(self) -> str:
        """The last line of its log."""
        log = state.folder() / "logs" / f"{self.name}.log"
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        return f"{lines[-1].strip() if lines else 'it said nothing'} (log: {log})"


@dataclass
class Supervisor:
    """Runs children for as long as the block lasts; leaving it, however, ends them all.

    Each child's group is listed in a file that the servers' keeper reads, so that even after `kill -9` of this
    process nothing is left.
    """

    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)
    parent: int = field(default_factory=os.getppid)

    def __enter__(self) -> Self:
        def end(_number: int, _frame: FrameType | None) -> None:
            raise Ended

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, end)
        return self

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        groups = [child.process.pid for child in self.children if child.process]
        keeper.end_groups(groups, patience=10, reap=self._reap)
        keeper.children_file().unlink(missing_ok=True)

    def _reap(self) -> None:
        for child in self.children:
            if child.process:
                child.process.poll()

    def _list(self) -> None:
        groups = [str(child.process.pid) for child in self.children if child.process]
        state.write_private(keeper.children_file(), "\n".join(groups))

    def add(self, child: Child) -> None:
        """Start one more child."""
        (state.folder() / "logs" / f"{child.name}.log").unlink(missing_ok=True)
        self.children.append(child)
        child.start()
        self._list()

    def run(self, command: Sequence[str], *, environment: Mapping[str, str]) -> int:
        """Run a command to its end on this terminal while looking after the children; return its exit code."""
        step = Child("step", command, environment, loud=True)
        self.children.append(step)
        step.start()
        self._list()
        assert step.process is not None
        while step.process.poll() is None:
            self.look(besides=step)
            time.sleep(0.1)
        self.children.remove(step)
        self._list()
        return step.process.returncode

    def look(self, *, besides: Child | None = None) -> None:
        """Restart who has fallen, with growing pauses; end when our parent died or a child keeps falling."""
        if os.getppid() != self.parent:
            raise Ended
        for child in self.children:
            if child is besides or child.process is None or child.process.poll() is None:
                continue
            if not child.not_before:
                child.restarts += 1
                if child.restarts > RESTARTS:
                    raise Trouble(f"{child.name} keeps stopping: {child.last_words()}")
                self.say(
                    f"{child.name} stopped ({child.process.returncode}) and is started again: {child.last_words()}"
                )
                child.not_before = time.monotonic() + 0.5 * child.restarts
            elif time.monotonic() >= child.not_before:
                child.not_before = 0
                child.start()
                self._list()

    def serve(self) -> None:
        """Look after the children until somebody ends us."""
        while True:
            self.look()
            time.sleep(0.3)
