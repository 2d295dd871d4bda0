"""Tests in PostgreSQL that a text has the shape of a number or a date: the usual ones at a fraction of the cost.

Counted repetition makes its regular expressions slow. Where a value is written as it mostly is, a few cheap tests
accept it; whatever they do not accept is put to the pattern itself, so that the language stays that of
`backfills.domain.evaluation`.
"""

from backfills.domain.language import Call, Node, Ref

_CHEAP = ("lower", "trim", "upper")


def is_cheap(node: Node) -> bool:
    """Say whether an expression costs so little that it may be worked out several times."""
    return isinstance(node, Ref) or (isinstance(node, Call) and node.function in _CHEAP and is_cheap(node.args[0]))


def innermost(node: Node) -> Node:
    """Return what a cheap expression reads: what comes of it is of ASCII wherever that is."""
    return innermost(node.args[0]) if isinstance(node, Call) else node


def usual_int(value: str) -> str:
    """Return the test for up to nine digits without a sign."""
    return f"(octet_length({value}) BETWEEN 1 AND 9 AND {_is_digits(value)})"


def usual_decimal(value: str) -> str:
    """Return the test for up to fifteen characters: digits, and a point between digits at most."""
    return f"""(octet_length({value}) <= 15 AND {value} COLLATE "C" ~ '^[0-9]+([.][0-9]+)?$')"""


def usual_date(value: str) -> str:
    """Return the test for eight digits of the years 1000 to 2999; the 99th of a month passes as it does the pattern."""
    c = f'{value} COLLATE "C"'
    return f"(octet_length({value}) = 8 AND {_is_digits(value)} AND {c} >= '1' AND {c} < '3')"


def is_ascii(value: str) -> str:
    """Return the test that every character of a text is one byte."""
    return f"(octet_length({value}) = length({value}))"


def _is_digits(value: str) -> str:
    return f"""{value} COLLATE "C" !~ '[^0-9]'"""
