"""The API of inspections: have every row of legacy judged before anything moves, and read what would become of them."""

from uuid import UUID

from django.urls import path, reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backfills.api.runs import RunOutcome
from backfills.models import Inspection
from backfills.queries import inspections as queries
from backfills.queries.inspections import Fault, Foretold
from backfills.services import inspections
from core.api import PAGING, Answer, ApiView, NoBody, Problem, item_id, keyset, operation

TAG = "Inspections"
_ID = (item_id("inspection_id", "Id of an inspection."),)


class InspectionSummary(Answer):
    """A pass over all rows of legacy that judges them and moves nothing."""

    example = {
        "id": "3e2d1c0b-9a8f-4e7d-b6c5-a4b3c2d1e0f9",
        "state": "done",
        "problem": "",
        "requested_at": "2026-11-26T05:00:00Z",
        "finished_at": "2026-11-26T05:00:09Z",
    }

    id = serializers.UUIDField()
    state = serializers.ChoiceField([state.value for state in Inspection.State])
    problem = serializers.CharField(help_text="Why it was not finished; empty if it was.")
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class InspectionExample(Answer):
    """A row with a fault."""

    key = serializers.CharField(help_text="Its key in legacy, where that is public; else empty.")
    value = serializers.CharField(allow_null=True, help_text="Where that is public; else null.")


class InspectionFault(Answer):
    """Rows with one fault, and what to do about it."""

    rule = serializers.CharField()
    column = serializers.CharField(help_text="The column of legacy to correct; empty where it is not one alone.")
    count = serializers.IntegerField(min_value=1)
    because = serializers.CharField(source="words.because")
    fix = serializers.CharField(source="words.fix")
    examples = serializers.SerializerMethodField()

    @extend_schema_field(InspectionExample(many=True))
    def get_examples(self, fault: Fault) -> list[dict[str, object]]:
        """Some of these rows, as far as something of them is public."""
        shown = ({"key": key, "value": value} for key, value in fault.shown)
        return list(InspectionExample(shown, many=True).data)


class InspectionEntity(Answer):
    """One kind of object, and what a run would make of it."""

    entity = serializers.CharField(source="spec.entity")
    title = serializers.CharField(source="spec.title")
    spec = serializers.CharField(source="seen.spec", help_text="Names the mapping that judged it.")
    is_current = serializers.BooleanField(help_text="Whether that is the mapping of now.")
    rows = serializers.IntegerField(source="seen.rows", min_value=0)
    bytes = serializers.IntegerField(source="seen.size", min_value=0)
    rejected = serializers.IntegerField(source="seen.rejected", min_value=0)
    would_stop = serializers.BooleanField(
        source="is_over_limit", help_text="Whether a run would be stopped: more rejected rows than the mapping allows."
    )
    run_seconds = serializers.SerializerMethodField()
    new = serializers.IntegerField(
        source="seen.new", allow_null=True, help_text="Objects that a run would make; null where nobody can tell."
    )
    changed = serializers.IntegerField(source="seen.changed", allow_null=True)
    same = serializers.IntegerField(source="seen.same", allow_null=True)
    gone = serializers.IntegerField(
        source="seen.gone", allow_null=True, help_text="Objects of the new platform that a run would remove."
    )
    outcomes = RunOutcome(many=True, help_text="How the rows would end.")
    faults = InspectionFault(many=True, help_text="What is wrong with the rows that would be rejected.")

    def get_run_seconds(self, row: Foretold) -> float:
        """About how long a run would take."""
        return row.takes.total_seconds()


class InspectionFindings(Answer):
    """What an inspection found."""

    is_stuck = serializers.BooleanField(help_text="Whether nothing works on it any more: ask for it again.")
    trouble = serializers.CharField(help_text="What went wrong at its last attempt, while it is unfinished.")
    entities = serializers.SerializerMethodField()

    @extend_schema_field(InspectionEntity(many=True))
    def get_entities(self, found: queries.Found) -> list[dict[str, object]]:
        """What was read so far, in the order in which it moves; nothing any more where a newer inspection is done."""
        return list(InspectionEntity((row for row in found.rows if row.seen), many=True).data)


class InspectionDetails(InspectionSummary, InspectionFindings):
    """An inspection, and what it found."""

    example = {
        **InspectionSummary.example,
        "is_stuck": False,
        "trouble": "",
        "entities": [
            {
                "entity": "flights",
                "title": "Flights",
                "spec": "flights@1+9f86d081884c",
                "is_current": True,
                "rows": 54_080,
                "bytes": 4_812_004,
                "rejected": 1,
                "would_stop": False,
                "run_seconds": 8.5,
                "new": 54_079,
                "changed": 0,
                "same": 0,
                "gone": 0,
                "outcomes": [
                    {
                        "fate": "migrated",
                        "rule": "",
                        "count": 54_079,
                        "because": "The row satisfies every rule and moved without a change of meaning.",
                        "fix": "",
                    },
                    {
                        "fate": "quarantined",
                        "rule": "unreadable",
                        "count": 1,
                        "because": "The value of “dep_tm” cannot be read.",
                        "fix": "Correct “dep_tm” of these rows in legacy, then try them again.",
                    },
                ],
                "faults": [
                    {
                        "rule": "unreadable",
                        "column": "dep_tm",
                        "count": 1,
                        "because": "The value of “dep_tm” cannot be read.",
                        "fix": "Correct “dep_tm” of these rows in legacy, then try them again.",
                        "examples": [{"key": "20130115-51", "value": "99:99"}],
                    }
                ],
            }
        ],
    }


class Inspections(ApiView):
    """The tenant's inspections."""

    scopes = {"GET": "runs:read", "POST": "runs:manage"}
    parameters = PAGING

    @operation(
        "list_inspections", tag=TAG, answer=InspectionSummary, paged=True, summary="List inspections, newest first"
    )
    def get(self, request: Request) -> Response:
        """List the inspections."""
        fetch, key = keyset(queries.history(tenant_id=self.tenant_id), at="requested_at")
        return self.page("inspections", InspectionSummary, fetch=fetch, key=key)

    @operation(
        "request_inspection", tag=TAG, body=NoBody, answer=InspectionDetails, status=202,
        summary="Check the data before it moves",
        described="Judges every row of legacy and moves nothing. Poll the address in `Location` until `state` is not "
        "`running`. While one is under way, that one comes back.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Ask for an inspection."""
        self.read(NoBody)
        asked = inspections.request(tenant_id=self.tenant_id, by=self.actor, at=self.at)
        return Response(_told(asked), status=202, headers={"Location": reverse("api:inspection", args=[asked.pk])})


class OneInspection(ApiView):
    """One inspection."""

    scopes = {"GET": "runs:read"}

    @operation(
        "get_inspection", tag=TAG, answer=InspectionDetails, parameters=_ID, summary="Read what an inspection found",
        described="Every fault in one pass, with what to do about it. A newer inspection that is done takes its place.",
    )  # fmt: skip
    def get(self, request: Request, inspection_id: UUID) -> Response:
        """Return one inspection."""
        found = queries.history(tenant_id=self.tenant_id).filter(pk=inspection_id).first()
        if found is None:
            raise Problem("not-found", "There is no such inspection.", "The list of inspections has their ids.")
        return Response(_told(found))


def _told(inspection: Inspection) -> dict[str, object]:
    return {**InspectionSummary(inspection).data, **InspectionFindings(queries.of(inspection)).data}


urlpatterns = [
    path("inspections", Inspections.as_view(), name="inspections"),
    path("inspections/<uuid:inspection_id>", OneInspection.as_view(), name="inspection"),
]
