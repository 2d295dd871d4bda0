"""The keeper: runs the servers of a checkout for as long as somebody holds them, and cleans up after whoever died.

Holders keep a shared lock on `users.lock`; the kernel drops it when they end, however they end. The keeper waits for
the exclusive lock: getting it means that nobody is left. It then ends the processes that a killed supervisor left
behind (`children`), stops the servers and goes.
"""

import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from portal.house import state
from portal.house.postgres import Postgres
from portal.house.state import Memory
from portal.house.trouble import Trouble, explain
from portal.house.valkey import Valkey


def children_file() -> Path:
    """Where a supervisor lists the process groups that must not outlive it, one number a line."""
    return state.folder() / "children"


def end_groups(groups: list[int], *, patience: float, reap: Callable[[], object] = lambda: None) -> None:
    """Ask the leaders of process groups to end, wait up to `patience` seconds, then end whole groups by force.

    Leaders only at first: a worker ends its own children once their tasks are done. `reap` collects a parent's dead.
    """
    for send, number, seconds in ((os.kill, signal.SIGTERM, patience), (os.killpg, signal.SIGKILL, 5.0)):
        for group in groups:
            with suppress(ProcessLookupError, PermissionError):
                send(group, number)
        until = time.monotonic() + seconds
        while groups and time.monotonic() < until:
            reap()
            groups = [group for group in groups if is_alive(group)]
            time.sleep(0.02)
        if not groups:
            return


def is_alive(group: int) -> bool:
    """Whether any process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def left_behind() -> list[int]:
    """The process groups that a supervisor of this session listed and did not strike off."""
    try:
        return [int(line) for line in children_file().read_text().split()]
    except (FileNotFoundError, ValueError):
        return []


def main() -> int:
    """Start the servers, report on standard output (one JSON line), and keep them until nobody holds them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with (state.prepare() / "keeper.lock").open("a") as own, (state.prepare() / "users.lock").open("a") as users:
        fcntl.flock(own, fcntl.LOCK_EX)
        # Numbers from before this keeper mean nothing any more: their processes' ids may be somebody else's.
        children_file().unlink(missing_ok=True)
        memory = Memory()
        postgres = valkey = None
        try:
            postgres, valkey = Postgres(memory), Valkey(memory)
            postgres.start()
            valkey.start()
        except (Trouble, OSError) as error:
            trouble = explain(error, doing="starting the servers") if isinstance(error, OSError) else error
            report({"trouble": str(trouble)})
        else:
            report({"ready": True})
            fcntl.flock(users, fcntl.LOCK_EX)
            end_groups(left_behind(), patience=10)
        finally:
            children_file().unlink(missing_ok=True)
            for server in (valkey, postgres):
                if server:
                    server.stop()
    return 0


def report(what: dict[str, object]) -> None:
    """Tell the process that started us, and let go of its standard output."""
    print(json.dumps(what), flush=True)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
