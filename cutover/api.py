"""The API of approvals: what was asked and signed, and the evidence pack; signing needs a person."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import PAGING, Answer, ApiView, Problem, file_of, item_id, keyset, operation
from core.domain.approvals import Method, RequestState
from core.models import ApprovalRequest
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope
from cutover.domain.go_no_go import SEAT_NAMES
from cutover.queries import pages
from cutover.services import go_no_go

SCOPES.add(
    "approvals:read", TokenScope("approvals:read", "Read approvals and their evidence", Permission.VIEW_EVIDENCE)
)

TAG = "Approvals"
_ID = (item_id("request_id", "Id of a request."),)


class Seat(Answer):
    """One of the signatures that a request needs."""

    name = serializers.ChoiceField(sorted(SEAT_NAMES))
    signed_by = serializers.CharField(allow_null=True)
    signed_at = serializers.DateTimeField(allow_null=True)
    method = serializers.ChoiceField([method.value for method in Method], allow_null=True)


class ApprovalSummary(Answer):
    """A request that people sign the frozen evidence."""

    example = {
        "id": "d2a9f0b4-3c1e-4b7a-8f6d-5e4c3b2a1908",
        "action": "cutover.go_no_go",
        "state": "open",
        "requested_at": "2026-11-26T05:00:00Z",
        "expires_at": "2026-12-03T05:00:00Z",
        "ended_at": None,
        "ending": "",
        "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }

    id = serializers.UUIDField()
    action = serializers.CharField()
    state = serializers.ChoiceField([state.value for state in RequestState])
    requested_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="Until when it can be signed.")
    ended_at = serializers.DateTimeField(allow_null=True)
    ending = serializers.CharField(help_text="Why it ended, if it was vetoed or voided.")
    evidence_sha256 = serializers.CharField(source="pack.evidence_sha256", help_text="What each signature covers.")


class Approval(ApprovalSummary):
    """A request with its signatures."""

    example = {
        **ApprovalSummary.example,
        "seats": [
            {
                "name": "customer_approver",
                "signed_by": "Olivia Owner",
                "signed_at": "2026-11-26T06:00:00Z",
                "method": "passkey",
            },
            {"name": "runbook_owner", "signed_by": None, "signed_at": None, "method": None},
        ],
    }

    seats = serializers.SerializerMethodField()

    @extend_schema_field(Seat(many=True))
    def get_seats(self, request: ApprovalRequest) -> list[dict[str, Any]]:
        """Who signed, and what is still missing."""
        signed = {signature.seat: signature for signature in pages.signatures(request)}
        found = []
        for seat in request.seats:
            signature = signed.get(seat["name"])
            found.append({
                "name": seat["name"],
                "signed_by": str(signature.user) if signature else None,
                "signed_at": signature.signed_at if signature else None,
                "method": signature.method if signature else None,
            })  # fmt: skip
        return list(Seat(found, many=True).data)


class Approvals(ApiView):
    """The tenant's go/no-go requests."""

    scopes = {"GET": "approvals:read"}
    parameters = PAGING

    @operation("list_approvals", tag=TAG, answer=ApprovalSummary, paged=True, summary="List approvals, newest first")
    def get(self, request: Request) -> Response:
        """List the requests."""
        fetch, key = keyset(pages.every(tenant_id=self.tenant_id), at="requested_at")
        return self.page("approvals", ApprovalSummary, fetch=fetch, key=key)


class OneApproval(ApiView):
    """One request."""

    scopes = {"GET": "approvals:read"}

    @operation("get_approval", tag=TAG, answer=Approval, parameters=_ID, summary="Read one approval and its signatures")
    def get(self, request: Request, request_id: UUID) -> Response:
        """Return one request."""
        return Response(Approval(_find(self.tenant_id, request_id)).data)


class Pack(ApiView):
    """The evidence pack of one request."""

    scopes = {"GET": "approvals:read"}
    renderer_classes = file_of("application/zip")

    @operation(
        "get_evidence_pack", tag=TAG, answer=OpenApiTypes.BINARY, media_type="application/zip", parameters=_ID,
        summary="Download the evidence pack",
        described="The frozen evidence with its statements, signatures and an offline verifier. That it was taken "
        "stands in the ledger.",
    )  # fmt: skip
    def get(self, request: Request, request_id: UUID) -> HttpResponse:
        """Return the pack as a ZIP."""
        name, body = go_no_go.export(request_id=_find(self.tenant_id, request_id).pk, by=self.actor, at=self.at)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(body, content_type="application/zip", headers=headers)


def _find(tenant_id: UUID, request_id: UUID) -> ApprovalRequest:
    found = pages.find(request_id=request_id)
    if found is None or found.tenant_id != tenant_id:
        raise Problem("not-found", "There is no such approval.")
    return found


urlpatterns = [
    path("approvals", Approvals.as_view(), name="approvals"),
    path("approvals/<uuid:request_id>", OneApproval.as_view(), name="approval"),
    path("approvals/<uuid:request_id>/pack", Pack.as_view(), name="evidence_pack"),
]
