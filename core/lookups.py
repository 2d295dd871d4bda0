"""What the address of a staff list may ask: whether a row matches tells a column bit by bit, also a hidden one."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.admin import EmptyFieldListFilter, ModelAdmin
from django.core.exceptions import FieldDoesNotExist
from django.db import models

type Page = ModelAdmin[Any]

_PLAIN = (
    models.BooleanField,
    models.DateField,
    models.DecimalField,
    models.DurationField,
    models.FloatField,
    models.IntegerField,
    models.TimeField,
    models.UUIDField,
)
"""What holds no words, whatever is asked of it."""


def is_harmless(page: Page, lookup: str) -> bool:
    """Say whether a list may be filtered like this.

    Never by a column that the page leaves out. By numbers, moments and ids as one likes; by anything else (words, JSON,
    lists, bytes, whatever a sealed text is kept in) only as the page's own filters ask: it may name people, and stands
    in the address. Never by a pattern: a broken one is an error of the database, a cunning one keeps it busy.
    """
    column = lookup.partition("__")[0]
    if column in (page.exclude or ()) or lookup.endswith(("__regex", "__iregex")):
        return False
    return _is_plain(page, column) or lookup in _offered(page)


def _is_plain(page: Page, column: str) -> bool:
    if column == "pk":
        return True
    try:
        found = page.opts.get_field(column)
    except FieldDoesNotExist:
        return False
    return found.is_relation or isinstance(found, _PLAIN)


def _offered(page: Page) -> Iterator[str]:
    """Yield what the page's filters write into its address."""
    filters: Sequence[Any] = page.list_filter
    for offered in filters:
        name, kind = offered if isinstance(offered, tuple) else (offered, None)
        if not isinstance(name, str):
            yield str(name.parameter_name)
        elif kind is not None and issubclass(kind, EmptyFieldListFilter):
            yield f"{name}__isempty"
        else:
            yield from (name, f"{name}__exact", f"{name}__isnull")
