"""The expression language of the mapping spec: typed trees, and the parser that makes them.

An expression is written in a small subset of Python's syntax (calls, names, constants, comparison, `and`,
`or`, `not`, `+ - *`) and means the same in Python (`evaluation`) and in SQL (`sql`):

- NULL goes through: a function of NULL is NULL, a comparison with NULL is NULL, `and`/`or` are three-valued.
- A value that cannot be read (`int('x')`) becomes NULL and marks its expression as bad.
- Nothing else exists: no attribute, no index, no loop, no name that the spec does not declare.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from core.domain.declared import SpecError


class Type(StrEnum):
    """What an expression is worth."""

    TEXT = "text"
    INT = "int"
    DECIMAL = "decimal"
    BOOL = "bool"
    DATE = "date"
    INSTANT = "instant"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Const:
    """A literal."""

    value: str | int | Decimal | bool | None
    type: Type


@dataclass(frozen=True, slots=True)
class Ref:
    """A column of the source (text) or a value that `let` declares."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the closed list, with its literal arguments (a table, a set, a pattern) apart."""

    function: str
    args: "tuple[Node, ...]"
    type: Type
    literal: tuple[str, ...] = ()


type Node = Const | Ref | Call


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and gives: `args` are types, `literals` kinds of literal text arguments.

    A literal kind is `table`, `set`, `lookup`, `field`, `pattern`. `same` means: all arguments of one type,
    which is the result's.
    """

    args: tuple[Type, ...] = ()
    result: Type | None = None
    literals: tuple[str, ...] = ()
    same: bool = False
    at_least: int = 0


T, N, D, B = Type.TEXT, Type.INT, Type.DECIMAL, Type.BOOL
FUNCTIONS: Mapping[str, Signature] = {
    # text
    "trim": Signature((T,), T),
    "upper": Signature((T,), T),
    "lower": Signature((T,), T),
    "nfc": Signature((T,), T),
    "concat": Signature((T,), T, at_least=2),
    "matches": Signature((T,), B, ("pattern",)),
    # reading text: what cannot be read is bad
    "int": Signature((T,), N),
    "bigint": Signature((T,), N),
    "decimal": Signature((T,), D),
    "date": Signature((T,), Type.DATE),
    "date_of": Signature((N, N, N), Type.DATE),
    "instant": Signature((T,), Type.INSTANT),
    "hhmm": Signature((T,), N),
    "yes_no": Signature((T,), B),
    "value": Signature((T,), T, ("table",)),
    # writing text
    "text": Signature((N,), T),
    "date_text": Signature((Type.DATE,), T),
    # numbers
    "round": Signature((D, N), D),
    "mod": Signature((N, N), N),
    # time: minutes count from local midnight; 1440 is the next midnight
    "at_local": Signature((Type.DATE, N, T), Type.INSTANT),
    "next_local": Signature((Type.INSTANT, N, T), Type.INSTANT),
    "plus_minutes": Signature((Type.INSTANT, N), Type.INSTANT),
    "local_minutes": Signature((Type.INSTANT, T), N),
    # choice
    "coalesce": Signature(same=True, at_least=2),
    "null_if": Signature(same=True, at_least=2),
    "when": Signature(same=True, at_least=3),
    "is_null": Signature((), B),
    "one_of": Signature((T,), B, ("set",)),
    # other entities of the same tenant, already mapped
    "lookup": Signature((T,), T, ("lookup", "field")),
    "exists": Signature((T,), B, ("lookup",)),
}
"""Every function there is. `concat` takes two or more texts; `when(condition, then, otherwise)`."""

_COMPARISONS = {ast.Eq: "=", ast.NotEq: "<>", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
OPERATORS = frozenset({*_COMPARISONS.values(), *_ARITHMETIC.values(), "and", "or", "not"})

LENIENT = frozenset({"and", "or", "is_null", "coalesce", "null_if", "when"})
"""Functions that see NULL; all others are NULL of NULL."""

_PATTERN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 []-{},?*+|()_:/")
_ODD = ("(?", "{,", "[]", "[[", "++", "*+", "?+", "}+", "**", "+*")


_DEEPEST = 100
"""Levels of an expression: whatever reads one goes down by calling itself."""


def parse(text: str, *, names: Mapping[str, Type], literals: Mapping[str, frozenset[str]]) -> Node:
    """Parse and type one expression; raises SpecError (without place) on anything outside the language.

    `names` are the columns and values in reach, `literals` the declared names per literal kind
    (`table`, `set`, `lookup`; `field` holds `lookup.field`).
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise SpecError(f"{text!r} is not an expression: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise SpecError(f"{text[:40]!r}… is not an expression") from error
    return _Parser(names, literals).node(tree)


class _Parser:
    def __init__(self, names: Mapping[str, Type], literals: Mapping[str, frozenset[str]]) -> None:
        self.names, self.literals = names, literals
        self.depth = 0

    def node(self, tree: ast.expr) -> Node:
        if self.depth >= _DEEPEST:
            raise SpecError(f"an expression goes at most {_DEEPEST} levels deep")
        self.depth += 1
        try:
            return self._node(tree)
        finally:
            self.depth -= 1

    def _node(self, tree: ast.expr) -> Node:
        match tree:
            case ast.Constant(value=value):
                return self._constant(value)
            case ast.Name(id=name):
                if name not in self.names:
                    raise SpecError(f"unknown name {name!r}")
                return Ref(name, self.names[name])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Call("not", (self._typed(operand, B),), B)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))) if value < 10**9:
                return Const(-value, N)
            case ast.BoolOp(op=operator, values=values):
                name = "and" if isinstance(operator, ast.And) else "or"
                return Call(name, tuple(self._typed(value, B) for value in values), B)
            case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _COMPARISONS:
                sides = self._same((left, right), "a comparison")
                return Call(_COMPARISONS[type(operator)], sides, B)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _ARITHMETIC:
                sides = (self.node(left), self.node(right))
                if any(side.type not in (N, D) for side in sides):
                    raise SpecError(f"{_ARITHMETIC[type(operator)]!r} needs numbers")
                result = D if D in (sides[0].type, sides[1].type) else N
                return Call(_ARITHMETIC[type(operator)], sides, result)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(name, args)
        raise SpecError(f"{ast.unparse(tree)!r} is not part of the language")

    def _constant(self, value: object) -> Const:
        match value:
            case None:
                return Const(None, Type.NULL)
            case bool():
                return Const(value, B)
            case int() if abs(value) < 10**9:
                return Const(value, N)
            case float() if _is_short(Decimal(str(value))):
                return Const(Decimal(str(value)), D)
            case str() if "\0" not in value:
                return Const(value, T)
        raise SpecError(f"{value!r} is not a literal of the language")

    def _call(self, name: str, args: list[ast.expr]) -> Call:
        if name not in FUNCTIONS:
            raise SpecError(f"unknown function {name!r}; known are {', '.join(sorted(FUNCTIONS))}")
        signature = FUNCTIONS[name]
        count = len(args) - len(signature.literals)
        literal = self._literals(name, signature, args[count:]) if signature.literals else ()
        values = args[:count]
        if name == "when":
            return self._when(values)
        if name == "is_null":
            self._count(name, values, 1)
            return Call(name, (self.node(values[0]),), B)
        if signature.same:
            self._count(name, values, 2, exact=name == "null_if")
            nodes = self._same(values, name)
            return Call(name, nodes, _common(nodes))
        if signature.at_least:
            self._count(name, values, signature.at_least, exact=False)
            nodes = tuple(self._typed(value, signature.args[0]) for value in values)
        else:
            self._count(name, values, len(signature.args))
            nodes = tuple(self._typed(value, kind) for value, kind in zip(values, signature.args, strict=True))
        if name == "round" and not (isinstance(nodes[1], Const) and 0 <= int(str(nodes[1].value)) <= 12):
            raise SpecError("round needs a literal number of places, 0 to 12")
        assert signature.result is not None  # only `same` functions leave it open, and they returned above
        return Call(name, nodes, signature.result, literal)

    def _when(self, values: list[ast.expr]) -> Call:
        self._count("when", values, 3)
        branches = self._same(values[1:], "when")
        return Call("when", (self._typed(values[0], B), *branches), _common(branches))

    def _literals(self, name: str, signature: Signature, args: list[ast.expr]) -> tuple[str, ...]:
        found: list[str] = []
        for kind, arg in zip(signature.literals, args, strict=True):
            if not (isinstance(arg, ast.Constant) and isinstance(arg.value, str)):
                raise SpecError(f"{name} needs its {kind} as literal text")
            text = arg.value
            if kind == "pattern":
                _check_pattern(text)
            else:
                wanted = f"{found[0]}.{text}" if kind == "field" else text
                if wanted not in self.literals.get(kind, frozenset()):
                    raise SpecError(f"{name}: the spec declares no {kind} {wanted!r}")
            found.append(text)
        return tuple(found)

    def _typed(self, tree: ast.expr, wanted: Type) -> Node:
        node = self.node(tree)
        if node.type not in (wanted, Type.NULL) and not (wanted is D and node.type is N):
            raise SpecError(f"{ast.unparse(tree)!r} is {node.type}, expected {wanted}")
        return node

    def _same(self, trees: "list[ast.expr] | tuple[ast.expr, ...]", where: str) -> tuple[Node, ...]:
        nodes = tuple(self.node(tree) for tree in trees)
        kinds = {node.type for node in nodes} - {Type.NULL}
        if len(kinds) > 1 and kinds != {N, D}:
            raise SpecError(f"{where} mixes {', '.join(sorted(kinds))}")
        return nodes

    @staticmethod
    def _count(name: str, values: list[ast.expr], count: int, *, exact: bool = True) -> None:
        if len(values) < count or (exact and len(values) != count):
            raise SpecError(f"{name} takes {'' if exact else 'at least '}{count} argument{'s' * (count != 1)}")


