"""The API of parity reports: list, read, follow, take as sealed, ask for one."""

from collections.abc import Sequence
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.queries import tenants
from core import sheets
from core.api import PAGING, Answer, ApiView, Body, Cursor, Problem, file_of, item_id, keyset, operation
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope
from parity_reports.domain.differences import Kind
from parity_reports.domain.ladder import Method
from parity_reports.domain.verdict import Tally, Verdict
from parity_reports.models import Report, Sample
from parity_reports.queries import files
from parity_reports.queries import reports as listed
from parity_reports.queries.screens import trends
from parity_reports.services import reports
from parity_reports.views import files as downloads

for _scope in (
    TokenScope("parity:read", "Read parity reports, drift and what was done about it", Permission.VIEW_PARITY),
    TokenScope("parity:run", "Compare both platforms, also by shadow reads", Permission.RUN_PARITY),
):
    SCOPES.add(_scope.name, _scope)

TAG = "Parity"
_ID = (item_id("report_id", "Id of a report."),)
_SAME = "It says what the sealed report says, names its run and digest, and is redacted alike."
_COUNTS = {
    "type": "object",
    "required": list(Tally.__slots__),
    "properties": {name: {"type": "integer", "minimum": 0} for name in Tally.__slots__},
}


_EXAMPLE_COUNTS = dict.fromkeys(Tally.__slots__, 0) | {"expected": 54_049, "actual": 54_049, "compared": 54_049}


class ParityEntity(Answer):
    """How one entity compared."""

    entity = serializers.CharField()
    title = serializers.CharField()
    verdict = serializers.ChoiceField(
        [verdict.value for verdict in Verdict], allow_null=True, help_text="Null until it was compared."
    )
    problem = serializers.CharField()
    counts = serializers.SerializerMethodField()

    @extend_schema_field(_COUNTS)
    def get_counts(self, row: object) -> dict[str, int]:
        """The records counted."""
        return _counts(row)

    def to_representation(self, instance: object) -> dict[str, object]:
        """Tell a verdict that is not there yet as null."""
        told: dict[str, object] = super().to_representation(instance)
        return {**told, "verdict": told["verdict"] or None}


class ParitySummary(Answer):
    """A comparison of everything that both platforms hold of the account."""

    example = {
        "id": "b0c7a1c2-58a3-4c3a-9b7a-4d5e6f708192",
        "state": "finished",
        "verdict": "equal",
        "method": "full",
        "problem": "",
        "requested_at": "2026-11-26T05:00:00Z",
        "finished_at": "2026-11-26T05:02:00Z",
        "counts": _EXAMPLE_COUNTS,
        "invariants_total": 14,
        "invariants_passed": 14,
        "invariants_unknown": 0,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }

    id = serializers.UUIDField()
    state = serializers.ChoiceField([state.value for state in Report.State])
    verdict = serializers.ChoiceField(
        [verdict.value for verdict in Verdict], allow_null=True, help_text="Null until it is finished."
    )
    method = serializers.ChoiceField(
        [method.value for method in Method],
        help_text="`full`: every record, row by row. Only that is evidence; checksums or a sample say less.",
    )
    problem = serializers.CharField(help_text="Why it is incomplete; empty if it is not.")
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    counts = serializers.SerializerMethodField()
    invariants_total = serializers.IntegerField(min_value=0)
    invariants_passed = serializers.IntegerField(min_value=0)
    invariants_unknown = serializers.IntegerField(min_value=0)
    sha256 = serializers.CharField(help_text="Of the sealed document, byte for byte; empty until it is finished.")

    @extend_schema_field(_COUNTS)
    def get_counts(self, report: Report) -> dict[str, int]:
        """The records counted over all entities."""
        return _counts(report)

    def to_representation(self, instance: object) -> dict[str, object]:
        """Tell a verdict that is not there yet as null."""
        told: dict[str, object] = super().to_representation(instance)
        return {**told, "verdict": told["verdict"] or None}


class ParityReport(ParitySummary):
    """A comparison, entity by entity."""

    example = {
        **ParitySummary.example,
        "entities": [
            {
                "entity": "flights",
                "title": "Flights",
                "verdict": "equal",
                "problem": "",
                "counts": _EXAMPLE_COUNTS,
            }
        ],
    }

    entities = serializers.SerializerMethodField()

    @extend_schema_field(ParityEntity(many=True))
    def get_entities(self, report: Report) -> list[dict[str, object]]:
        """How each entity compared."""
        return list(ParityEntity(report.entities.defer("checksums").order_by("position"), many=True).data)


