"""A MariaDB of a test's own, on loopback, whose data are gone afterwards."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

SERVER = shutil.which("mariadbd") or shutil.which("/usr/sbin/mariadbd")
MISSING = not (SERVER and shutil.which("mariadb") and shutil.which("mariadb-install-db"))
WHY = "MariaDB is missing: apt-get install -y mariadb-server-core mariadb-client-core"
PASSWORD = 's"e\\cret'


@dataclass(frozen=True)
class MariaDb:
    """A server with a database `legacy` and a role that reads it."""

    socket: Path
    port: int

    @property
    def address(self) -> str:
        """Where the reader signs in."""
        return f"mysql://reader:s%22e%5Ccret@127.0.0.1:{self.port}/legacy"

    def run(self, statements: str, *, database: str = "legacy") -> str:
        """Run statements as the owner; return what they say."""
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", "--batch"]
        ran = subprocess.run(
            [*command, "--default-character-set=utf8mb4", "--skip-column-names", database],
            input=f"SET time_zone = '+00:00'; {statements}",
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise RuntimeError(ran.stderr)
        return ran.stdout


@contextmanager
def server(folder: Path) -> Iterator[MariaDb]:
    """Start a server whose files stand in a folder, and end it."""
    data, socket, port = folder / "data", folder / "s", free_port()
    options = ["--no-defaults", f"--datadir={data}", "--user=root"]
    subprocess.run(
        ["mariadb-install-db", *options, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        capture_output=True,
    )
    assert SERVER
    quick = ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--skip-name-resolve"]
    process = subprocess.Popen(
        [SERVER, *options, f"--socket={socket}", "--bind-address=127.0.0.1", f"--port={port}", *quick],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        found = MariaDb(socket, port)
        _wait(found, process)
        quoted = PASSWORD.replace("\\", "\\\\")
        found.run(
            "CREATE DATABASE legacy CHARACTER SET latin1; "
            f"CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{quoted}'; GRANT SELECT ON legacy.* TO reader@'127.0.0.1';",
            database="mysql",
        )
        yield found
    finally:
        process.terminate()
        process.wait(30)


def _wait(found: MariaDb, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        try:
            found.run("SELECT 1;", database="mysql")
        except RuntimeError:
            if process.poll() is not None:
                raise
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("MariaDB did not start within a minute.")