def _is_short(number: Decimal) -> bool:
    """Whether a literal has no more digits than a number of the source can have."""
    return re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,15})?", f"{number:f}") is not None


def _check_pattern(pattern: str) -> None:
    """Refuse a pattern that regular expression engines could read differently."""
    if not pattern or not set(pattern) <= _PATTERN or any(odd in pattern for odd in _ODD):
        raise SpecError(f"pattern {pattern!r} uses more than letters, digits, classes and counts")
    try:
        re.compile(pattern)
    except re.error as error:
        raise SpecError(f"pattern {pattern!r}: {error}") from error


def _common(nodes: tuple[Node, ...]) -> Type:
    kinds = {node.type for node in nodes} - {Type.NULL}
    return D if kinds == {N, D} else next(iter(kinds), Type.NULL)


def names_in(node: Node) -> frozenset[str]:
    """Return the columns and values an expression reads."""
    match node:
        case Ref(name=name):
            return frozenset({name})
        case Call(args=args):
            return frozenset().union(*(names_in(arg) for arg in args))
    return frozenset()


def calls_in(node: Node) -> list[Call]:
    """Return every call in an expression, outermost first."""
    if not isinstance(node, Call):
        return []
    return [node, *(call for arg in node.args for call in calls_in(arg))]


def is_strict(node: Node, lets: Mapping[str, Node]) -> bool:
    """Whether an expression is NULL as soon as anything in it is, so that what has a worth was wholly readable."""
    match node:
        case Ref(name=name):
            return name not in lets or is_strict(lets[name], lets)
        case Call(function=function, args=args):
            return function not in LENIENT and all(is_strict(arg, lets) for arg in args)
    return True