class RequestReport(Body):
    """In which way both platforms are compared."""

    example = {"method": "full"}

    method = serializers.ChoiceField(
        [method.value for method in Method],
        default=Method.FULL.value,
        help_text="`checksums` and `sample` cost less and say less; only `full` is evidence.",
    )


class Reports(ApiView):
    """The tenant's parity reports."""

    scopes = {"GET": "parity:read", "POST": "parity:run"}
    parameters = PAGING

    @operation(
        "list_parity_reports", tag=TAG, answer=ParitySummary, paged=True, summary="List parity reports, newest first"
    )
    def get(self, request: Request) -> Response:
        """List the reports."""
        fetch, key = keyset(listed.history(tenant_id=self.tenant_id), at="requested_at")
        return self.page("parity", ParitySummary, fetch=fetch, key=key)

    @operation(
        "request_parity_report", tag=TAG, body=RequestReport, answer=ParityReport, status=202,
        summary="Compare both platforms",
        described="Answers with the report that is being made; poll the address in `Location` until `state` is "
        "`finished`. While one is being made, that one comes back, by whichever `method` it is.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Ask for a comparison."""
        method = self.read(RequestReport)["method"]
        report = reports.request(tenant_id=self.tenant_id, by=self.actor, at=self.at, method=method)
        return Response(
            ParityReport(report).data, status=202, headers={"Location": reverse("api:parity_report", args=[report.pk])}
        )


class OneReport(ApiView):
    """One parity report."""

    scopes = {"GET": "parity:read"}

    @operation("get_parity_report", tag=TAG, answer=ParityReport, parameters=_ID, summary="Read one parity report")
    def get(self, request: Request, report_id: UUID) -> Response:
        """Return one report."""
        return Response(ParityReport(_find(self.tenant_id, report_id)).data)


class ParitySample(Answer):
    """One record that differs, in one column or as a whole."""

    example = {
        "id": "0c9e3c59-8b1e-4a57-9e0a-6f5f2a6c1d11",
        "entity": "flights",
        "record": "r-7f3a91",
        "column": "status",
        "kind": "value",
        "expected": "“landed”",
        "actual": "“planned”",
    }

    id = serializers.UUIDField()
    entity = serializers.CharField(source="entity.entity")
    record = serializers.CharField(help_text="The code that the record has in all your reports.")
    column = serializers.CharField(help_text="Empty where the record as a whole differs.")
    kind = serializers.ChoiceField([kind.value for kind in Kind])
    expected = serializers.CharField(help_text="Legacy's value, as mapped; empty where it is not shown.")
    actual = serializers.CharField(help_text="The new platform's value; empty where it is not shown.")


class Samples(ApiView):
    """Some of the records that differ in one report."""

    scopes = {"GET": "parity:read"}
    parameters = PAGING

    @operation(
        "list_parity_samples", tag=TAG, answer=ParitySample, paged=True, parameters=_ID,
        summary="List some of the records that differ",
        described="At most five of each column and kind, in no order. “∅” is no value.",
    )  # fmt: skip
    def get(self, request: Request, report_id: UUID) -> Response:
        """List the samples."""
        found = listed.samples(_find(self.tenant_id, report_id)).order_by("pk")

        def fetch(after: Cursor, count: int) -> Sequence[Sample]:
            return list((found if after is None else found.filter(pk__gt=UUID(after[0])))[:count])

        return self.page(f"samples:{report_id}", ParitySample, fetch=fetch, key=lambda row: [str(row.pk)])


class ParityStep(Answer):
    """How one finished full comparison stands in the trend; null where it is incomplete."""

    example = {
        "report": "b0c7a1c2-58a3-4c3a-9b7a-4d5e6f708192",
        "requested_at": "2026-11-26T05:00:00Z",
        "equal_percent": 100.0,
        "differing": 0,
        "invariants_percent": 100.0,
    }

    report = serializers.UUIDField(source="report.pk")
    requested_at = serializers.DateTimeField(source="report.requested_at")
    equal_percent = serializers.FloatField(allow_null=True, help_text="Percent of records that agree, rounded down.")
    differing = serializers.IntegerField(source="errors", allow_null=True, min_value=0)
    invariants_percent = serializers.FloatField(allow_null=True, help_text="Percent of the invariants that hold.")


class Trend(ApiView):
    """How parity went."""

    scopes = {"GET": "parity:read"}
    parameters = PAGING

    @operation(
        "get_parity_trend", tag=TAG, answer=ParityStep, paged=True, summary="Follow parity, newest comparison first",
        described="Finished full comparisons alone: only they are evidence.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List the steps."""
        fetch, key = keyset(trends.finished(tenant_id=self.tenant_id), at="requested_at")
        return self.page(
            "trend",
            ParityStep,
            fetch=lambda after, count: [trends.step(report) for report in fetch(after, count)],
            key=lambda step: key(step.report),
        )


class Document(ApiView):
    """One parity report as it was sealed."""

    scopes = {"GET": "parity:read"}

    @operation(
        "get_parity_document", tag=TAG, answer=OpenApiTypes.OBJECT, parameters=_ID, summary="Take a report as sealed",
        described="Canonical JSON (RFC 8785) of a finished report: its SHA-256 is the report's `sha256`.",
        refuses=(409, 422),
    )  # fmt: skip
    def get(self, request: Request, report_id: UUID) -> HttpResponse:
        """Return the sealed bytes."""
        return HttpResponse(files.sealed(_finished(self.tenant_id, report_id)), content_type="application/json")


class Paper(ApiView):
    """One parity report as PDF."""

    scopes = {"GET": "parity:read"}
    renderer_classes = file_of("application/pdf")

    @operation(
        "get_parity_pdf", tag=TAG, answer=OpenApiTypes.BINARY, media_type="application/pdf", parameters=_ID,
        summary="Take a report as PDF", described=f"A finished report for people to read. {_SAME}", refuses=(409, 503),
    )  # fmt: skip
    def get(self, request: Request, report_id: UUID) -> HttpResponseBase:
        """Return the PDF."""
        return downloads.document(tenants.get(tenant_id=self.tenant_id), _finished(self.tenant_id, report_id))


class Table(ApiView):
    """One parity report as a table."""

    scopes = {"GET": "parity:read"}
    renderer_classes = file_of("text/csv")

    @operation(
        "get_parity_table", tag=TAG, answer=OpenApiTypes.STR, media_type="text/csv", parameters=_ID,
        summary="Take a report as CSV",
        described=f"A finished report as one table: counts, rules, invariants and samples. {_SAME}", refuses=(409,),
    )  # fmt: skip
    def get(self, request: Request, report_id: UUID) -> HttpResponseBase:
        """Return the table."""
        return downloads.table(tenants.get(tenant_id=self.tenant_id), _finished(self.tenant_id, report_id))


class Workbook(ApiView):
    """One parity report as a workbook."""

    scopes = {"GET": "parity:read"}
    renderer_classes = file_of(sheets.XLSX)

    @operation(
        "get_parity_workbook", tag=TAG, answer=OpenApiTypes.BINARY, media_type=sheets.XLSX, parameters=_ID,
        summary="Take a report as XLSX", described=f"A finished report as a workbook. {_SAME}", refuses=(409,),
    )  # fmt: skip
    def get(self, request: Request, report_id: UUID) -> HttpResponseBase:
        """Return the workbook."""
        return downloads.workbook(tenants.get(tenant_id=self.tenant_id), _finished(self.tenant_id, report_id))


def _counts(row: object) -> dict[str, int]:
    return {name: getattr(row, name) for name in Tally.__slots__}


def _find(tenant_id: UUID, report_id: UUID) -> Report:
    found = listed.find(tenant_id=tenant_id, report_id=report_id)
    if found is None:
        raise Problem("not-found", "There is no such report.")
    return found


def _finished(tenant_id: UUID, report_id: UUID) -> Report:
    report = _find(tenant_id, report_id)
    if report.state != Report.State.FINISHED:
        raise Problem("conflict", "The report is still being made.", "Ask again when its state is finished.")
    return report


urlpatterns = [
    path("parity/reports", Reports.as_view(), name="parity_reports"),
    path("parity/reports/<uuid:report_id>", OneReport.as_view(), name="parity_report"),
    path("parity/reports/<uuid:report_id>/samples", Samples.as_view(), name="parity_samples"),
    path("parity/trend", Trend.as_view(), name="parity_trend"),
    path("parity/reports/<uuid:report_id>/document", Document.as_view(), name="parity_document"),
    path("parity/reports/<uuid:report_id>/document.pdf", Paper.as_view(), name="parity_pdf"),
    path("parity/reports/<uuid:report_id>/document.csv", Table.as_view(), name="parity_table"),
    path("parity/reports/<uuid:report_id>/document.xlsx", Workbook.as_view(), name="parity_workbook"),
]
