"""`make demo` and `make dev`: the whole portal and its counterparts on this machine, from nothing to a sign-in."""

import fcntl
import os
import shutil
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from portal.house import hold, schema, setup, state
from portal.house.development import environment
from portal.house.hold import Servers
from portal.house.state import Memory
from portal.house.supervisor import Child, Ended, Supervisor
from portal.house.trouble import Trouble

LISTENERS = ("web", "dns", "dns_console", "idp", "receiver")
"""Whoever listens for others of this checkout; their ports are settled before anybody is told of them."""


def say(line: str) -> None:
    """Tell the person at the keyboard."""
    print(line, flush=True)


def supervisor_file() -> str:
    """The name of the lock that says a demo runs; its content is the supervisor's process id."""
    return "demo.pid"


@contextmanager
def alone() -> Iterator[None]:
    """One demo per checkout."""
    with (state.prepare() / supervisor_file()).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            url = f"http://localhost:{Memory().port('web')}"
            raise Trouble(f"The demo of this checkout runs already, at {url}; `make stop` ends it.") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def stop() -> int:
    """End the demo of this checkout and wait until nothing of it is left; say whether there was anything to end."""
    supervisor = _supervisor()
    ran = supervisor is not None or hold.keeper_runs()
    if supervisor is not None:
        os.kill(supervisor, signal.SIGTERM)
    until = time.monotonic() + 60
    while (_supervisor() is not None or hold.keeper_runs()) and time.monotonic() < until:
        time.sleep(0.1)
    if _supervisor() is not None or hold.keeper_runs():
        raise Trouble(
            "The servers are still held by another command of this checkout (tests, a shell): end that first."
        )
    say("Stopped: nothing of this checkout runs any more." if ran else "Nothing of this checkout was running.")
    return 0


def _supervisor() -> int | None:
    """The process id of the demo that runs; None if none does."""
    with (state.prepare() / supervisor_file()).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            return int(file.read())
    return None


def children(variables: dict[str, str], *, reload: bool) -> list[Child]:
    """The processes of the portal and its counterparts, counterparts first."""
    python, folder = str(setup.python()), state.prepare()
    celery = [python, "-m", "celery", "--app=portal.celery"]
    worker = ["worker", "--max-tasks-per-child=500", "--without-gossip", "--without-mingle", "--loglevel=WARNING"]
    short = ["--concurrency=1", "--queues=short", "--hostname=short@%h"]
    schedule = [f"--schedule={folder / 'beat-schedule'}", "--pidfile="]
    web = [python, "-m", "gunicorn", "--config=python:portal.gunicorn", "portal.wsgi"]
    if reload:
        web = [python, "manage.py", "runserver", variables["WEB_BIND"]]
    return [
        Child("dns", [python, "manage.py", "demo_dns"], variables),
        Child("idp", [python, "manage.py", "demo_idp"], variables),
        Child("receiver", [python, "manage.py", "demo_receiver"], variables),
        Child("worker", [*celery, *worker, "--concurrency=2"], variables),
        Child("worker-short", [*celery, *worker, *short], variables),
        Child("beat", [*celery, "beat", *schedule, "--loglevel=WARNING"], variables),
        Child("web", web, variables, loud=reload),
    ]


def wait_for_listener(supervisor: Supervisor, name: str, *, seconds: float = 60) -> None:
    """Return once a counterpart listens on its port."""
    until = time.monotonic() + seconds
    while state.is_free(Memory().port(name)):
        supervisor.look()
        if time.monotonic() > until:
            child = next(child for child in supervisor.children if child.name == name)
            raise Trouble(f"{name} does not listen after {seconds:.0f} s: {child.last_words()}")
        time.sleep(0.1)


def wait_for_web(supervisor: Supervisor, url: str, *, seconds: float = 60) -> None:
    """Return once the portal answers its health check."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        supervisor.look()
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=5):  # noqa: S310 - our own loopback address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    web = next(child for child in supervisor.children if child.name == "web")
    raise Trouble(f"The web server does not answer at {url}: {web.last_words()}")


def migrate(supervisor: Supervisor, variables: dict[str, str]) -> None:
    """Bring the database to this version, unless it is known to be there."""
    stamp, wanted = state.folder() / "schema", schema.digest(tenancy_key=variables["TENANCY_KEY"])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say("Bringing the database to this version …")
    command = [str(setup.python()), "manage.py", "migrate", "--verbosity=0", "--no-input"]
    if code := supervisor.run(command, environment=variables):
        raise Trouble(
            f"The migrations failed (exit {code}); what they said stands above. "
            "`make demo FRESH=1` starts with empty databases."
        )
    state.write_private(stamp, wanted)


def forget() -> None:
    """Remove the databases of this checkout; its secrets and ports stay."""
    if hold.keeper_runs():
        raise Trouble("The databases are in use by another command of this checkout: `make stop` ends it.")
    shutil.rmtree(state.prepare() / "postgres", ignore_errors=True)
    for name in ("valkey", "schema", "mail", "beat-schedule", "receiver.json"):
        path = state.folder() / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def settle(memory: Memory, *, reload: bool) -> dict[str, str]:
    """Settle who listens where, and return the variables of every process of the demo."""
    for listener in LISTENERS:
        memory.free_port(listener)
    return {
        **os.environ,
        **environment(memory),
        "WEB_BIND": f"127.0.0.1:{memory.port('web')}",
        "WEB_WORKERS": "1",
        "PYTHONUNBUFFERED": "1",
        **({"DEBUG": "on"} if reload else {}),
    }


def run(*, once: bool, fresh: bool = False, reload: bool = False) -> int:
    """Bring everything up, load the demo, run the first preflight, then serve until Ctrl-C.

    With `once`, stop after the preflight; 0 only if every step ran. With `fresh`, begin with empty databases.
    """
    started = time.monotonic()
    with alone():
        if fresh:
            forget()
        with Servers(), Supervisor(say) as supervisor:
            try:
                variables = settle(Memory(), reload=reload)
                say("PostgreSQL and Valkey are up.")
                migrate(supervisor, variables)
                for child in children(variables, reload=reload):
                    supervisor.add(child)
                for counterpart in ("dns", "receiver"):
                    wait_for_listener(supervisor, counterpart)
                load = [str(setup.python()), "manage.py", "demo"]
                if code := supervisor.run(load, environment={**variables, "LOG_LEVEL": "WARNING"}):
                    raise Trouble(f"The demo did not come up (exit {code}); what it said stands above.")
                wait_for_web(supervisor, variables["PUBLIC_URL"])
                took = f"{time.monotonic() - started:.0f} s"
                if once:
                    say(f"\nAll of it stood after {took}; it stops now. `make demo` serves it, with these addresses.")
                    return 0
                say(f"\nUp after {took}: {variables['PUBLIC_URL']}")
                say(f"Ctrl-C stops everything. Logs: {state.folder() / 'logs'}, mails: {state.folder() / 'mail'}")
                supervisor.serve()
            except Ended:
                say("\nStopping …")
                return 130 if once else 0
    return 0


def main(arguments: list[str], *, reload: bool = False) -> int:
    """`make demo [ONCE=1] [FRESH=1]`."""
    if unknown := set(arguments) - {"--once", "--fresh"}:
        print(f"Unknown: {' '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    return run(once="--once" in arguments, fresh="--fresh" in arguments, reload=reload)
