"""An endpoint that a tenant's directory calls: every call is written down with what it was answered."""

import json
from collections.abc import Sequence
from functools import cache
from http import HTTPMethod
from typing import Any, ClassVar, override
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import Context, ListResponse, ResponseParameters, ScimProvider

from accounts.domain.provisioning import resources as kinds
from accounts.domain.provisioning import wording
from accounts.queries.provisioning.tokens import SCOPE
from accounts.services.provisioning import calls
from core.api.scim import ScimView
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope

SCOPES.add(
    SCOPE,
    TokenScope(
        SCOPE,
        "Provision people and groups by SCIM",
        Permission.PROVISION_MEMBERS,
        managed_by=Permission.MANAGE_DIRECTORY_TOKENS,
    ),
)
READS: dict[str, str] = {HTTPMethod.GET: SCOPE}


@cache
def provider() -> ScimProvider:
    """Return the description of the service, made once per process."""
    return kinds.provider(documentation=f"{settings.PUBLIC_URL.rstrip('/')}/api/")


class DirectoryView(ScimView):
    """The base of SCIM's endpoints here. `part` is what the log calls the endpoint."""

    part: ClassVar[str] = ""
    about: Sequence[str] = ()
    """The attributes that the call names."""
    outcome: str = ""
    resource_id: UUID | None = None

    @override
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let the request in; remember what its body names."""
        self.resource_id = kwargs.get("ident")
        super().initial(request, *args, **kwargs)
        if request.data:
            self.about = wording.of_body(request.data)

    @override
    def answered(self, response: HttpResponseBase) -> None:
        """Write the call down, if it came with a token."""
        if self.bearer is None or not hasattr(self, "tenant_id"):
            return
        told = _refusal(response) if response.status_code >= 400 else {}
        calls.note(
            tenant_id=self.tenant_id,
            token_id=self.bearer.token_id,
            method=str(self.request.method),
            kind=self.part,
            resource_id=self.resource_id,
            about=self.about,
            status=response.status_code,
            scim_type=told.get("scimType", ""),
            refusal=told.get("detail", ""),
            outcome=self.outcome,
            at=self.at,
        )

    def shown(self, resource: Any, *, status: int = 200) -> Response:
        """Answer with one resource, with the attributes that were asked for."""
        wanted = self.wanted(type(resource))
        context = Context.RESOURCE_CREATION_RESPONSE if status == 201 else Context.RESOURCE_QUERY_RESPONSE
        response = Response(resource.model_dump(scim_ctx=context, response_parameters=wanted), status=status)
        if resource.meta is not None and resource.meta.version:
            response["ETag"] = resource.meta.version
        if resource.meta is not None and resource.meta.location:
            response["Location" if status == 201 else "Content-Location"] = resource.meta.location
        return response

    def wanted(self, model: Any) -> ResponseParameters[Any]:
        """Return which attributes the address asks for (RFC 7644 3.9)."""
        asked = {
            name: self.request.query_params[name] for name in sorted(SELECTING) if name in self.request.query_params
        }
        bound: Any = ResponseParameters.__class_getitem__(model)
        found: ResponseParameters[Any] = bound.model_validate(asked, scim_policy=kinds.POLICY)
        return found


SELECTING = frozenset({"attributes", "excludedAttributes"})
"""The parameters that say which attributes to answer with."""


def listed(resources: Sequence[Any], *, total: int, start: int = 1, wanted: Any = None) -> Response:
    """Answer with a page of a list."""
    context = Context.RESOURCE_QUERY_RESPONSE
    return Response(
        {
            "schemas": [ListResponse.__schema__],
            "totalResults": total,
            "startIndex": start,
            "itemsPerPage": len(resources),
            "Resources": [each.model_dump(scim_ctx=context, response_parameters=wanted) for each in resources],
        }
    )


def _refusal(response: HttpResponseBase) -> dict[str, str]:
    if not isinstance(response, HttpResponse):
        return {}
    told = json.loads(response.content)
    return {name: str(text) for name, text in told.items()}
