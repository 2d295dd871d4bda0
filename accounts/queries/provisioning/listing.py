"""Lists of provisioned users and groups, as SCIM pages them (RFC 7644 3.4.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from scim2_models import InvalidPathException, SearchRequest

from accounts.domain.provisioning.resources import MOST_MEMBERS, MOST_RESULTS, Group, Kind, User
from accounts.queries.provisioning import filters, resources

USUAL_RESULTS = 100
MOST_WITH_MEMBERS = 50
"""Groups on a page that also says who is in them."""
MOST_MEMBERSHIPS = MOST_MEMBERS
"""Memberships on a page: those of one group, or of several small ones."""
_LAST_INDEX = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """Some resources of a list: how many there are in all, and the number of the first of these."""

    total: int
    start: int
    resources: Sequence[User | Group]


def search(*, tenant_id: UUID, kinds: Sequence[Kind], request: SearchRequest[Any]) -> Page:
    """Return the page that a request asks for; of several kinds, one after the other.

    Raises what `scim2_models` raises for a filter or an order that cannot be.
    """
    if request.sort_by is not None and len(kinds) > 1:
        raise InvalidPathException(detail="Users and groups are sorted apart: ask /Users or /Groups.")
    rows = [_rows(kind, tenant_id=tenant_id, request=request) for kind in kinds]
    counts = [each.count() for each in rows]
    start = min(request.start_index or 1, _LAST_INDEX)
    with_members = _wants_members(request)
    most = MOST_WITH_MEMBERS if "Group" in kinds and with_members else MOST_RESULTS
    left = min(USUAL_RESULTS if request.count is None else request.count, most)
    found: list[resources.Row] = []
    first = start - 1
    for each, count in zip(rows, counts, strict=True):
        if left > 0 and first < count:
            page = list(each[first : first + left])
            found += page
            left -= len(page)
        first = max(0, first - count)
    if with_members:
        found = _fitting(found)
    return Page(sum(counts), start, resources.told(found, with_members=with_members))


def _fitting(rows: Sequence[resources.Row]) -> list[resources.Row]:
    """Return as many of the first rows as together tell no more memberships than a page may, and one at least.

    A page may hold less than was asked for (RFC 7644 3.4.2.4); the client goes on from where it ends.
    """
    sizes, total = resources.sizes(rows), 0
    fitting: list[resources.Row] = []
    for row in rows:
        total += sizes.get(row.pk, 0)
        if fitting and total > MOST_MEMBERSHIPS:
            break
        fitting.append(row)
    return fitting


def _rows(kind: Kind, *, tenant_id: UUID, request: SearchRequest[Any]) -> QuerySet[Any]:
    rows: QuerySet[Any]
    rows = resources.users(tenant_id=tenant_id) if kind == "User" else resources.groups(tenant_id=tenant_id)
    if request.filter is not None:
        rows = rows.filter(filters.condition(kind, str(request.filter)))
    return rows.order_by(*filters.order(kind, request))


def _wants_members(request: SearchRequest[Any]) -> bool:
    """Say whether the answer tells who is in what: clients that only compare names leave it out."""
    asked = [str(path).lower().rpartition(":")[2].partition(".")[0] for path in request.attributes or ()]
    left_out = {str(path).lower().rpartition(":")[2] for path in request.excluded_attributes or ()}
    if asked:
        return bool({"members", "groups"} & set(asked))
    return not {"members", "groups"} & left_out
