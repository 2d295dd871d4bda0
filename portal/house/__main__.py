"""The command line behind the Makefile: `python -m portal.house <target>`."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial

from portal.house import demo, doctor, quality, setup, state
from portal.house.development import exported
from portal.house.hold import Servers
from portal.house.supervisor import Ended
from portal.house.trouble import Trouble, explain


def run(*command: str) -> int:
    """Run a command with this checkout's servers and variables."""
    with Servers():
        return subprocess.run(command or ("sh",), env=exported(), check=False).returncode


def code(email: str) -> int:
    """Print the one-time code of a demo persona."""
    command = [str(setup.python()), "manage.py", "demo", "--code", email]
    return subprocess.run(command, env=exported(), check=False).returncode


def show() -> int:
    """Print the state folder."""
    print(state.prepare())
    return 0


TARGETS: dict[str, tuple[str | None, Callable[..., int]]] = {
    "demo": ("run", lambda *given: demo.main(list(given))),
    "dev": ("work", lambda *given: demo.main(list(given), reload=True)),
    "code": ("run", code),
    "test": ("work", quality.run_tests),
    "test-full": ("work", quality.run_all_tests),
    "bench": ("work", quality.run_bench),
    "check": ("work", quality.check),
    "fix": ("work", quality.fix),
    "lock": ("work", quality.lock),
    "run": ("work", run),
    "doctor": (None, doctor.run),
    "stop": (None, demo.stop),
    "state": (None, show),
}
"""Each target: what the virtual environment must hold for it, and what it does."""


def enter(purpose: str) -> None:
    """Go on in the virtual environment, which is brought up to the locks first."""
    setup.ensure(purpose)
    if os.path.realpath(sys.prefix) != os.path.realpath(setup.VENV):
        arguments = [str(setup.python()), "-m", "portal.house", *sys.argv[1:]]
        os.execv(setup.python(), arguments)  # noqa: S606 - no shell is what we want


def main() -> int:
    """Run a target; trouble is one line."""
    name, *rest = sys.argv[1:] or ["help"]
    if name not in TARGETS:
        print(f"Usage: python -m portal.house {{{'|'.join(TARGETS)}}}", file=sys.stderr)
        return 2
    purpose, target = TARGETS[name]
    try:
        if purpose:
            enter(purpose)
        return partial(target, *rest)()
    except Trouble as trouble:
        print(f"crossing: {trouble}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"crossing: {explain(error, doing=f'running {name}')}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, Ended):
        return 130


if __name__ == "__main__":
    os.chdir(state.CHECKOUT)
    sys.exit(main())
