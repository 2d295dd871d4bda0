"""SCIM filters as conditions of the database (RFC 7644 3.4.2.2).

`scim2_models` parses a filter and holds it to the schema; here each of its comparisons becomes a condition on a column.
A condition is never unknown where it is negated, as SQL would have it for what is not there: what has no value differs
from every value.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from django.db.models import BooleanField, Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Collate, NullIf
from django.db.models.lookups import (
    Contains,
    EndsWith,
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IsNull,
    LessThan,
    LessThanOrEqual,
    StartsWith,
)
from scim2_models import InvalidFilterException, InvalidPathException, ScimFilter, SearchRequest
from scim2_models.path import (
    STRING_OPERATORS,
    AttributeBinding,
    AttrPath,
    CompareOperator,
    Comparison,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
    coerce_value,
)

from accounts.domain.provisioning.resources import MODELS, Kind
from accounts.models import ProvisionedEmail, ProvisionedMembership

LONGEST_FILTER = 2_000
"""Characters; a directory's own filters have a few dozen."""

_NEVER = Q(Exact(Value(1), Value(0)))
_ALWAYS = Q(Exact(Value(1), Value(1)))
_LOOKUPS: dict[CompareOperator, Any] = {
    CompareOperator.eq: Exact,
    CompareOperator.co: Contains,
    CompareOperator.sw: StartsWith,
    CompareOperator.ew: EndsWith,
    CompareOperator.gt: GreaterThan,
    CompareOperator.ge: GreaterThanOrEqual,
    CompareOperator.lt: LessThan,
    CompareOperator.le: LessThanOrEqual,
}


@dataclass(frozen=True, slots=True)
class Column:
    """Where the values of an attribute stand, in the form in which they are compared."""

    expression: Any
    type: Literal["text", "flag", "moment"] = "text"

    def is_present(self) -> Q:
        """Return the condition that it has a value; an empty text is none."""
        there = Q(IsNull(self.expression, False))
        return there & ~Q(Exact(self.expression, Value(""))) if self.type == "text" else there

    def compared(self, op: CompareOperator, value: Any) -> Q:
        """Return the condition that its value stands so to another."""
        if op == CompareOperator.ne:
            return _not(self.compared(CompareOperator.eq, value))
        if value is None:
            return Q(IsNull(self.expression, True)) if op == CompareOperator.eq else _NEVER
        if self.type == "text":
            return self._text(op, value)
        if op in STRING_OPERATORS or (self.type == "moment" and not _is_aware(value)):
            return _NEVER
        return Q(_LOOKUPS[op](self.expression, value))

    def ordered(self) -> Any:
        """Return it to sort by: texts by their characters, whatever the database's language."""
        return Collate(self.expression, "C") if self.type == "text" else self.expression

    def _text(self, op: CompareOperator, value: Any) -> Q:
        if not isinstance(value, str):
            return _NEVER
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidFilterException(detail="The filter holds a NUL or half a character (a lone surrogate).")
        subject = self.expression if op in STRING_OPERATORS or op == CompareOperator.eq else self.ordered()
        return Q(_LOOKUPS[op](subject, Value(value)))


@dataclass(frozen=True, slots=True)
class Entries:
    """Where the entries of an attribute with several values stand, and the columns of one entry."""

    rows: Callable[[], QuerySet[Any]]
    columns: Mapping[str, Column]

    def any(self, condition: Q) -> Q:
        """Return the condition that an entry meets `condition`."""
        return Q(Exists(self.rows().filter(condition)))


def _fact(path: str) -> Column:
    return Column(KT(f"facts__{path}"))


def _text_of(column: str) -> Any:
    return Cast(F(column), CharField())


_COMMON: dict[str, Column | Entries] = {
    "id": Column(_text_of("id")),
    "externalId": Column(NullIf(_text_of("external_id"), Value(""))),
    "meta.created": Column(F("created_at"), "moment"),
    "meta.lastModified": Column(F("modified_at"), "moment"),
}
_NAMES = {path: _fact(path) for path in ("name.formatted", "name.familyName", "name.givenName")}
_EMAILS = Entries(
    lambda: ProvisionedEmail.objects.filter(user_id=OuterRef("pk")),
    {"value": Column(F("value")), "type": Column(F("type")), "primary": Column(F("is_primary"), "flag")},
)
_GROUPS = Entries(
    lambda: ProvisionedMembership.objects.filter(user_id=OuterRef("pk"), group__deleted_at=None),
    {"value": Column(_text_of("group_id")), "display": Column(F("group__name_key"))},
)
_MEMBERS = Entries(
    lambda: ProvisionedMembership.objects.filter(group_id=OuterRef("pk"), user__deleted_at=None),
    {
        "value": Column(_text_of("user_id")),
        "type": Column(Value("user", output_field=CharField())),
    },
)
COLUMNS: dict[Kind, dict[str, Column | Entries]] = {
    "User": {
        **_COMMON,
        **_NAMES,
        "userName": Column(F("name_key")),
        "displayName": _fact("displayName"),
        "active": Column(
            Case(
                When(Exact(KT("facts__active"), Value("true")), then=Value(True)),
                When(Exact(KT("facts__active"), Value("false")), then=Value(False)),
                output_field=BooleanField(null=True),
            ),
            "flag",
        ),
        "emails": _EMAILS,
        "groups": _GROUPS,
    },
    "Group": {**_COMMON, "displayName": Column(F("name_key")), "members": _MEMBERS},
}
"""The attributes that filters may name, by their path."""


