"""`make demo` from empty databases, as a newcomer runs it, and what is left of it afterwards: nothing."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from portal.house import state

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home():
    path = Path(tempfile.mkdtemp(prefix="crossing-demo-", dir="/var/tmp"))
    with state.locked("demo-journey"):  # two demos that start at once may choose one port
        yield path
    shutil.rmtree(path)


def demo(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    return subprocess.Popen(
        [sys.executable, "-m", "portal.house", "demo", *arguments],
        cwd=state.CHECKOUT,
        env={**inherited, "CROSSING_STATE": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def left(home: Path) -> list[str]:
    """Every process that carries this demo's state folder in its command line or environment."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            except OSError:
                continue
            if str(home).encode() in words:
                found.append((process / "comm").read_text().strip())
    return found


def lines_until(running: "subprocess.Popen[str]", sign: str) -> str:
    said = ""
    for line in running.stdout:
        said += line
        if sign in line:
            return said
    raise AssertionError(f"the demo ended before it said {sign!r}:\n{said}")


@pytest.fixture(scope="module")
def first(home) -> str:
    """What the first run said."""
    running = demo(home, "--once")
    said, _ = running.communicate(timeout=1200)
    assert running.returncode == 0, said
    assert left(home) == []
    return said


def test_the_first_run_shows_three_stories(first):
    outcomes = {line[:22].strip(): line.split() for line in first.splitlines() if " pass" in line or " block" in line}
    assert "block" not in outcomes["JetBlue Airways"]
    assert "block" in outcomes["American Airlines"]
    assert "block" not in outcomes["Virgin America"]
    assert "owner@jetblue.example" in first
    assert len([line for line in first.splitlines() if "100%" in line]) == 16


def test_the_second_run_is_quick(home, first):
    began = time.monotonic()
    running = demo(home, "--once")
    said, _ = running.communicate(timeout=300)
    assert running.returncode == 0, said
    assert time.monotonic() - began < 30 * max(1, os.getloadavg()[0] / (os.cpu_count() or 1))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ending_it_leaves_no_process(home, first, number):
    running = demo(home)
    said = lines_until(running, "Ctrl-C stops everything")
    url = next(word for word in said.split() if word.startswith("http://localhost:") and word.count("/") == 2)
    with urllib.request.urlopen(f"{url}/readyz") as answer:
        assert answer.status == 200
    os.kill(running.pid, number)
    running.wait(timeout=60)
    until = time.monotonic() + 60
    while left(home) and time.monotonic() < until:
        time.sleep(0.1)
    assert left(home) == []
    running.stdout.close()


def test_a_second_demo_of_the_same_checkout_is_one_clear_line(home, first):
    running = demo(home)
    lines_until(running, "Ctrl-C stops everything")
    second = demo(home, "--once")
    said, _ = second.communicate(timeout=60)
    running.send_signal(signal.SIGINT)
    running.wait(timeout=60)
    running.stdout.close()
    assert second.returncode == 1
    assert said.startswith("crossing: The demo of this checkout runs already, at http://localhost:")
    assert len(said.splitlines()) == 1
