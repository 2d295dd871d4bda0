"""The ground under a checkout: servers that repair themselves and vanish with their last holder."""

import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import environ
import pytest

from portal.house import demo, keeper, setup, state
from portal.house.development import environment
from portal.house.state import Memory
from portal.house.trouble import Trouble, explain, need_space

HOLDER = """
import sys
from portal.house.hold import Servers
from portal.house.development import environment
servers = Servers().take()
print(environment()["DATABASE_URL"], flush=True)
sys.stdin.read()
"""
DEMO = """
import signal
from portal.house import demo
with demo.alone():
    print("runs", flush=True)
    signal.pause()
"""


def new_home() -> Path:
    """A state folder where an unprivileged server account can reach it (pytest's own are private)."""
    return Path(tempfile.mkdtemp(prefix="crossing-test-", dir="/var/tmp"))


@pytest.fixture
def home(monkeypatch):
    """A state folder of its own."""
    path = new_home()
    monkeypatch.setenv("CROSSING_STATE", str(path))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def cluster():
    """A state folder that the tests of this module share: making a cluster takes seconds."""
    path = new_home()
    yield path
    shutil.rmtree(path)


@pytest.fixture
def servers(cluster, monkeypatch):
    """The shared state folder, nothing of it running before or after."""
    monkeypatch.setenv("CROSSING_STATE", str(cluster))
    yield cluster
    wait_for(lambda: not processes_of(cluster))


def processes_of(path: Path) -> list[int]:
    """Every process whose command line names the folder."""
    listed = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if str(path) in line]


