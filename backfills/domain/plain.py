"""A mapping in plain words: what becomes of an entity's rows, told to the people whose rows they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from backfills.domain.inspection import source_columns_of
from backfills.domain.invariants import Invariant, Must
from backfills.domain.language import Call, Const, Node, Ref
from backfills.domain.spec import Column, Dropped, Rule, Spec, Then


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the new platform: the source columns it comes from, how, and what it must hold."""

    name: str
    sources: tuple[str, ...]
    how: str
    must: str
    is_public: bool
    merged: str = ""
    """Whose value counts when a drifted record is merged, where the mapping says so."""


@dataclass(frozen=True, slots=True)
class Step:
    """A value that several fields use."""

    name: str
    how: str


@dataclass(frozen=True, slots=True)
class Told:
    """A whole mapping, told."""

    fields: tuple[Field, ...]
    steps: tuple[Step, ...]
    unread: tuple[tuple[str, str, str], ...]
    """Source columns that no field comes from: name, why, and when that was decided."""
    left_behind: tuple[Rule, ...]
    rejected: tuple[Rule, ...]
    changed: tuple[Rule, ...]
    cases: tuple[tuple[str, str], ...]
    """What becomes of archived, orphaned, … objects."""
    must_hold: tuple[tuple[str, str], ...]
    """What is asked of the records of both platforms: its name, and how it is asked."""


CASES: Mapping[str, str] = {
    "deleted": "Deleted in legacy",
    "archived": "Archived in legacy",
    "orphaned": "Referring to something that is missing",
    "duplicate": "Standing twice",
    "conflicting": "Contradicting themselves",
    "held": "Under a legal hold",
}


def tell(spec: Spec) -> Told:
    """Tell a mapping in plain words."""
    of = {then: tuple(rule for rule in spec.rules if rule.then is then) for then in Then}
    read = frozenset().union(*(source_columns_of(spec, node) for node in _expressions(spec)))
    nothing = Dropped("")
    unread = tuple(
        (name, spec.dropped.get(name, nothing).because, spec.dropped.get(name, nothing).since)
        for name in spec.source_columns
        if name not in read and name not in (spec.key_column, *dict(spec.key_parts))
    )
    return Told(
        fields=tuple(_field(spec, column) for column in spec.columns),
        steps=tuple(Step(name, say(node)) for name, node in spec.lets),
        unread=unread,
        left_behind=of[Then.DROP],
        rejected=of[Then.QUARANTINE],
        changed=of[Then.KEEP],
        cases=tuple((words, answer(spec, kind)) for kind, words in CASES.items() if kind in spec.cases),
        must_hold=tuple((one.says, _asked(one)) for one in spec.invariants),
    )


def unread(spec: Spec) -> tuple[str, ...]:
    """Return the source columns that nothing reads and that are not declared dropped."""
    return tuple(name for name, because, _ in tell(spec).unread if not because)


def _expressions(spec: Spec) -> list[Node]:
    rules = [rule.when for rule in spec.rules if rule.when is not None]
    return [*(column.expression for column in spec.columns), *rules]


def answer(spec: Spec, kind: str) -> str:
    """Say what becomes of a kind of special objects: by its rule's reason, or why there are none."""
    declared = spec.cases[kind]
    rule = spec.rule(declared)
    return rule.because if rule else declared


def _field(spec: Spec, column: Column) -> Field:
    read = source_columns_of(spec, column.expression)
    must = [
        "must be there" if column.required else "may be empty",
        *([f"at most {column.max} characters"] if column.max else []),
        *([f"one of {', '.join(column.values)}"] if 0 < len(column.values) <= 8 else []),
        *([f"one of {len(column.values)} known values"] if len(column.values) > 8 else []),
        *([f"refers to {spec.lookups[column.references].entity.replace('_', ' ')}"] if column.references else []),
    ]
    if spec.key_is_made and spec.key_column in read:  # people know the columns that it is made of
        read = read - {spec.key_column} | dict(spec.key_parts).keys()
    return Field(
        column.name,
        tuple(name for name in spec.source_columns if name in read),
        say(column.expression),
        ", ".join(must),
        column.public,
        column.on_drift.words(column.type) if column.on_drift else "",
    )


