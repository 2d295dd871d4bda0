"""Files as they are while they are read: what they look like from outside, and whether that has changed."""

import hashlib
import os
import stat
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from core.ports import Rejected, Unavailable

_SETTLED = 0.05
"""Seconds after a change in which another one might leave the same time behind."""

type _Look = tuple[int, int, int, int, int] | None


@dataclass
class Watch:
    """Remembers files as they were when they were first asked for; a change later is told, whatever was read."""

    platform: str
    _looks: dict[str, _Look] = field(default_factory=dict)

    def begin(self, path: Path, *companions: str) -> None:
        """Take note of a file, and of those beside it whose names end in `companions` (they may be missing).

        Raises Rejected where there is no such file, or it is none that can be read as a whole.
        """
        if str(path) in self._looks:
            return
        look = _look(path)
        if look is None:
            raise Rejected(f"The {self.platform} platform has no file {path.name}; put it there and try again.")
        self._looks[str(path)] = look
        for companion in companions:
            beside = path.with_name(path.name + companion)
            self._looks[str(beside)] = _look(beside)

    def named(self, said: str) -> str:
        """Return the name of the file that somebody speaks of, else of the one that was begun last."""
        spoken = [path for path in self._looks if path in said] or [path for path, look in self._looks.items() if look]
        return Path(spoken[-1]).name if spoken else "file"

    def look(self, path: Path) -> tuple[int, ...] | None:
        """Return what tells the noted state of a file from any other; None where there was none."""
        return self._looks[str(path)]

    def version(self) -> str:
        """Name the content of these files by its SHA-256; raises Unavailable if any of them is not as it was."""
        digests = [_content(path, look) for path, look in sorted(self._looks.items()) if look]
        self.check()
        return "sha256:" + (digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest())

    def written_at(self) -> datetime:
        """Return when the last of these files was written."""
        latest = max(look[3] for look in self._looks.values() if look)
        return datetime.fromtimestamp(latest / 1e9, UTC)

    def check(self) -> None:
        """Raise Unavailable if any of them is not as it was."""
        for path, look in self._looks.items():
            if _look(Path(path), wait=False) != look:
                raise Unavailable(
                    f"The {self.platform} platform's file {Path(path).name} changed while it was read. Nothing is said "
                    "about it: let it be written to the end, then try again."
                )


@lru_cache(maxsize=256)
def _content(path: str, look: _Look) -> str:
    """Return the SHA-256 of a file's content; `look` has it read anew once it changed."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _look(path: Path, *, wait: bool = True) -> _Look:
    """Return what tells one state of a file from another; None where there is none, or nothing in it."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or not os.access(path, os.R_OK):
            raise Rejected(f"{path.name} is not a file that Crossing may read.")
        # Times have a grain: what is written once more within it would look the same.
        if wait and 0 <= time.time() - max(found.st_mtime, found.st_ctime) < _SETTLED:
            time.sleep(_SETTLED)
            found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        raise Rejected(f"{path.name} is not a file that Crossing may read.") from None
    if not found.st_size:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def place(platform: str, url: str) -> Path:
    """Return the absolute path of an address like `csv:///exports/october`."""
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.netloc or not path.is_absolute() or set(str(path)) & set("*?[]{}\0"):
        raise Rejected(
            f"The {platform} platform's address must name one absolute path, as in {parts.scheme}:///exports/october; "
            "correct it in the settings."
        )
    return path


def of_table(folder: Path, table: str, kind: str) -> Path:
    """Return a table's file in a folder, and never one of another folder; a table may be named by its file."""
    if set(table) & set("/\\*?[]{}\0"):
        raise Rejected(f"The table {table} has a name that no file of a table can have; name it otherwise.")
    return folder / (table if table.lower().endswith(f".{kind}") else f"{table}.{kind}")


def options(platform: str, url: str, *, known: dict[str, str]) -> dict[str, str]:
    """Return the options behind an address's question mark; `known` gives their defaults."""
    given = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    if foreign := sorted(given.keys() - known.keys()):
        raise Rejected(f"The {platform} platform's address has the option {foreign[0]}; known: {', '.join(known)}.")
    return known | given
