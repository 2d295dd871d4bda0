"""Tests in PostgreSQL that a text has the shape of a number or a date: the usual ones at a fraction of the cost.

Counted repetition makes its regular expressions slow. Where a value is written as it mostly is, a few cheap tests
accept it; whatever they do not accept is put to the pattern itself, so that the language stays that of
`backfills.domain.evaluation`.

What a regular expression costs is being begun. So a row's columns are put to one together, and where that finds nothing
unusual in any of them, none is tested by itself.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import batched

from backfills.domain.language import Call, Node, Ref, calls_in
from backfills.domain.quoting import quote

_CHEAP = ("lower", "trim", "upper")
_FEW, _MOST = 2, 50
"""How many columns are tested together: a function of PostgreSQL takes up to a hundred values."""


def is_cheap(node: Node) -> bool:
    """Say whether an expression costs so little that it may be worked out several times."""
    return isinstance(node, Ref) or (isinstance(node, Call) and node.function in _CHEAP and is_cheap(node.args[0]))


def innermost(node: Node) -> Node:
    """Return what a cheap expression reads: what comes of it is of ASCII wherever that is."""
    return innermost(node.args[0]) if isinstance(node, Call) else node


def usual_int(value: str) -> str:
    """Return the test for up to nine digits, one less behind a minus."""
    return f"""(octet_length({value}) BETWEEN 1 AND 9 AND {value} COLLATE "C" ~ '^-?[0-9]+$')"""


def usual_decimal(value: str) -> str:
    """Return the test for up to fifteen characters: digits, and a point between digits at most."""
    return f"""(octet_length({value}) <= 15 AND {value} COLLATE "C" ~ '^[0-9]+([.][0-9]+)?$')"""


def usual_date(value: str) -> str:
    """Return the test for eight digits of the years 1000 to 2999; the 99th of a month passes as it does the pattern."""
    c = f'{value} COLLATE "C"'
    return f"(octet_length({value}) = 8 AND {_is_digits(value)} AND {c} >= '1' AND {c} < '3')"


def usual_hhmm(value: str) -> str:
    """Return the test for four digits that are a time of day."""
    return f"(({_unusual_hhmm(value)}) IS FALSE AND {_is_digits(value)})"


def is_ascii(value: str) -> str:
    """Return the test that every character of a text is one byte."""
    return f"(octet_length({value}) = length({value}))"


def _is_digits(value: str) -> str:
    return f"""{value} COLLATE "C" !~ '[^0-9]'"""


@dataclass(frozen=True, slots=True)
class Group:
    """Columns that are tested together; `flag` is the name of the column that says that all are written as usual."""

    flag: str
    covered: frozenset[tuple[str, str]]
    """Functions and the columns that they may then read."""
    unusual: str

    @property
    def column(self) -> str:
        """Return the flag's SQL, with its name. What is not there is not unusual."""
        return f"({self.unusual}) IS NOT TRUE AS {quote(self.flag)}"


def groups(nodes: Iterable[Node], columns: Iterable[str]) -> list[Group]:
    """Return which of a row's `columns` to test together: those that expressions read as they stand."""
    known = frozenset(columns)
    read = {
        (call.args[0].name, call.function)
        for node in nodes
        for call in calls_in(node)
        if call.function in _UNUSUAL and isinstance(call.args[0], Ref) and call.args[0].name in known
    }
    found = []
    for flag, functions, readers, pattern in _GROUPS:
        # A column that is read in two ways is tested for the narrower one.
        members = {column: one for one in reversed(functions) for column, function in sorted(read) if function == one}
        for number, some in enumerate(batched(members.items(), _MOST), start=1):
            if len(some) >= _FEW:
                tests = [_UNUSUAL[function](quote(column)) for column, function in some]
                columns_of = ", ".join(quote(column) for column, _ in some)
                tests.append(f"""concat({columns_of}) COLLATE "C" ~ '{pattern}'""")
                covered = frozenset((one, column) for column, own in some for one in (own, *readers))
                found.append(Group(f"{flag}{number}", covered, " OR ".join(tests)))
        read = {pair for pair in read if pair[0] not in members}
    return found


def _unusual_int(value: str) -> str:
    return f"octet_length({value}) NOT BETWEEN 1 AND 9"


def _unusual_date(value: str) -> str:
    c = f'{value} COLLATE "C"'
    return f"octet_length({value}) <> 8 OR {c} < '1' OR {c} >= '3'"


def _unusual_hhmm(value: str) -> str:
    c = f'{value} COLLATE "C"'
    return f"octet_length({value}) <> 4 OR {c} >= '2400' OR substr({c}, 3, 1) >= '6'"


def _unusual_decimal(value: str) -> str:
    """Return what a text of digits and points must not be: the point sorts before the digits."""
    c = f'{value} COLLATE "C"'
    return f"octet_length({value}) NOT BETWEEN 1 AND 15 OR {c} < '0' OR {c} LIKE '%.' OR {c} LIKE '%.%.%'"


_UNUSUAL: Mapping[str, Callable[[str], str]] = {
    "int": _unusual_int, "bigint": _unusual_int, "date": _unusual_date, "hhmm": _unusual_hhmm,
    "decimal": _unusual_decimal,
}  # fmt: skip
_GROUPS = (
    ("usual__digits", ("hhmm", "date", "int", "bigint"), ("int", "bigint", "decimal"), "[^0-9]"),
    ("usual__decimals", ("decimal",), (), "[^0-9.]"),
)
"""Flag, functions of which columns, narrowest first, what else can read what is so, and what no such column holds."""