def wait_for(condition, *, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def holder() -> "subprocess.Popen[str]":
    """A process that holds the servers until its input ends; its first line is a URL of the running database."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=state.CHECKOUT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def test_servers_start_once_and_stop_with_the_last_holder(servers):
    first, second = holder(), holder()
    assert first.stdout.readline() == second.stdout.readline() != ""
    first.communicate()
    time.sleep(0.3)
    assert processes_of(servers), "somebody still holds them"
    second.communicate()
    wait_for(lambda: not processes_of(servers))


@pytest.mark.slow
def test_a_killed_holder_leaves_nothing_behind(servers):
    killed = holder()
    assert killed.stdout.readline()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    wait_for(lambda: not processes_of(servers))


def test_what_a_killed_supervisor_left_is_ended(servers):
    owner = holder()
    assert owner.stdout.readline()
    left = subprocess.Popen(["sleep", "600"], start_new_session=True)
    state.write_private(keeper.children_file(), str(left.pid))
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert left.wait(timeout=30) == -signal.SIGTERM


def test_servers_whose_keeper_was_killed_are_taken_over(servers):
    first = holder()
    url = first.stdout.readline()
    pid = next(
        int(line.split()[0])
        for line in subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True).stdout.splitlines()
        if "portal.house.keeper" in line
        and f"CROSSING_STATE={servers}" in Path(f"/proc/{line.split()[0]}/environ").read_text()
    )
    os.kill(pid, signal.SIGKILL)
    second = holder()
    assert second.stdout.readline() == url
    first.communicate()
    second.communicate()
    wait_for(lambda: not processes_of(servers))


@pytest.mark.slow
def test_a_stale_pid_file_and_a_half_made_cluster_are_repaired(servers):
    once = holder()
    assert once.stdout.readline()
    once.communicate()
    wait_for(lambda: not processes_of(servers))
    (servers / "postgres" / "data" / "postmaster.pid").write_text("999999\n/nowhere\n1\n1\n\n127.0.0.1\n1 1\nready\n")
    (servers / "postgres" / "data.new").mkdir()
    (servers / "children").write_text("999999")
    again = holder()
    assert again.stdout.readline()
    again.communicate()


def test_a_port_that_somebody_took_is_exchanged(servers):
    once = holder()
    before = once.stdout.readline()
    once.communicate()
    wait_for(lambda: not processes_of(servers))
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", Memory().port("postgres")))
        stranger.listen()
        again = holder()
        after = again.stdout.readline()
        again.communicate()
    assert after
    assert after != before


def test_stop_says_whether_anything_ran(home, capsys):
    assert demo.stop() == 0
    assert capsys.readouterr().out == "Nothing of this checkout was running.\n"
    running = subprocess.Popen([sys.executable, "-c", DEMO], cwd=state.CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "runs\n"
    assert demo.stop() == 0
    assert capsys.readouterr().out == "Stopped: nothing of this checkout runs any more.\n"
    assert running.wait() == -signal.SIGTERM


def test_secrets_and_ports_are_remembered_and_private(home):
    memory = Memory()
    assert memory.secret("one") == Memory().secret("one")
    assert memory.port("web") == Memory().port("web")
    assert memory.secret("one") != memory.secret("two")
    assert (home / "state.json").stat().st_mode & 0o777 == 0o600


def test_mails_go_to_the_folder_that_the_demo_prints(home):
    mails = environ.Env.email_url_config(environment()["EMAIL_URL"])
    assert mails["EMAIL_FILE_PATH"] == str(home / "mail")


def test_a_folder_that_others_may_write_is_refused(home):
    home.chmod(0o777)
    with pytest.raises(Trouble, match="not a private folder of yours"):
        Memory()
    home.chmod(0o700)


def test_a_damaged_memory_says_what_to_remove(home):
    (home / "state.json").write_text("{")
    with pytest.raises(Trouble, match=f"remove {home}"):
        Memory().secret("one")


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "No disk space left"), (errno.EACCES, "Not allowed to write"), (errno.EIO, "while trying")],
)
def test_an_error_of_the_system_is_one_line(number, words):
    line = str(explain(OSError(number, os.strerror(number), "/some/file"), doing="trying"))
    assert words in line
    assert "\n" not in line


def test_many_errors_of_a_copy_are_one_line():
    lines = [(f"/a/{number}", f"/b/{number}", "[Errno 28] No space left on device") for number in range(50)]
    line = str(explain(shutil.Error(lines), doing="copying"))
    assert line.startswith("No disk space left while copying")
    assert len(line) < 200


def test_too_little_room_is_refused_before_anything_is_half_done(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10**9, 10**9, 5 * 1024**2))
    with pytest.raises(Trouble, match=r"500 MB are needed .* 5 MB are free"):
        need_space(tmp_path, megabytes=500, doing="trying")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Failed to establish a new connection: NewConnectionError: [Errno 111]",
            "the package registry does not answer",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "No disk space left",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "does not match its locked hash"),
        ("ERROR: Something new", "ERROR: Something new"),
    ],
)
def test_what_pip_says_becomes_one_line(said, told):
    line = setup.reason(said, doing="install")
    assert told in line
    assert "\n" not in line


def find_python(
    tmp_path: Path, *, version: str, roots: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `run.sh` where `python3` is a shim that fails, or an interpreter of `version`; `roots` are real ones."""
    shims = tmp_path / "pyenv" / "shims"
    shims.mkdir(parents=True)
    for name in ("python3", "python3.13", "python3.12", "python3.14"):
        (shims / name).write_text(f"#!/bin/sh\n{version}\n")
        (shims / name).chmod(0o755)
    (shims / "getent").write_text(f"#!/bin/sh\necho root:x:0:0::{tmp_path}:/bin/sh\n")
    (shims / "getent").chmod(0o755)
    for number, program in (roots or {}).items():
        place = tmp_path / "pyenv" / "versions" / number / "bin"
        place.mkdir(parents=True)
        (place / "python").symlink_to(program)
    checkout = tmp_path / "checkout" / "portal" / "house"
    checkout.mkdir(parents=True)
    shutil.copy(state.CHECKOUT / "portal" / "house" / "run.sh", checkout)
    (checkout.parent / "__init__.py").touch()
    (checkout / "__init__.py").touch()
    (checkout / "__main__.py").write_text("import sys; print('found', sys.version_info[:2], *sys.argv[1:])")
    return subprocess.run(
        ["sh", str(checkout / "run.sh"), "demo"],
        env={"PATH": f"{shims}:/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )


def test_shims_that_fail_are_passed_over_for_an_interpreter_that_works(tmp_path):
    ran = find_python(tmp_path, version="exit 127", roots={"3.13.9": os.path.realpath(sys.executable)})
    assert ran.stdout.startswith("found (3, 1")
    assert ran.stdout.endswith(" demo\n")


def test_only_an_older_python_is_one_clear_line(tmp_path):
    if any(Path(f"/usr/local/bin/python3.{minor}").exists() for minor in (12, 13, 14)):
        pytest.skip("this machine has a system-wide Python that the script is right to find")
    ran = find_python(tmp_path, version='case "$2" in *print*) echo "Python 3.9 is" ;; *) exit 1 ;; esac')
    assert ran.returncode == 1
    assert "Python 3.9 is here" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_a_named_interpreter_that_does_not_work_is_said():
    ran = subprocess.run(
        ["sh", str(state.CHECKOUT / "portal" / "house" / "run.sh"), "state"],
        env={**os.environ, "CROSSING_PYTHON": "/bin/false"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("crossing: CROSSING_PYTHON=/bin/false does not run")


def test_the_state_is_readable_as_json(home):
    Memory().secret("one")
    assert json.loads((home / "state.json").read_text())["secrets"]["one"]
