"""Decisions about many people as a file: what is downloaded, what may come back, and what is wrong with which line."""

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.domain.identity_map.decisions import Kind, State

HEADER = (
    "guid", "legacy_key", "name", "user_name", "email", "role", "outcome", "why", "new_key", "new_name", "state",
    "decision", "target",
)  # fmt: skip
READ = ("guid", "state", "decision", "target")
"""What is read of an uploaded file; the other columns are for people, and may be missing or changed."""

KINDS = (Kind.ACCEPT, Kind.MAP, Kind.APART, Kind.MERGE, Kind.SPLIT, Kind.DROP)
MOST_LINES = 100_000
MOST_DECIDED = 20_000
"""People whom one file decides about: somebody waits for it, and it is one decision, undone as a whole."""
LARGEST_FILE = 40 * 1024 * 1024
LONGEST_CELL = 10_000
UNENDED = "Look for a quotation mark that does not end."
BETWEEN = "|"
"""Between several targets of a split."""

_DEFUSED = ("=", "+", "-", "@", "|", "%")


@dataclass(frozen=True, slots=True)
class Line:
    """A line that decides something: the keys it names as they stand there."""

    number: int
    guid: UUID
    state: str
    kind: Kind
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong in one line (numbered as an editor does; 0: with the whole file), and what to do."""

    line: int
    column: str
    message: str
    fix: str


class Unreadable(Exception):
    """The file as a whole cannot be read; `flaw` says why."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.flaw = Flaw(0, "", message, fix)


def mark(state: State, decision_id: UUID | None) -> str:
    """Return a short digest of how a person stands, so that a file of yesterday overwrites nothing of today."""
    said = f"{state.outcome}|{state.rule}|{state.new_id}|{state.person_id}|{decision_id}"
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def read(content: bytes) -> tuple[list[Line], list[Flaw]]:
    """Read an uploaded file: the lines that decide something, and everything that is wrong, line by line.

    UTF-8, with commas or semicolons as spreadsheets write them. Raises Unreadable for what is no such file at all.
    """
    if len(content) > LARGEST_FILE:
        raise Unreadable(f"The file is larger than {LARGEST_FILE // 2**20} MB.", "Upload it in parts.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("The file is not in UTF-8.", "Save it as “CSV UTF-8” and upload it again.") from error
    lines: list[Line] = []
    flaws: list[Flaw] = []
    seen: set[UUID] = set()
    for number, row in _rows(text):
        found = _line(number, row)
        if isinstance(found, Flaw):
            flaws.append(found)
        elif found is not None and found.guid in seen:
            flaws.append(Flaw(number, "guid", "This person stands in the file twice.", "Leave one of the two lines."))
        elif found is not None:
            seen.add(found.guid)
            lines.append(found)
        if len(lines) > MOST_DECIDED:
            raise Unreadable(
                f"The file decides about more than {MOST_DECIDED:,} people.",
                "Leave “decision” empty in the other lines, and decide about those by another file.",
            )
    return lines, flaws


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    if "\0" in text:
        raise Unreadable("The file holds zero characters, so it is no text.", "Save it as “CSV UTF-8”.")
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if missing := [name for name in READ if name not in header]:
            raise Unreadable(
                f"The heading lacks {', '.join(missing)}.", "Begin with a fresh download and keep its first line."
            )
        places = {name: header.index(name) for name in READ}
        for count, row in enumerate(reader, start=1):
            if count > MOST_LINES:
                raise Unreadable(f"The file has more than {MOST_LINES:,} lines.", "Upload it in parts.")
            if any(len(cell) > LONGEST_CELL for cell in row):
                raise Unreadable(f"Line {reader.line_num} cannot be read as CSV.", UNENDED)
            if any(cell.strip() for cell in row):
                yield reader.line_num, {name: _cell(row, place) for name, place in places.items()}
    except csv.Error as error:
        raise Unreadable(f"Line {reader.line_num} cannot be read as CSV.", UNENDED) from error


def _cell(row: Sequence[str], place: int) -> str:
    """Return a cell without what was put before it so that no spreadsheet takes it for a formula."""
    text = row[place].strip() if place < len(row) else ""
    return text[1:] if text.startswith("'") and text[1:].startswith(_DEFUSED) else text


def _line(number: int, row: dict[str, str]) -> Line | Flaw | None:
    said = row["decision"].lower()
    if not said:
        return None
    kind = next((kind for kind in KINDS if kind == said), None)
    if kind is None:
        allowed = ", ".join(KINDS)
        return Flaw(number, "decision", f"“{said[:40]}” is no decision.", f"Write one of {allowed}, or nothing.")
    try:
        guid = UUID(row["guid"])
    except ValueError:
        return Flaw(number, "guid", "This is no id of a person.", "Take the ids from a fresh download.")
    targets = tuple(part.strip() for part in row["target"].split(BETWEEN) if part.strip())
    if kind is not Kind.SPLIT and len(targets) > 1:
        targets = (row["target"],)
    wanted = {Kind.MAP: "the key of somebody of the new platform", Kind.MERGE: "the legacy key of the other person"}
    if kind in wanted and not targets:
        return Flaw(number, "target", f"“{kind}” needs a target.", f"Write {wanted[kind]}.")
    if kind is Kind.SPLIT and len(targets) < 2:
        return Flaw(
            number, "target", "“split” needs two targets or more.", f"Write their keys with “{BETWEEN}” between."
        )
    if kind in (Kind.ACCEPT, Kind.APART, Kind.DROP) and targets:
        return Flaw(number, "target", f"“{kind}” takes no target.", "Empty the cell, or decide “map”.")
    return Line(number, guid, row["state"], kind, targets)
