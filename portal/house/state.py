"""What a checkout remembers between runs, outside of it: a private folder with secrets, ports and clusters."""

import fcntl
import hashlib
import json
import os
import secrets
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.house.trouble import Trouble, explain

CHECKOUT = Path(__file__).resolve().parents[2]
PREFERRED_PORTS = {"web": 8000}
"""Where a person expects to find it; any other port is whichever is free."""


def folder() -> Path:
    """The state folder of this checkout, outside any home so that an unprivileged server user can reach its cluster.

    `CROSSING_STATE` overrides it.
    """
    if chosen := os.environ.get("CROSSING_STATE"):
        return Path(chosen).resolve()
    digest = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:10]
    return Path("/var/tmp") / f"crossing-{os.geteuid()}-{digest}"  # noqa: S108 - ours by name, owner and mode, see `prepare`


def prepare() -> Path:
    """Create the state folder, or refuse one that somebody else could write to."""
    path = folder()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = path.lstat()
    except OSError as error:
        raise explain(error, doing="preparing the state folder") from error
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise Trouble(f"{path} is not a private folder of yours: remove it, or set CROSSING_STATE to another one.")
    # As root the servers run as another user, who must be able to walk through (not list) this folder.
    path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise explain(error, doing="saving the state of this checkout") from error


@contextmanager
def locked(name: str, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock of this checkout; the kernel releases it when the process dies, however it dies."""
    with (prepare() / f"{name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


def is_free(port: int) -> bool:
    """Say whether a loopback port can be listened on now (TCP and, for DNS, UDP)."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def any_free_port(*, besides: set[int]) -> int:
    """A free loopback port that no other part of this checkout remembers."""
    for _ in range(200):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in besides and is_free(port):
            return port
    raise Trouble("No free port on 127.0.0.1: stop some programs that listen there and run the command again.")


class Memory:
    """Secrets and ports of this checkout: drawn once, then remembered (`state.json`, mode 0600)."""

    def __init__(self) -> None:
        self.path = prepare() / "state.json"

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            content = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise Trouble(f"{self.path} is damaged: remove {self.path.parent} to start afresh.") from error
        return {section: dict(values) for section, values in content.items()}

    def _remember(self, section: str, name: str, *, make: Callable[[dict[str, str]], str], keep: bool = True) -> str:
        with locked("state"):
            content = self._read()
            values = content.setdefault(section, {})
            if not keep or name not in values:
                values[name] = make(values)
                write_private(self.path, json.dumps(content, indent=1))
            return values[name]

    def secret(self, name: str, *, make: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> str:
        """A secret by name, drawn by `make` the first time."""
        return self._remember("secrets", name, make=lambda _: make())

    def port(self, name: str, *, anew: bool = False) -> int:
        """The port of a server by name; `anew` forgets the old one, which somebody else has taken."""

        def choose(taken: dict[str, str]) -> str:
            preferred = PREFERRED_PORTS.get(name)
            if preferred and str(preferred) not in taken.values() and is_free(preferred):
                return str(preferred)
            return str(any_free_port(besides={int(port) for port in taken.values()}))

        return int(self._remember("ports", name, make=choose, keep=not anew))

    def free_port(self, name: str) -> int:
        """The remembered port of a server that is about to start, or another one if that is taken by now."""
        port = self.port(name)
        return port if is_free(port) else self.port(name, anew=True)