def condition(kind: Kind, expression: str) -> Q:
    """Return the condition of a filter on rows of this kind; raises `InvalidFilterException`."""
    if len(expression) > LONGEST_FILTER:
        raise InvalidFilterException(detail=f"The filter has more than {LONGEST_FILTER} characters.")
    bound: Any = ScimFilter.__class_getitem__(MODELS[kind])(expression)
    return _Conditions(kind, bound).visit(bound.ast)


def order(kind: Kind, request: SearchRequest[Any]) -> list[Any]:
    """Return what rows are ordered by; what has no value comes last, or first when descending (RFC 7644 3.4.2.3)."""
    steady = [F("created_at"), F("id")]
    binding = request.sort_binding(MODELS[kind])
    if binding is None:
        return steady
    path = _path(binding)
    column = _fact("emails") if kind == "User" and path in ("emails", "emails.value") else COLUMNS[kind].get(path)
    if not isinstance(column, Column):
        raise InvalidPathException(path=path, detail=f"Lists are not sorted by {path}.")
    if request.sort_order == SearchRequest.SortOrder.descending:
        return [_orderable(column).desc(nulls_first=True), *steady]
    return [_orderable(column).asc(nulls_last=True), *steady]


class _Conditions(FilterVisitor[Q]):
    """Turns a filter's tree into a condition; inside brackets the names are those of one entry."""

    def __init__(self, kind: Kind, bound: Any, *, entry: tuple[AttrPath, Entries] | None = None) -> None:
        self.kind, self.bound, self.entry = kind, bound, entry

    def visit_logical_expr(self, node: LogicalExpr) -> Q:
        found = [self.visit(term) for term in node.terms]
        joined = found[0]
        for each in found[1:]:
            joined = joined & each if node.op == LogicalOperator.and_ else joined | each
        return joined

    def visit_not(self, node: Not) -> Q:
        return _not(self.visit(node.expr))

    def visit_comparison(self, node: Comparison) -> Q:
        binding = self._resolved(node.attr_path, for_comparison=True)
        if binding is None:
            return _NEVER
        value = binding.comparable(coerce_value(binding, node.value, node.op))
        column = self._column(binding)
        if isinstance(column, Column):
            return column.compared(node.op, value)
        entries, own = column
        if node.op == CompareOperator.ne:
            return _not(self._any(entries, own, CompareOperator.eq, value))
        return self._any(entries, own, node.op, value)

    def visit_present(self, node: Present) -> Q:
        binding = self._resolved(node.attr_path)
        if binding is None:
            return _NEVER
        path = _path(binding)
        if path == "meta":
            return _ALWAYS
        if path == "name" and self.kind == "User":
            return _any_of([column.is_present() for column in _NAMES.values()])
        found = COLUMNS[self.kind].get(path) if self.entry is None else None
        if isinstance(found, Entries):
            return found.any(_any_of([column.is_present() for column in found.columns.values()]))
        column = self._column(binding)
        return column.is_present() if isinstance(column, Column) else column[0].any(column[1].is_present())

    def visit_value_path(self, node: ValuePath) -> Q:
        binding = self._resolved(node.attr_path)
        if binding is None:
            return _NEVER
        entries = COLUMNS[self.kind].get(_path(binding))
        if not isinstance(entries, Entries):
            raise _unserved(_path(binding))
        inner = _Conditions(self.kind, self.bound, entry=(node.attr_path, entries))
        return entries.any(inner.visit(node.val_filter))

    def _any(self, entries: Entries, column: Column, op: CompareOperator, value: Any) -> Q:
        """Return the condition that an entry's value stands so to another; no entries are as one without a value."""
        found = entries.any(column.compared(op, value))
        return found | _not(entries.any(_ALWAYS)) if op == CompareOperator.eq and value is None else found

    def _resolved(self, path: AttrPath, *, for_comparison: bool = False) -> AttributeBinding | None:
        if self.entry is not None:
            if path.sub_attr or path.uri:
                return None
            path = replace(self.entry[0], sub_attr=path.attr)
        resolve = self.bound.resolve_comparison if for_comparison else self.bound.resolve
        found: AttributeBinding | None = resolve(path, strict=False)
        return found

    def _column(self, binding: AttributeBinding) -> Column | tuple[Entries, Column]:
        path = _path(binding)
        head, _, sub = path.partition(".")
        if self.entry is not None:
            column = self.entry[1].columns.get(sub)
            if column is None:
                raise _unserved(path)
            return column
        found = COLUMNS[self.kind].get(path) or COLUMNS[self.kind].get(head)
        if isinstance(found, Column) and path in COLUMNS[self.kind]:
            return found
        if isinstance(found, Entries) and sub in found.columns:
            return found, found.columns[sub]
        raise _unserved(path)


def _path(binding: AttributeBinding) -> str:
    return binding.urn.rpartition(":")[2]


def _unserved(path: str) -> InvalidFilterException:
    return InvalidFilterException(detail=f"Filters do not look at {path}.")


def _any_of(conditions: list[Q]) -> Q:
    joined = conditions[0]
    for each in conditions[1:]:
        joined |= each
    return joined


def _not(condition: Q) -> Q:
    return Q(Case(When(condition, then=Value(False)), default=Value(True), output_field=BooleanField()))


def _is_aware(value: Any) -> bool:
    return isinstance(value, datetime) and value.utcoffset() is not None


def _orderable(column: Column) -> Any:
    found = column.ordered()
    return found if hasattr(found, "asc") else Cast(found, CharField())
