"""The API of the integration harness: the endpoints, the runs against them, and starting one."""

from typing import Any
from uuid import UUID

from django.urls import path, reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import PAGING, Answer, ApiView, Body, Flaw, Problem, item_id, keyset, operation
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope
from integrations.domain.probes import Outcome, Probe
from integrations.models import HarnessRun
from integrations.queries import endpoints
from integrations.services import harness

for _scope in (
    TokenScope("harness:read", "Read endpoints and harness runs", Permission.VIEW_INTEGRATIONS),
    TokenScope("harness:run", "Run the harness against an endpoint", Permission.MANAGE_INTEGRATIONS),
):
    SCOPES.add(_scope.name, _scope)

TAG = "Integration harness"


class WebhookEndpoint(Answer):
    """An address of yours that receives signed messages."""

    example = {
        "id": "7f3a2b10-9c8d-4e5f-a1b2-c3d4e5f60718",
        "url": "https://hooks.airline.example/crossing",
        "registered_at": "2026-11-26T05:00:00Z",
        "off_at": None,
    }

    id = serializers.UUIDField()
    url = serializers.CharField()
    registered_at = serializers.DateTimeField()
    off_at = serializers.DateTimeField(allow_null=True, help_text="Since when nothing is sent any more.")


class ProbeResult(Answer):
    """One message of the harness, and what the receiver made of it."""

    probe = serializers.ChoiceField([probe.value for probe in Probe])
    title = serializers.CharField()
    outcome = serializers.ChoiceField([outcome.value for outcome in Outcome])
    expected = serializers.CharField()
    got = serializers.CharField()
    fix = serializers.CharField()
    took_ms = serializers.IntegerField(allow_null=True)


class HarnessResult(Answer):
    """One run of the harness against an endpoint."""

    example = {
        "id": "1c2d3e4f-5061-4728-93a4-b5c6d7e8f900",
        "endpoint_id": "7f3a2b10-9c8d-4e5f-a1b2-c3d4e5f60718",
        "requested_at": "2026-11-26T05:00:00Z",
        "finished_at": "2026-11-26T05:00:04Z",
        "has_passed": False,
        "results": [
            {
                "probe": "tampered",
                "title": "A message whose body was changed is refused",
                "outcome": "block",
                "expected": "4xx, best 401",
                "got": "200",
                "fix": "Verify the signature over the body as it came, before anything parses it.",
                "took_ms": 41,
            }
        ],
    }

    id = serializers.UUIDField()
    endpoint_id = serializers.UUIDField()
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    has_passed = serializers.BooleanField(allow_null=True, help_text="Null until it is finished.")
    results = serializers.SerializerMethodField()

    @extend_schema_field(ProbeResult(many=True))
    def get_results(self, run: HarnessRun) -> list[dict[str, Any]]:
        """What the receiver made of each message; empty until the run is finished."""
        return list(ProbeResult(endpoints.results_of(run), many=True).data)


class RunHarness(Body):
    """Which endpoint to try."""

    example = {"endpoint_id": "7f3a2b10-9c8d-4e5f-a1b2-c3d4e5f60718"}

    endpoint_id = serializers.UUIDField()


class Endpoints(ApiView):
    """The tenant's endpoints."""

    scopes = {"GET": "harness:read"}
    parameters = PAGING

    @operation(
        "list_endpoints", tag=TAG, answer=WebhookEndpoint, paged=True, summary="List your endpoints, newest first"
    )
    def get(self, request: Request) -> Response:
        """List the endpoints."""
        fetch, key = keyset(endpoints.every(tenant_id=self.tenant_id), at="registered_at")
        return self.page("endpoints", WebhookEndpoint, fetch=fetch, key=key)


class Runs(ApiView):
    """The tenant's harness runs."""

    scopes = {"GET": "harness:read", "POST": "harness:run"}
    parameters = PAGING

    @operation(
        "list_harness_runs", tag=TAG, answer=HarnessResult, paged=True, summary="List harness runs, newest first"
    )
    def get(self, request: Request) -> Response:
        """List the runs."""
        fetch, key = keyset(endpoints.runs(tenant_id=self.tenant_id), at="requested_at")
        return self.page("harness", HarnessResult, fetch=fetch, key=key)

    @operation(
        "run_harness", tag=TAG, body=RunHarness, answer=HarnessResult, status=202, summary="Run the harness",
        described="Answers with the run; poll the address in `Location` until `finished_at` is set. While one waits "
        "for this endpoint, that one comes back.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Start a run."""
        endpoint_id = self.read(RunHarness)["endpoint_id"]
        endpoint = endpoints.find(tenant_id=self.tenant_id, endpoint_id=endpoint_id)
        if endpoint is None:
            flaw = Flaw("You have no such endpoint.", pointer="#/endpoint_id")
            raise Problem("refused", flaw.detail, "The list of endpoints has their ids.", errors=[flaw])
        run = harness.request(endpoint=endpoint, by=self.actor, at=self.at)
        headers = {"Location": reverse("api:harness_run", args=[run.pk])}
        return Response(HarnessResult(run).data, status=202, headers=headers)


class OneRun(ApiView):
    """One harness run."""

    scopes = {"GET": "harness:read"}

    @operation(
        "get_harness_run", tag=TAG, answer=HarnessResult, parameters=(item_id("harness_run_id", "Id of a run."),),
        summary="Read one harness run",
    )  # fmt: skip
    def get(self, request: Request, harness_run_id: UUID) -> Response:
        """Return one run."""
        found = endpoints.runs(tenant_id=self.tenant_id).filter(pk=harness_run_id).first()
        if found is None:
            raise Problem("not-found", "There is no such run.")
        return Response(HarnessResult(found).data)


urlpatterns = [
    path("endpoints", Endpoints.as_view(), name="endpoints"),
    path("harness/runs", Runs.as_view(), name="harness_runs"),
    path("harness/runs/<uuid:harness_run_id>", OneRun.as_view(), name="harness_run"),
]
