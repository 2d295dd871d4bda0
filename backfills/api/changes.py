"""The API of a mapping's versions: by which one a tenant's rows were judged, and what changed between two of them."""

from collections.abc import Sequence

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backfills.api.mapping import ENTITY, TAG, find
from backfills.queries import versions
from backfills.queries.versions import Version
from core.api import PAGING, Answer, ApiView, Cursor, operation

_VERSIONS = tuple(
    OpenApiParameter(name, OpenApiTypes.STR, description=f"`spec` of a version; {usual}.")
    for name, usual in (("before", "usually the one that was used before"), ("after", "usually the one in force"))
)


class MappingVersion(Answer):
    """A version of a mapping that judged rows of yours, or is in force."""

    example = {"spec": "flights@1+9f86d081884c", "used_at": "2026-11-20T05:00:00Z", "is_in_force": False}

    spec = serializers.CharField(source="label", help_text="Names it exactly: entity, version, digest.")
    used_at = serializers.DateTimeField(allow_null=True, help_text="When it judged rows of yours first; null: never.")
    is_in_force = serializers.BooleanField()


class MappingChange(Answer):
    """One thing that is not as it was."""

    part = serializers.CharField(help_text="The part of the mapping that it belongs to.")
    name = serializers.CharField()
    kind = serializers.ChoiceField(["added", "removed", "changed"])
    before = serializers.CharField(help_text="Empty: it is new.")
    after = serializers.CharField(help_text="Empty: it is gone.")


class MappingChanges(Answer):
    """What changed from one version of a mapping to another, in words."""

    example = {
        "before": MappingVersion.example,
        "after": {"spec": "flights@2+1c4f6a2b90de", "used_at": None, "is_in_force": True},
        "changes": [
            {
                "part": "Rules for rows",
                "name": "Test flight",
                "kind": "added",
                "before": "",
                "after": "If “flt_no” is 9999: left behind. Test flights stay behind.",
            }
        ],
    }

    before = MappingVersion(allow_null=True, help_text="Null where there is one version alone.")
    after = MappingVersion()
    changes = MappingChange(many=True)


class Versions(ApiView):
    """The versions of the mapping of one kind of object."""

    scopes = {"GET": "runs:read"}
    parameters = PAGING

    @operation(
        "list_mapping_versions", tag=TAG, answer=MappingVersion, paged=True, parameters=(ENTITY,),
        summary="List the versions of a mapping that judged rows of yours",
        described="The one in force first, then those that were used before, latest first.",
    )  # fmt: skip
    def get(self, request: Request, entity: str) -> Response:
        """List the versions."""
        find(entity)
        listed = versions.of_tenant(tenant_id=self.tenant_id, entity=entity)

        def fetch(after: Cursor, count: int) -> Sequence[Version]:
            begin = next((place for place, one in enumerate(listed, 1) if after and one.label == after[0]), 0)
            return listed[begin : begin + count]

        return self.page(f"versions:{entity}", MappingVersion, fetch=fetch, key=lambda version: [version.label])


class Changes(ApiView):
    """What changed in what happens to one kind of object."""

    scopes = {"GET": "runs:read"}
    parameters = frozenset({"before", "after"})

    @operation(
        "get_mapping_changes", tag=TAG, answer=MappingChanges, parameters=(ENTITY, *_VERSIONS), refuses=(422,),
        summary="Read what changed in a mapping",
    )  # fmt: skip
    def get(self, request: Request, entity: str) -> Response:
        """Return the changes."""
        find(entity)
        listed = versions.of_tenant(tenant_id=self.tenant_id, entity=entity)
        asked = {name: request.query_params.get(name, "") for name in ("before", "after")}
        found = versions.compare(listed, entity=entity, **asked)
        told = {
            "before": found and found.before,
            "after": found.after if found else listed[0],
            "changes": found.changes if found else (),
        }
        return Response(MappingChanges(told).data)


urlpatterns = [
    path("mapping/<str:entity>/versions", Versions.as_view(), name="mapping_versions"),
    path("mapping/<str:entity>/changes", Changes.as_view(), name="mapping_changes"),
]
