"""Hold the servers of this checkout: started if they do not run, stopped when the last holder has gone."""

import fcntl
import json
import os
import subprocess
import sys
import time
from types import TracebackType
from typing import IO, Self

from portal.house import state
from portal.house.trouble import Trouble


class Servers:
    """A hold on the embedded servers; release it (or die) and the last one out stops them.

    Safe to take in many processes at once. A fork shares its parent's hold.
    """

    def __init__(self) -> None:
        self._users: IO[str] | None = None

    def take(self) -> Self:
        """Hold the servers, starting them first if nobody did.

        Raises Trouble with one line that says what to do.
        """
        # Waits while a keeper is shutting down; the new one starts afterwards.
        self._users = (state.prepare() / "users.lock").open("a")
        fcntl.flock(self._users, fcntl.LOCK_SH)
        try:
            with state.locked("start"):
                if not keeper_runs():
                    start_keeper()
        except BaseException:
            self.release()
            raise
        return self

    def release(self, *, wait: bool = False) -> None:
        """Let go; with `wait`, return once the servers have stopped, if nobody else holds them."""
        if self._users:
            self._users.close()
            self._users = None
        until = time.monotonic() + 60
        while wait and keeper_runs() and not others_hold() and time.monotonic() < until:
            time.sleep(0.05)

    def __enter__(self) -> Self:
        return self.take()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release(wait=True)


def keeper_runs() -> bool:
    """Whether a keeper of this checkout lives."""
    with (state.prepare() / "keeper.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def others_hold() -> bool:
    """Whether anybody holds the servers; a keeper that is shutting down does not count."""
    with (state.prepare() / "users.lock").open("a") as file:
        # Exclusive first: asked the other way round, the keeper may come in between and pass for a holder.
        for lock, held in ((fcntl.LOCK_EX, False), (fcntl.LOCK_SH, True)):
            try:
                fcntl.flock(file, lock | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return held
    return False  # exclusively held: by the keeper, on its way out


def start_keeper() -> None:
    """Start the keeper in a session of its own, so that Ctrl-C here does not reach it, and wait for its report."""
    log = state.prepare() / "keeper.log"
    with log.open("w") as words:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "portal.house.keeper"],
            cwd=state.CHECKOUT,
            env={**os.environ, "PYTHONSAFEPATH": "", "PYTHONPATH": str(state.CHECKOUT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=words,
            start_new_session=True,
            text=True,
        )
    assert keeper.stdout is not None
    line = keeper.stdout.readline()
    keeper.stdout.close()
    try:
        told = json.loads(line)
    except ValueError:
        told = {"trouble": f"The servers' keeper ended before it was ready; its log is {log}."}
    if told.get("trouble"):
        keeper.wait(timeout=60)
        raise Trouble(str(told["trouble"]))
