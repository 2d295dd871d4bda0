"""The API of endpoints: list them, run the harness against one, and replace its signing secret."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.urls import path, reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import PAGING, Answer, ApiView, Body, Flaw, NoBody, Problem, item_id, keyset, operation
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope
from integrations.domain.probes import Outcome, Probe
from integrations.domain.rotation import LONGEST_OVERLAP, OVERLAP
from integrations.models import Endpoint, HarnessRun
from integrations.queries import endpoints
from integrations.services import harness, rotations

for _scope in (
    TokenScope("harness:read", "Read endpoints and harness runs", Permission.VIEW_INTEGRATIONS),
    TokenScope("harness:run", "Run the harness against an endpoint", Permission.MANAGE_INTEGRATIONS),
    TokenScope("endpoints:rotate", "Replace the signing secrets of your endpoints", Permission.MANAGE_INTEGRATIONS),
):
    SCOPES.add(_scope.name, _scope)

TAG = "Webhook endpoints"
_ENDPOINT = (item_id("endpoint_id", "Id of an endpoint."),)
_HOUR = timedelta(hours=1)


class WebhookEndpoint(Answer):
    """An address of yours that receives signed messages."""

    example = {
        "id": "7f3a2b10-9c8d-4e5f-a1b2-c3d4e5f60718",
        "url": "https://hooks.airline.example/crossing",
        "registered_at": "2026-11-26T05:00:00Z",
        "secret_changed_at": None,
        "old_secret_ends_at": None,
        "off_at": None,
    }

    id = serializers.UUIDField()
    url = serializers.CharField()
    registered_at = serializers.DateTimeField()
    secret_changed_at = serializers.DateTimeField(
        allow_null=True, help_text="When its signing secret was replaced last; null: never."
    )
    old_secret_ends_at = serializers.DateTimeField(
        source="old_ends_at", allow_null=True, help_text="Until when messages are signed with the old secret too."
    )
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


class RotateSecret(Body):
    """For how long messages are signed with the old secret too."""

    example = {"overlap_hours": 24}

    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_OVERLAP // _HOUR,
        default=OVERLAP // _HOUR,
        help_text="0 ends the old one at once: for a secret that somebody else may know.",
    )


class NewSecret(Answer):
    """A signing secret that was made just now."""

    example = {
        "id": "7f3a2b10-9c8d-4e5f-a1b2-c3d4e5f60718",
        "old_secret_ends_at": "2026-11-27T05:00:00Z",
        "secret": "whsec_…",
    }

    id = serializers.UUIDField(help_text="Id of the endpoint.")
    old_secret_ends_at = serializers.DateTimeField(
        source="old_ends_at", allow_null=True, help_text="Null: the old one has ended."
    )
    secret = serializers.SerializerMethodField()

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_secret(self, endpoint: Endpoint) -> str | None:
        """Null where the same request is sent again: a secret is in one answer alone."""
        return self.context["secret"]  # type: ignore[no-any-return]  # what the view put there


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


class Rotation(ApiView):
    """The rotation of an endpoint's signing secret."""

    told_once = "secret"
    scopes = {"POST": "endpoints:rotate", "DELETE": "endpoints:rotate"}

    @operation(
        "rotate_endpoint_secret", tag=TAG, body=RotateSecret, answer=NewSecret, status=201, parameters=_ENDPOINT,
        summary="Replace the signing secret of an endpoint",
        described="Messages are signed with both secrets until the overlap is over, then with the new one alone. The "
        "new one is in this answer alone; if it is lost, take it back and begin again.",
    )  # fmt: skip
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Make a new secret."""
        endpoint = _find(self, endpoint_id)
        overlap = self.read(RotateSecret)["overlap_hours"] * _HOUR
        secret = rotations.begin(endpoint=endpoint, overlap=overlap, by=self.actor, at=self.at)
        endpoint.refresh_from_db()
        return Response(NewSecret(endpoint, context={"secret": secret}).data, status=201)

    @operation(
        "take_endpoint_secret_back", tag=TAG, answer=None, status=204, parameters=_ENDPOINT,
        summary="Take a new signing secret back",
        described="As long as the old one has not ended: messages are signed with that one alone again.",
    )  # fmt: skip
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        """Go back to the old secret."""
        self.read(NoBody)
        rotations.take_back(endpoint=_find(self, endpoint_id), by=self.actor, at=self.at)
        return Response(status=204)


class OldSecret(ApiView):
    """The old signing secret of an endpoint."""

    scopes = {"DELETE": "endpoints:rotate"}

    @operation(
        "end_old_endpoint_secret", tag=TAG, answer=None, status=204, parameters=_ENDPOINT,
        summary="End the old signing secret of an endpoint",
        described="Messages are signed with the new one alone from now on, as they are where there is no old one.",
    )  # fmt: skip
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        """End it."""
        self.read(NoBody)
        rotations.end_old(endpoint=_find(self, endpoint_id), by=self.actor, at=self.at)
        return Response(status=204)


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


def _find(view: ApiView, endpoint_id: UUID) -> Endpoint:
    found = endpoints.find(tenant_id=view.tenant_id, endpoint_id=endpoint_id)
    if found is None:
        raise Problem("not-found", "You have no such endpoint.", "The list of endpoints has their ids.")
    return found


urlpatterns = [
    path("endpoints", Endpoints.as_view(), name="endpoints"),
    path("endpoints/<uuid:endpoint_id>/rotation", Rotation.as_view(), name="endpoint_rotation"),
    path("endpoints/<uuid:endpoint_id>/old-secret", OldSecret.as_view(), name="endpoint_old_secret"),
    path("harness/runs", Runs.as_view(), name="harness_runs"),
    path("harness/runs/<uuid:harness_run_id>", OneRun.as_view(), name="harness_run"),
]
