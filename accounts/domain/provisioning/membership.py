"""Who is in a group, as a set of ids: read as it is sent, and changed by the operations of a PATCH (RFC 7644 3.5.2).

`scim2_models` looks at every member for each one that is named: taking a thousand out of a group took it half a minute.
Here an operation costs what it names. Only a filter that names nobody by id looks at everybody.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from operator import contains, eq, ge, gt, le, lt, ne
from typing import Any
from uuid import UUID

from scim2_models import InvalidPathException, InvalidValueException, MutabilityException, NoTargetException, Path
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Group"
MOST = 10_000
"""People in a group, and operations of one PATCH that name somebody: clients take many out one by one."""
MOST_SEARCHES = 10
"""Operations of one PATCH whose filter looks at everybody."""

_NAMES = frozenset({"members", f"{SCHEMA}:members".lower()})
_PATH = re.compile(rf"(?:{re.escape(SCHEMA)}:)?members\s*(?:(\[.*)|(\..*))?", re.IGNORECASE | re.DOTALL)
_BY_ID = re.compile(r'\[\s*value\s+eq\s+"([^"\\]*)"\s*\]\s*', re.IGNORECASE)
_OPERATIONS = frozenset({"add", "remove", "replace"})


def names(path: Any) -> bool:
    """Say whether a path is about the members of a group."""
    return isinstance(path, str) and _PATH.fullmatch(path.strip()) is not None


def is_about(operation: Any) -> bool:
    """Say whether an operation of a PATCH is one on the members of a group; what is no operation is none."""
    return (
        isinstance(operation, Mapping)
        and isinstance(operation.get("op"), str)
        and operation["op"].lower() in _OPERATIONS
        and names(operation.get("path"))
    )


def taken_out(body: Any) -> tuple[Any, list[str]]:
    """Return a group's body without its members, and their ids; raises for members that are none."""
    if not isinstance(body, dict):
        return body, []
    found = [name for name in body if name.lower() in _NAMES]
    if any(not isinstance(body[name], list | None) for name in found):
        raise InvalidValueException(detail="members is a list.")
    return {name: value for name, value in body.items() if name not in found}, [
        ident for name in found for ident in _ids(body[name])
    ]


def changed(members: Iterable[str], operations: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return who is in a group after operations on its members, in their order."""
    inside, searches = set(members), 0
    for operation in operations:
        found = _PATH.fullmatch(operation["path"].strip())
        assert found is not None
        chosen, by_id, sub_attribute = found[1], None, found[2]
        if sub_attribute:
            raise MutabilityException(
                attribute="members", detail="What is told of a member does not change; add and remove members."
            )
        if chosen:
            by_id = _BY_ID.fullmatch(chosen)
            searches += by_id is None
            if searches > MOST_SEARCHES:
                raise InvalidValueException(
                    detail=f"A PATCH has at most {MOST_SEARCHES} filters of members that do not name them by id."
                )
        if not chosen:
            _change(inside, operation)
        elif by_id:
            _change_some(inside, {_same(by_id[1])}, operation)
        else:
            picks = _picker(operation["path"])
            _change_some(inside, {each for each in inside if picks(each)}, operation)
    return inside


def _change(inside: set[str], operation: Mapping[str, Any]) -> None:
    """Apply an operation on all members."""
    op, value = operation["op"].lower(), operation.get("value")
    if op == "remove":
        inside.difference_update(set(inside) if value is None else _ids(value))
    elif (op == "add" and value is None) or "value" not in operation:
        raise InvalidValueException(detail=f"value is required for {op} operations")
    else:
        if op == "replace":
            inside.clear()
        inside.update(_ids(value))


def _change_some(inside: set[str], chosen: set[str], operation: Mapping[str, Any]) -> None:
    """Apply an operation on the members whom a filter selects; one that names somebody may add them, as Entra's do."""
    op = operation["op"].lower()
    if op == "remove":
        inside -= chosen
    elif op == "add" and chosen:
        inside |= chosen
    elif not chosen & inside:
        raise NoTargetException(detail="No member is one whom the filter of the path selects.")
    elif set(_ids(operation.get("value"))) != chosen:
        raise MutabilityException(
            attribute="members", detail="A member is not made another; remove the one and add the other."
        )


def _ids(value: Any) -> list[str]:
    """Return the ids of a list of members, or of one member."""
    entries = [] if value is None else value if isinstance(value, list) else [value]
    if len(entries) > MOST:
        raise InvalidValueException(detail=f"members has {len(entries):,} entries; a group has at most {MOST:,}.")
    return [_id(entry) for entry in entries]


def _id(entry: Any) -> str:
    if isinstance(entry, str):  # a client that sends ids alone means the same
        entry = {"value": entry}
    told = {name.lower(): value for name, value in entry.items()} if isinstance(entry, dict) else {}
    if isinstance(kind := told.get("type"), str) and kind.lower() == "group":
        raise InvalidValueException(detail="members: groups are not nested; send the people of the group.")
    ident = told.get("value")
    if not isinstance(ident, str) or not ident.strip():
        raise InvalidValueException(detail="members: each is an object with the id of a user as its value.")
    return _same(ident)


def _same(ident: str) -> str:
    """Return an id as we write it, whatever its case."""
    try:
        return str(UUID(ident))
    except ValueError:
        return ident


def _picker(path: str) -> Callable[[str], bool]:
    node = Path(path).ast
    if not isinstance(node, ValuePath) or node.sub_attr:
        raise MutabilityException(
            attribute="members", detail="What is told of a member does not change; add and remove members."
        )
    return _Picks().visit(node.val_filter)


_COMPARED: Mapping[CompareOperator, Callable[[str, str], bool]] = {
    CompareOperator.eq: eq,
    CompareOperator.ne: ne,
    CompareOperator.co: contains,
    CompareOperator.sw: str.startswith,
    CompareOperator.ew: str.endswith,
    CompareOperator.gt: gt,
    CompareOperator.ge: ge,
    CompareOperator.lt: lt,
    CompareOperator.le: le,
}


class _Picks(FilterVisitor[Callable[[str], bool]]):
    """Turns the filter of a path into a condition on the id of one member; each of them is a user."""

    def visit_comparison(self, node: Comparison) -> Callable[[str], bool]:
        compared, wanted = _COMPARED[node.op], node.value
        if _attribute(node.attr_path) == "type":
            holds = isinstance(wanted, str) and compared("user", wanted.lower())
            return lambda _: holds
        if not isinstance(wanted, str):
            differs = node.op == CompareOperator.ne
            return lambda _: differs
        return lambda ident: compared(ident, wanted)

    def visit_present(self, node: Present) -> Callable[[str], bool]:
        _attribute(node.attr_path)
        return lambda _: True

    def visit_not(self, node: Not) -> Callable[[str], bool]:
        inner = self.visit(node.expr)
        return lambda ident: not inner(ident)

    def visit_logical_expr(self, node: LogicalExpr) -> Callable[[str], bool]:
        every: Collection[Callable[[str], bool]] = [self.visit(term) for term in node.terms]
        if node.op == LogicalOperator.and_:
            return lambda ident: all(each(ident) for each in every)
        return lambda ident: any(each(ident) for each in every)


def _attribute(path: AttrPath) -> str:
    name = path.attr.lower()
    if path.uri or path.sub_attr or name not in ("value", "type"):
        raise InvalidPathException(path=str(path), detail="Filters of members look at their value and type alone.")
    return name
