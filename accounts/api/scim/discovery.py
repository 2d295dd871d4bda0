"""What the service says of itself (RFC 7644 4): its abilities, its kinds of resources, their schemas."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import Meta

from accounts.api.scim.base import READS, DirectoryView, listed, provider
from accounts.queries.provisioning import resources as known
from core.api import Problem


class Config(DirectoryView):
    """What is served, and how to sign in."""

    part = "ServiceProviderConfig"
    scopes: ClassVar[dict[str, str]] = READS

    def get(self, request: Request) -> Response:
        """Answer with the abilities."""
        meta = Meta(resource_type=self.part, location=known.service(self.part))
        config: Any = provider().config
        return self.shown(config.model_copy(update={"meta": meta}))


class _Described(DirectoryView):
    """A list of what the service describes, or one of it by its id."""

    scopes: ClassVar[dict[str, str]] = READS

    def described(self) -> Sequence[Any]:
        """Return everything that is described."""
        raise NotImplementedError

    def get(self, request: Request, name: str = "") -> Response:
        """Answer with the list, or with one; lists of descriptions know no filter (RFC 7644 4)."""
        if "filter" in request.query_params:
            raise Problem("forbidden", "Descriptions are not filtered.", "Ask for all of them; there are few.")
        one_of = self.part.removesuffix("s")
        found = [
            each.model_copy(update={"meta": Meta(resource_type=one_of, location=known.service(self.part, each.id))})
            for each in self.described()
        ]
        if not name:
            return listed(found, total=len(found))
        one = next((each for each in found if str(each.id).lower() == name.lower()), None)
        if one is None:
            raise Problem("not-found", f"There is no such {one_of}.")
        return self.shown(one)


class ResourceTypes(_Described):
    """Users and groups."""

    part = "ResourceTypes"

    def described(self) -> Sequence[Any]:
        """Return both."""
        return provider().resource_types


class Schemas(_Described):
    """The attributes of users and groups."""

    part = "Schemas"

    def described(self) -> Sequence[Any]:
        """Return both."""
        return provider().schemas
