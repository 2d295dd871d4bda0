"""Which rows of legacy name rows of another entity: told by what a spec looks up, without reading that entity."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from backfills.domain.evaluation import evaluate
from backfills.domain.language import Call, Node, Ref, Type, calls_in, names_in
from backfills.domain.quoting import text
from backfills.domain.spec import Spec, Then
from backfills.domain.sql import Compiler, Dialect

type Named = Mapping[str, Sequence[str]]
"""Keys of the new platform, by the look-up through which rows name them."""

_TOLD = frozenset(
    {"trim", "upper", "lower", "concat", "matches", "int", "bigint", "text", "yes_no", "value", "one_of"}
    | {"coalesce", "null_if", "when", "is_null", "and", "or", "not", "=", "<>", "<", "<=", ">", ">="}
)
"""Functions that any server of legacy works out as the new platform does, from the row alone."""

_LOOKING = ("lookup", "exists")


def arguments(spec: Spec) -> dict[str, tuple[Node, ...]]:
    """Return, by look-up, what is looked up there: expressions of a row's own columns."""
    conditions = [rule.when for rule in spec.rules if rule.when is not None]
    nodes = [*dict(spec.lets).values(), *(column.expression for column in spec.columns), *conditions]
    found = {name: set(_guards(spec, name)) for name in spec.lookups}
    for call in [call for node in nodes for call in calls_in(node) if call.function in _LOOKING]:
        found[call.literal[0]].add(_inlined(call.args[0], spec))
    return {name: tuple(sorted(nodes, key=repr)) for name, nodes in found.items()}


def is_told(spec: Spec, lookup: str) -> bool:
    """Say whether legacy can tell which rows name what: not where that hangs on yet another look-up."""
    asked = arguments(spec)[lookup]
    return all(node.type is Type.TEXT and all(call.function in _TOLD for call in calls_in(node)) for node in asked)


def is_guarded(spec: Spec, lookup: str) -> bool:
    """Say whether a row that names what is not there is rejected for it, or left behind whatever is there.

    Then a row that merely comes there changes nothing but what was rejected, and that is judged again anyway.
    """
    drops = [rule.when for rule in spec.rules if rule.then is Then.DROP and rule.when is not None]
    on_it = any(call.literal[0] == lookup for call in _calls(drops, spec) if call.function in _LOOKING)
    return not on_it and set(arguments(spec)[lookup]) <= set(_guards(spec, lookup))


def condition(spec: Spec, named: Named, *, dialect: Dialect, columns: Mapping[str, str]) -> str:
    """Return the SQL condition that a row names one of these keys; `columns` are the SQL of its columns' texts."""
    compiler = _Native(dialect, spec.tables, spec.sets, spec.zones, columns=columns)
    asked = arguments(spec)
    collate = ' COLLATE "C"' if dialect is Dialect.POSTGRES else ""
    tests = [
        f"({compiler.value(node)}){collate} IN ({', '.join(map(text, keys))})"
        for lookup, keys in sorted(named.items())
        if keys
        for node in asked[lookup]
    ]
    return f"({' OR '.join(tests)})" if tests else "FALSE"


def names(spec: Spec, row: Mapping[str, str | None], named: Named) -> bool:
    """Say whether a row names one of these keys."""
    asked = arguments(spec)
    return any(
        evaluate(node, row, spec.world()).value in keys for lookup, keys in named.items() for node in asked[lookup]
    )


@dataclass(frozen=True, slots=True)
class _Native(Compiler):
    """A compiler for which each column stands for SQL of its own."""

    columns: Mapping[str, str] = field(default_factory=dict)

    def value(self, node: Node) -> str:
        """Return the SQL of an expression's worth."""
        return self.columns[node.name] if isinstance(node, Ref) else Compiler.value(self, node)


def _guards(spec: Spec, lookup: str) -> list[Node]:
    """Return what must be there: a row is rejected where it is not."""
    return [_inlined(column.expression, spec) for column in spec.columns if column.references == lookup]


def _calls(nodes: Sequence[Node], spec: Spec) -> Iterator[Call]:
    """Yield every call in expressions and in whatever they read that `let` declares."""
    lets, waiting, known = dict(spec.lets), [*nodes], set[str]()
    while waiting:
        node = waiting.pop()
        yield from calls_in(node)
        read = (names_in(node) & lets.keys()) - known
        known |= read
        waiting += [lets[name] for name in read]


def _inlined(node: Node, spec: Spec) -> Node:
    """Return an expression in which every `let` stands in full."""
    match node:
        case Ref(name=name):
            declared = dict(spec.lets).get(name)
            return node if declared is None else _inlined(declared, spec)
        case Call(function=function, args=args, type=kind, literal=literal):
            return Call(function, tuple(_inlined(arg, spec) for arg in args), kind, literal)
    return node
