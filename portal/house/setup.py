"""The virtual environment of a checkout: made once, filled from hash-locked requirements, repaired when half made."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from portal.house import state
from portal.house.trouble import Trouble, explain, need_space

VENV = state.CHECKOUT / ".venv"
LOCKS = {"run": ("base", "demo"), "work": ("dev", "demo", "examples")}
"""What to install to run the portal, and to work on it (which includes the first)."""


def python() -> Path:
    """The interpreter of the virtual environment."""
    return VENV / "bin" / "python"


def lock_file(name: str) -> Path:
    """A file of pinned requirements with hashes."""
    return state.CHECKOUT / "requirements" / f"{name}.lock"


def digest(purpose: str) -> str:
    """What must be installed for a purpose: changes with the locks, and with the interpreter."""
    content = hashlib.sha256(sys.version.encode())
    for name in LOCKS[purpose]:
        content.update(lock_file(name).read_bytes())
    return content.hexdigest()


def is_ready(purpose: str) -> bool:
    """Whether the environment holds exactly what the locks say. One that is a link is somebody else's to keep."""
    if VENV.is_symlink():
        return python().exists()
    if not python().exists() or (VENV / "half-made").exists():
        return False
    wider = [purpose] if purpose == "work" else ["run", "work"]
    return any(
        (VENV / f"complete-{one}").exists() and (VENV / f"complete-{one}").read_text() == digest(one) for one in wider
    )


def ensure(purpose: str) -> None:
    """Bring the environment to what the locks say. Quick when there is nothing to do; safe to interrupt.

    Raises Trouble with one line when the registry cannot be reached or the disk is full.
    """
    with state.locked("setup"):
        if is_ready(purpose):
            return
        need_space(state.CHECKOUT, megabytes=1000, doing="the virtual environment")
        try:
            if (VENV / "half-made").exists() or not works():
                create()
            (VENV / "half-made").touch()
            try:
                for name in LOCKS[purpose]:
                    install(name)
            except Trouble:
                (VENV / "half-made").unlink()  # pip itself gave up and left things whole; only a kill leaves the mark
                raise
            (VENV / f"complete-{purpose}").write_text(digest(purpose))
            (VENV / "half-made").unlink()
        except OSError as error:
            raise explain(error, doing="setting up the virtual environment") from error


def works() -> bool:
    """Whether the environment's interpreter runs and has pip (a moved checkout or a removed Python breaks it)."""
    probe = [str(python()), "-c", "import pip, sys; sys.exit(sys.prefix == sys.base_prefix)"]
    try:
        return not subprocess.run(probe, capture_output=True, check=False).returncode
    except OSError:
        return False


def create() -> None:
    """Make an empty environment, replacing what was there."""
    print("Creating the virtual environment .venv …", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    base = getattr(sys, "_base_executable", sys.executable)
    made = subprocess.run([base, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode:
        raise Trouble(reason(made.stdout + made.stderr, doing="create the virtual environment"))


def install(name: str, *, beside: Path | None = None) -> None:
    """Install one lock, hashes checked, nothing else resolved; into the folder `beside` the environment, if given."""
    lock = lock_file(name)
    count = sum(1 for line in lock.read_text().splitlines() if "==" in line)
    print(f"Installing {count} packages of requirements/{name}.lock (first run only) …", flush=True)
    command = [str(python()), "-m", "pip", "install", "--require-hashes", "--no-deps", "--requirement", str(lock)]
    if beside:
        command.append(f"--target={beside}")
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries=2", "--progress-bar=off"]
    log = state.prepare() / "pip.log"
    log.unlink(missing_ok=True)
    ran = subprocess.run(
        [*command, *options, f"--log={log}"],
        env={name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PIP_USER"}},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise Trouble(reason(ran.stdout + ran.stderr, doing=f"install requirements/{name}.lock") + f" (log: {log})")


def reason(words: str, *, doing: str) -> str:
    """The one line that a person needs out of what pip said."""
    unreachable = (
        "NewConnectionError", "ConnectionError", "Temporary failure", "ReadTimeout", "ConnectTimeout", "ProxyError",
        "Connection refused", "Max retries exceeded", "Name or service not known", "SSLError", "Network is unreachable",
        "(from versions: none)",
    )  # fmt: skip
    if "No space left" in words:
        return f"No disk space left to {doing}: free about 2 GB and run the command again."
    if any(sign in words for sign in unreachable):
        return (
            f"Cannot {doing}: the package registry does not answer. Check the network (or the proxy and the index in "
            "pip's configuration) and run the command again; what is installed already is kept"
        )
    if "HASHES" in words.upper() and "DO NOT MATCH" in words.upper():
        return f"Cannot {doing}: a download does not match its locked hash. Clear pip's cache and try another network"
    said = [line for line in words.splitlines() if line.strip()]
    telling = [line for line in said if "ERROR" in line or "error" in line]
    return f"Cannot {doing}: {(telling or said or ['pip said nothing'])[-1].strip()}"
