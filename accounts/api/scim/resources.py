"""Users and groups: read, searched, created, replaced, patched, deleted (RFC 7644 3)."""

from http import HTTPMethod
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import Context, SearchRequest

from accounts.api.scim.base import SELECTING, DirectoryView, listed
from accounts.domain.provisioning import wording
from accounts.domain.provisioning.resources import MODELS, POLICY, Kind
from accounts.queries.provisioning import listing
from accounts.queries.provisioning import resources as known
from accounts.queries.provisioning.tokens import SCOPE
from accounts.services.provisioning import resources
from core.api import Problem


class _Searched(DirectoryView):
    """What answers with a page of a list."""

    kinds: ClassVar[tuple[Kind, ...]] = ("User", "Group")

    def found(self, asked: Any, context: Context | None) -> Response:
        """Answer with the page that is asked for."""
        union: Any = MODELS[self.kinds[0]]
        for kind in self.kinds[1:]:
            union |= MODELS[kind]
        bound: Any = SearchRequest.__class_getitem__(union)
        search = bound.model_validate(asked, scim_ctx=context, scim_policy=POLICY)
        self.about = wording.of_filter(str(search.filter or ""))
        page = listing.search(tenant_id=self.tenant_id, kinds=self.kinds, request=search)
        return listed(page.resources, total=page.total, start=page.start, wanted=search)


_QUERY = ("filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes")


class Resources(_Searched):
    """All users, or all groups."""

    scopes: ClassVar[dict[str, str]] = {HTTPMethod.GET: SCOPE, HTTPMethod.POST: SCOPE}

    def get(self, request: Request) -> Response:
        """Answer with a page of them."""
        query = {name: request.query_params[name] for name in _QUERY if name in request.query_params}
        return self.found(query, None)

    def post(self, request: Request) -> Response:
        """Create one."""
        kind = self.kinds[0]
        kept = resources.create(kind=kind, tenant_id=self.tenant_id, body=request.data, by=self.actor, at=self.at)
        self.resource_id, self.outcome = kept.row.pk, kept.outcome
        return self.shown(known.told([kept.row])[0], status=201)


class Users(Resources):
    """All users."""

    part, kinds = "User", ("User",)


LARGEST_GROUP = 2_500_000
"""Bytes: as many people as a group may have, each sent with a name and an address."""


class Groups(Resources):
    """All groups."""

    part, kinds = "Group", ("Group",)
    largest_body = LARGEST_GROUP


class Search(_Searched):
    """A search whose terms stand in the body, so that they stand in no log of addresses (RFC 7644 3.4.3)."""

    part = "search"
    scopes: ClassVar[dict[str, str]] = {HTTPMethod.POST: SCOPE}

    def post(self, request: Request) -> Response:
        """Answer with a page of what is found."""
        return self.found(request.data, Context.SEARCH_REQUEST)


class UserSearch(Search):
    """A search of users."""

    kinds = ("User",)


class GroupSearch(Search):
    """A search of groups."""

    kinds = ("Group",)


class Resource(DirectoryView):
    """One user, or one group."""

    kind: ClassVar[Kind]
    scopes: ClassVar[dict[str, str]] = dict.fromkeys(
        (HTTPMethod.GET, HTTPMethod.PUT, HTTPMethod.PATCH, HTTPMethod.DELETE), SCOPE
    )

    def get(self, request: Request, ident: UUID) -> Response:
        """Answer with it, unless the client has this version."""
        row = known.find(self.kind, tenant_id=self.tenant_id, ident=ident)
        if row is None:
            raise Problem("not-found", f"There is no {self.kind.lower()} with this id.")
        tags = {tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")}
        if known.version_of(row) in tags or "*" in tags:
            response = Response(status=304)
            response["ETag"] = known.version_of(row)
            return response
        return self._told(row)

    def put(self, request: Request, ident: UUID) -> Response:
        """Replace it."""
        return self._kept(resources.replace(body=request.data, **self._named(request, ident)))

    def patch(self, request: Request, ident: UUID) -> Response:
        """Change parts of it. Of a group, which may be large, nothing is told back unless the client asks (3.5.2)."""
        kept = resources.patch(body=request.data, **self._named(request, ident))
        if self.kind == "User" or not SELECTING.isdisjoint(request.query_params):
            return self._kept(kept)
        self.outcome = kept.outcome
        response = Response(status=204)
        response["ETag"] = known.version_of(kept.row)
        return response

    def delete(self, request: Request, ident: UUID) -> Response:
        """Delete it."""
        self.outcome = resources.delete(**self._named(request, ident)).outcome
        return Response(status=204)

    def _named(self, request: Request, ident: UUID) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "tenant_id": self.tenant_id,
            "ident": ident,
            "if_match": request.headers.get("If-Match", ""),
            "by": self.actor,
            "at": self.at,
        }

    def _kept(self, kept: resources.Kept) -> Response:
        self.outcome = kept.outcome
        return self._told(kept.row)

    def _told(self, row: known.Row) -> Response:
        return self.shown(known.told([row])[0])


class User(Resource):
    """One user."""

    part, kind = "User", "User"


class Group(Resource):
    """One group."""

    part, kind = "Group", "Group"
    largest_body = LARGEST_GROUP
