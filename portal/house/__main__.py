"""The command line behind the Makefile: `python -m portal.house <target>`."""

import os
import subprocess
import sys

from portal.house import state
from portal.house.development import exported
from portal.house.hold import Servers, keeper_runs
from portal.house.trouble import Trouble


def run(*command: str) -> int:
    """Run a command with this checkout's servers and variables."""
    with Servers():
        return subprocess.run(command or ("sh",), env=exported(), check=False).returncode


def stop() -> int:
    """End whatever runs for this checkout; its data stay."""
    if not keeper_runs():
        print("Nothing of this checkout is running.")
    return 0


def show() -> int:
    """Print the state folder."""
    print(state.prepare())
    return 0


COMMANDS = {"run": run, "stop": stop, "state": show}


def main() -> int:
    """Run a target; trouble is one line."""
    name, *rest = sys.argv[1:] or ["help"]
    if name not in COMMANDS:
        print(f"Usage: python -m portal.house {{{'|'.join(COMMANDS)}}}", file=sys.stderr)
        return 2
    try:
        return COMMANDS[name](*rest)
    except Trouble as trouble:
        print(f"crossing: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    os.chdir(state.CHECKOUT)
    sys.exit(main())
