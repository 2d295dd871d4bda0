"""Pages of a list by cursor: where the next page begins is signed, so that nobody can make one up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import signing
from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request

from core.api.problems import Flaw, Problem

LARGEST_PAGE = 100
USUAL_PAGE = 25
PAGING = frozenset({"limit", "cursor"})
"""What the query of a paged list may hold."""

_SALT = "crossing.api.cursor"

type Cursor = list[Any] | None
type Fetch[T] = Callable[[Cursor, int], Sequence[T]]


@dataclass(frozen=True, slots=True)
class Page[T]:
    """Some items of a list, and the cursor of what follows."""

    items: Sequence[T]
    next_cursor: str | None


def page_of[T](
    request: Request, *, name: str, fetch: Fetch[T], key: Callable[[T], list[Any]], scope: object
) -> Page[T]:
    """Read the page that a request asks for by `limit` and `cursor`.

    `fetch(after, count)` returns up to `count` items after a position (None: the first), `key` the position of an
    item as JSON values. A cursor holds for the list called `name` in one `scope` (the tenant) alone; another is a 400.
    """
    limit = _limit(request.query_params.get("limit"))
    salt = f"{_SALT}:{name}:{scope}"
    after = _position(request.query_params.get("cursor"), salt=salt)
    found = fetch(after, limit + 1)
    items = found[:limit]
    more = signing.dumps(key(items[-1]), salt=salt) if len(found) > limit else None
    return Page(items, more)


def keyset[M: Model](rows: QuerySet[M], *, at: str) -> tuple[Fetch[M], Callable[[M], list[Any]]]:
    """Return how to page through rows, newest first, by the time in column `at` and then by id."""
    ordered = rows.order_by(f"-{at}", "-pk")

    def fetch(after: Cursor, count: int) -> Sequence[M]:
        if after is None:
            return list(ordered[:count])
        moment, pk = datetime.fromisoformat(after[0]), after[1]
        earlier = Q(**{f"{at}__lt": moment})
        return list(ordered.filter(earlier | Q(**{at: moment, "pk__lt": pk}))[:count])

    return fetch, lambda row: [getattr(row, at).isoformat(), str(row.pk)]


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL_PAGE
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= LARGEST_PAGE):
        raise _wrong("limit", f"A page holds 1 to {LARGEST_PAGE} items.")
    return int(text)


def _position(text: str | None, *, salt: str) -> Cursor:
    if text is None:
        return None
    try:
        position: list[Any] = signing.loads(text, salt=salt)
    except (signing.BadSignature, ValueError) as error:
        raise _wrong("cursor", "The cursor is none of this list.") from error
    return position


def _wrong(parameter: str, detail: str) -> Problem:
    fix = "Take next_cursor of the page before as it is, or leave it out for the first page." * (parameter == "cursor")
    return Problem("malformed-request", detail, fix, errors=[Flaw(detail, parameter=parameter)])
