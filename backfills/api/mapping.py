"""The API of the mapping: what happens to each kind of object, and the rows that were rejected."""

from collections.abc import Sequence

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backfills.domain import plain
from backfills.domain.spec import Spec
from backfills.models import DeadLetter
from backfills.queries import letters, mapping
from core.api import PAGING, Answer, ApiView, Cursor, Problem, keyset, operation
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope

for _scope in (
    TokenScope("runs:read", "Read the mapping, runs and where rows ended", Permission.VIEW_RUNS),
    TokenScope(
        "runs:manage", "Check data and move it: start, pause, resume, end and retry runs", Permission.MANAGE_RUNS
    ),
):
    SCOPES.add(_scope.name, _scope)

TAG = "Data"
ENTITY = OpenApiParameter("entity", OpenApiTypes.STR, OpenApiParameter.PATH, description="Name of an entity.")


class MappedEntity(Answer):
    """A kind of object that moves."""

    example = {"entity": "flights", "title": "Flights", "version": 1, "spec": "flights@1+9f86d081884c"}

    entity = serializers.CharField()
    title = serializers.CharField()
    version = serializers.IntegerField(min_value=1)
    spec = serializers.CharField(source="label", help_text="Names the mapping exactly: entity, version, digest.")


class MappedColumn(Answer):
    """A column of the new platform."""

    name = serializers.CharField()
    sources = serializers.ListField(child=serializers.CharField(), help_text="Columns of legacy that it comes from.")
    how = serializers.CharField()
    must = serializers.CharField()
    is_public = serializers.BooleanField(help_text="Whether reports may show its values.")
    merged = serializers.CharField(
        help_text="Whose value counts when a record that both platforms changed is merged; empty without a rule."
    )


class MappedRule(Answer):
    """A named rule for rows."""

    name = serializers.CharField()
    then = serializers.CharField(help_text="What happens to a row for which it holds.")
    because = serializers.CharField()
    fix = serializers.CharField()


class Mapping(MappedEntity):
    """What happens to one kind of object, in words."""

    example = {
        **MappedEntity.example,
        "columns": [
            {
                "name": "number",
                "sources": ["flt_no"],
                "how": "“flt_no” as a whole number",
                "must": "must be there",
                "is_public": True,
                "merged": "",
            }
        ],
        "rules": [
            {
                "name": "test_flight",
                "then": "drop",
                "because": "Test flights stay behind.",
                "fix": "",
            }
        ],
    }

    columns = serializers.SerializerMethodField()
    rules = MappedRule(many=True)

    @extend_schema_field(MappedColumn(many=True))
    def get_columns(self, spec: Spec) -> list[dict[str, object]]:
        """Column by column, in words."""
        return list(MappedColumn(plain.tell(spec).fields, many=True).data)


class RejectedRow(Answer):
    """A row of legacy that a run rejected; its values are not told."""

    example = {
        "id": "7a6b5c4d-3e2f-4100-8a9b-0c1d2e3f4a5b",
        "entity": "flights",
        "key": "20130115-51",
        "standing": "open",
        "rule": "unreadable",
        "because": "The value of “dep_tm” cannot be read.",
        "fix": "Correct “dep_tm” of these rows in legacy, then try them again.",
        "column": "dep_tm",
        "spec": "flights@1+9f86d081884c",
        "attempts": 1,
        "first_at": "2026-11-26T05:00:00Z",
        "last_at": "2026-11-26T05:00:00Z",
    }

    id = serializers.UUIDField()
    entity = serializers.CharField()
    key = serializers.SerializerMethodField(help_text="Its key in legacy, where that is public; else empty.")
    standing = serializers.ChoiceField(sorted(letters.STANDINGS))
    rule = serializers.CharField()
    because = serializers.SerializerMethodField()
    fix = serializers.SerializerMethodField()
    column = serializers.CharField(help_text="The column of legacy to correct; empty where it is not one alone.")
    spec = serializers.CharField(help_text="Names the mapping that judged it last.")
    attempts = serializers.IntegerField(min_value=1)
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()

    def get_key(self, letter: DeadLetter) -> str:
        """Return its key, if that is public."""
        return letters.public_key(letter)

    def get_because(self, letter: DeadLetter) -> str:
        """Say why it was rejected; empty where its entity is no longer mapped."""
        words = letters.words(letter)
        return words.because if words else ""

    def get_fix(self, letter: DeadLetter) -> str:
        """Say what to do."""
        words = letters.words(letter)
        return words.fix if words else ""


class Entities(ApiView):
    """The kinds of objects that move."""

    scopes = {"GET": "runs:read"}
    parameters = PAGING

    @operation("list_mapping", tag=TAG, answer=MappedEntity, paged=True, summary="List what moves")
    def get(self, request: Request) -> Response:
        """List the entities by name."""
        specs = sorted(mapping.specs().values(), key=lambda spec: spec.entity)

        def fetch(after: Cursor, count: int) -> Sequence[Spec]:
            return [spec for spec in specs if after is None or spec.entity > after[0]][:count]

        return self.page("mapping", MappedEntity, fetch=fetch, key=lambda spec: [spec.entity])


class OneEntity(ApiView):
    """What happens to one kind of object."""

    scopes = {"GET": "runs:read"}

    @operation("get_mapping", tag=TAG, answer=Mapping, parameters=(ENTITY,), summary="Read what happens to an entity")
    def get(self, request: Request, entity: str) -> Response:
        """Return the mapping in words."""
        return Response(Mapping(find(entity)).data)


class Rejected(ApiView):
    """The rows that were rejected."""

    scopes = {"GET": "runs:read"}
    parameters = PAGING

    @operation(
        "list_rejected_rows", tag=TAG, answer=RejectedRow, paged=True, summary="List rejected rows, newest first",
        described="Resolved ones too.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List the rows."""
        fetch, key = keyset(letters.every(at=self.at).filter(tenant_id=self.tenant_id), at="first_at")
        return self.page("rejected", RejectedRow, fetch=fetch, key=key)


def find(entity: str) -> Spec:
    """Return what the mapping says of an entity."""
    spec = mapping.specs().get(entity)
    if spec is None:
        raise Problem("not-found", "There is no such entity.", "The list of what moves has their names.")
    return spec


urlpatterns = [
    path("mapping", Entities.as_view(), name="mapping"),
    path("mapping/<str:entity>", OneEntity.as_view(), name="mapping_of"),
    path("rejected-rows", Rejected.as_view(), name="rejected_rows"),
]