def _asked(one: Invariant) -> str:
    if one.test is None:
        where = f"a “{one.other}” of {_name(one.entity)}" if one.other else f"one of {_name(one.entity)}"
        return f"every “{one.column}” is {where}"
    match one.must:
        case Must.COUNT:
            return f"as many records of which {say(one.test)}"
        case Must.SUM:
            return f"the same sum of {say(one.test)}" + (f", give or take {one.within}" if one.within else "")
    return f"of every record {say(one.test)}"


def _name(name: str) -> str:
    return name.replace("_", " ")


def say(node: Node) -> str:
    """Say an expression in words: columns in quotation marks, values that the mapping works out by their names."""
    match node:
        case Const(value=None):
            return "nothing"
        case Const(value=bool() as value):
            return "yes" if value else "no"
        case Const(value=str() as value):
            return f"“{value}”" if value.strip() else "a space" if value else "an empty text"
        case Const(value=value):
            return str(value)
        case Ref(name=name):
            return f"“{name}”"
        case Call(function="not", args=(Call(function="is_null", args=(inner,)),)):
            return f"{say(inner)} is there"
        case Call(function="not", args=(inner,)):
            return f"it is not so that {say(inner)}"
        case Call(function=name, args=args, literal=literal) if name in _WORDS:
            return _WORDS[name]([say(arg) for arg in args], [_name(one) for one in literal])
        case Call(function=name, args=(left, right)):
            return f"{say(left)} {_SIGNS.get(name, name)} {say(right)}"
    return f"{node.function} of {', '.join(say(arg) for arg in node.args)}"


_SIGNS = {"=": "is", "<>": "is not", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least",
          "+": "plus", "-": "minus", "*": "times"}  # fmt: skip
_WORDS: Mapping[str, Callable[[list[str], list[str]], str]] = {
    "and": lambda a, _: " and ".join(a),
    "or": lambda a, _: " or ".join(a),
    "trim": lambda a, _: f"{a[0]} without spaces around it",
    "upper": lambda a, _: f"{a[0]} in capital letters",
    "lower": lambda a, _: f"{a[0]} in small letters",
    "nfc": lambda a, _: f"{a[0]} with accents written one way",
    "concat": lambda a, _: " followed by ".join(a),
    "matches": lambda a, n: f"{a[0]} has the expected form",
    "int": lambda a, _: f"{a[0]} as a whole number",
    "bigint": lambda a, _: f"{a[0]} as a whole number",
    "decimal": lambda a, _: f"{a[0]} as a number",
    "date": lambda a, _: f"{a[0]} as a date",
    "date_of": lambda a, _: f"the date of year {a[0]}, month {a[1]} and day {a[2]}",
    "instant": lambda a, _: f"{a[0]} as a moment",
    "hhmm": lambda a, _: f"{a[0]} as a time of day",
    "yes_no": lambda a, _: f"{a[0]}, Y as yes and N as no",
    "value": lambda a, n: f"{a[0]} translated by the list “{n[0]}”",
    "text": lambda a, _: f"{a[0]} as text",
    "date_text": lambda a, _: f"{a[0]} written as year, month, day",
    "round": lambda a, _: f"{a[0]}, rounded to {a[1]} place{'' if str(a[1]) == '1' else 's'}",
    "mod": lambda a, _: f"the remainder of {a[0]} by {a[1]}",
    "at_local": lambda a, _: f"the moment of {a[0]} at {a[1]} in the time zone {a[2]}",
    "next_local": lambda a, _: f"the first moment after {a[0]} at which it is {a[1]} in the time zone {a[2]}",
    "plus_minutes": lambda a, _: f"{a[0]} plus {a[1]} minutes",
    "local_minutes": lambda a, _: f"the time of day of {a[0]} in the time zone {a[1]}",
    "coalesce": lambda a, _: " or else ".join(a),
    "null_if": lambda a, _: f"{a[0]}, but nothing if it is {a[1]}",
    "when": lambda a, _: f"if {a[0]}: {a[1]}; otherwise {a[2]}",
    "is_null": lambda a, _: f"{a[0]} is empty",
    "one_of": lambda a, n: f"{a[0]} is in the list “{n[0]}”",
    "lookup": lambda a, n: f"the {n[1]} of the {n[0]} {a[0]}",
    "exists": lambda a, n: f"the {n[0]} {a[0]} moves too",
}
