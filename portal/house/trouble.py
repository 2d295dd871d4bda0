"""What goes wrong on a machine, said in one line that tells what to do."""

import errno
import os
import shutil
from pathlib import Path


class Trouble(Exception):
    """A step cannot go on; the message is one line for the person at the keyboard: what, and what to do."""


def explain(error: OSError, *, doing: str) -> Trouble:
    """Turn an error of the operating system into one clear line."""
    where = f" ({error.filename})" if error.filename else ""
    # shutil gathers many errors into one that has no number of its own.
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(error):
        return Trouble(f"No disk space left while {doing}{where}: free about 2 GB and run the command again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Trouble(
            f"Not allowed to write while {doing}{where}: run as the owner of this checkout, "
            "or set CROSSING_STATE to a folder that is yours."
        )
    return Trouble(f"{error.strerror or str(error)[:200]} while {doing}{where}.")


def need_space(place: Path, *, megabytes: int, doing: str) -> None:
    """Refuse to begin what would fill the disk; half-done work is harder to explain than a refusal."""
    free = shutil.disk_usage(place).free // 1024**2
    if free < megabytes:
        raise Trouble(
            f"{megabytes} MB are needed at {place} for {doing}, {free} MB are free: make room and run it again."
        )
