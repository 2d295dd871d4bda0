"""In which one form both databases digest a column, and what cannot be digested there, in words for a customer.

A digest may tell two values apart that are equal (the typed comparison then looks at them), never the other way round.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from backfills.domain import digits
from backfills.domain.language import Type, calls_in
from backfills.domain.spec import Column, Spec
from parity_reports.domain.gate import Family, Passage
from portal.adapters.comparison import mapping
from portal.adapters.comparison.servers import Server

_TEXT = '({0})::text COLLATE "C"'
_SMALL = 18
"""Digits that a bigint holds whatever they are."""
_OLDEST, _WITH_DATES = 140000, 160000
"""Server versions: of `hash_record_extended`, and of the test whether a text is a date."""
_DATES = frozenset({"date", "date_of", "instant"})


@dataclass(frozen=True, slots=True)
class Form:
    """How a column is written on either side: SQL around the value, and its kind in `crossing-parity/1`.

    `fast` says whether PostgreSQL's own hash tells all of its values apart; `is_number` whether it can be summed.
    """

    expected: str
    actual: str
    kind: str
    fast: bool = True
    is_number: bool = False


def forms(spec: Spec, held: Mapping[str, Passage]) -> dict[str, Form | None]:
    """Return the form of each column; None where the typed comparison alone can judge it."""
    return {column.name: _form(spec, column, held[column.name]) for column in spec.columns}


def key_form(spec: Spec, held: Mapping[str, Passage]) -> Form | None:
    """Return the form of the record's key: a whole number where the typed comparison joins by one, else text."""
    key = spec.column(spec.target_key)
    family = held[key.name].family
    if family is Family.INTEGER and mapping.fits_number(spec):
        return Form("({0})::bigint", "({0})::bigint", "integer")
    if key.expression.type is Type.TEXT and family in (Family.TEXT, Family.OTHER, Family.UUID):
        return Form(_TEXT, _TEXT, "text")
    return None


def obstacle(spec: Spec, held: Mapping[str, Passage], *, legacy: Server, new: Server) -> str:
    """Return why the digests of an entity cannot be computed in both databases, to follow “because”; else ''."""
    # Bytes mean a text in their encoding only: the same bytes may be two texts, which must never be taken for one.
    if {legacy.encoding, new.encoding} != {"UTF8"}:
        return "one of the databases is not in UTF-8"
    if min(legacy.version, new.version) < _OLDEST:
        return "one of the databases is older than PostgreSQL 14"
    if spec.lookups:
        return "its mapping looks up other records, which the legacy database would have to do for every row"
    nodes = [*dict(spec.lets).values(), *(column.expression for column in spec.columns)]
    nodes += [rule.when for rule in spec.rules if rule.when is not None]
    if legacy.version < _WITH_DATES and any(call.function in _DATES for node in nodes for call in calls_in(node)):
        return "the legacy database is older than PostgreSQL 16 and cannot tell which texts are dates"
    if not all(digits.is_exact(node, dict(spec.lets)) for node in nodes):
        return "its mapping calculates with more digits than can be compared exactly"
    if key_form(spec, held) is None:
        return "its key is of a type that only the typed comparison can judge"
    for column, form in forms(spec, held).items():
        if form is None:
            return f"“{column.replace('_', ' ')}” is of a type that only the typed comparison can judge"
    return ""


def _form(spec: Spec, column: Column, held: Passage) -> Form | None:
    given, family = column.expression.type, held.family
    if given is Type.NULL:  # the mapping leaves it empty on purpose; whatever stands there is not that
        return Form(_TEXT, _TEXT, "text")
    if given in (Type.INT, Type.DECIMAL) and family in (Family.INTEGER, Family.NUMERIC):
        if given is Type.INT and family is Family.INTEGER and mapping.proven(spec, column).total <= _SMALL:
            return Form("({0})::bigint", "({0})::bigint", "integer", is_number=True)
        sized = held.native  # of a declared precision: it holds no infinity, and is hashed by its value
        return Form("({0})::numeric", "({0})::numeric", "number", fast=sized, is_number=sized)
    if given is Type.TEXT and family is Family.UUID:
        # The same identifier may be written in upper or lower case.
        return Form(f"lower({_TEXT})", _TEXT, "text")
    if given is Type.TEXT and family in (Family.TEXT, Family.OTHER):
        # Padded texts, enumerations, arrays and the like are compared as their text; only plain text is hashed.
        return Form(_TEXT, _TEXT, "text", fast=family is Family.TEXT)
    return _ALIKE.get((given, family))


_ALIKE = {
    (Type.BOOL, Family.BOOLEAN): Form("({0})::boolean", "({0})::boolean", "boolean"),
    (Type.DATE, Family.DATE): Form("({0})::date", "({0})::date", "date"),
    (Type.INSTANT, Family.TIMESTAMPTZ): Form("({0})::timestamptz", "({0})::timestamptz", "timestamp"),
}
