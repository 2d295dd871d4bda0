"""The API of drift: what came to differ since the comparison, why, and what was done about it.

Putting records right is the vendor's own work, by two of its people; a customer's token reads of it.
"""

from typing import Any
from uuid import UUID

from django.urls import path, reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import queue
from core.api import PAGING, Answer, ApiView, NoBody, Problem, item_id, keyset, operation
from parity_reports.domain.drift import Cause
from parity_reports.domain.reconciliation import TOLD
from parity_reports.models import Drift
from parity_reports.queries import drift as queries
from parity_reports.queries import reconciliations
from parity_reports.services import drift

TAG = "Drift"
_CAUSES = [cause.value for cause in Cause]


class DriftEntity(Answer):
    """How one entity stands since its comparison."""

    entity = serializers.CharField()
    title = serializers.CharField()
    looked_at = serializers.DateTimeField(allow_null=True)
    differing = serializers.IntegerField(min_value=0)
    unexplained = serializers.SerializerMethodField()
    problem = serializers.CharField(help_text="Why it could not be read; empty if it could.")

    @extend_schema_field({"type": "integer", "minimum": 0})
    def get_unexplained(self, watch: Any) -> int:
        """Records that no fact explains, whether or not a person has."""
        return int(watch.causes.get(Cause.UNKNOWN.value, 0))


class DriftStanding(Answer):
    """How the account stands since its last full comparison."""

    example = {
        "report": "b0c7a1c2-58a3-4c3a-9b7a-4d5e6f708192",
        "looked_at": "2026-11-26T05:15:00Z",
        "is_known": True,
        "is_looking": False,
        "differing": 2,
        "unexplained": 0,
        "unexplained_since": None,
        "causes": {"late_write": 2},
        "entities": [
            {
                "entity": "flights",
                "title": "Flights",
                "looked_at": "2026-11-26T05:15:00Z",
                "differing": 2,
                "unexplained": 0,
                "problem": "",
            }
        ],
    }

    report = serializers.UUIDField(source="standing.report.pk", allow_null=True, default=None)
    looked_at = serializers.DateTimeField(source="standing.looked_at", allow_null=True)
    is_known = serializers.BooleanField(help_text="Whether somebody has looked within the last hour.")
    is_looking = serializers.BooleanField(help_text="Whether both platforms are being read again right now.")
    differing = serializers.IntegerField(source="standing.differing", min_value=0)
    unexplained = serializers.IntegerField(
        source="standing.unexplained", min_value=0, help_text="Without those that a person has explained."
    )
    unexplained_since = serializers.DateTimeField(
        source="standing.unexplained_since", allow_null=True, help_text="After 30 minutes it stops the line."
    )
    causes = serializers.SerializerMethodField()
    entities = DriftEntity(source="standing.watches", many=True)

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}})
    def get_causes(self, told: dict[str, Any]) -> dict[str, int]:
        """How many records differ for which cause; causes without records are left out."""
        return {cause.value: number for cause, number in told["standing"].causes.items() if number}


class DriftRecord(Answer):
    """One record that came to differ since the comparison."""

    example = {
        "id": "5f0e2d1c-7b6a-4958-8c7d-6e5f4a3b2c1d",
        "entity": "flights",
        "record": "r-7f3a91",
        "key": "HA51-20130115-1",
        "kind": "different",
        "columns": {"distance_km": "value"},
        "cause": "late_write",
        "explanation": "",
        "explained_until": None,
        "first_seen_at": "2026-11-26T05:15:00Z",
        "last_seen_at": "2026-11-26T05:30:00Z",
        "resolved_at": None,
    }

    id = serializers.UUIDField()
    entity = serializers.CharField()
    record = serializers.CharField(help_text="The code that the record has in all your reports.")
    key = serializers.CharField(help_text="Its key, where the mapping declares that public; else empty.")
    kind = serializers.ChoiceField(["missing", "extra", "different", "duplicate"])
    columns = serializers.DictField(child=serializers.CharField(), help_text="Per differing column how it differs.")
    cause = serializers.ChoiceField(_CAUSES)
    explanation = serializers.CharField(help_text="What one of our people says of it; empty if nobody does.")
    explained_until = serializers.DateTimeField(allow_null=True)
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True, help_text="When it was seen equal again.")


class ReconciliationRecord(Answer):
    """One decision about an entity's drift, and what became of it."""

    example = {
        "id": "e4d3c2b1-a098-4765-8432-10fedcba9876",
        "entity": "flights",
        "title": "Flights",
        "state": "done",
        "reason": "The distances were corrected in legacy.",
        "moved": 2,
        "merged": 0,
        "accepted": 0,
        "left": 0,
        "agreed_at": None,
        "accepted_until": None,
        "requested_at": "2026-11-26T06:00:00Z",
        "finished_at": "2026-11-26T06:00:10Z",
        "undo_until": "2026-12-03T06:00:00Z",
        "undone_at": None,
        "problem": "",
    }

    id = serializers.UUIDField()
    entity = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField([state.value for state in TOLD])
    reason = serializers.CharField()
    moved = serializers.IntegerField(min_value=0, help_text="Records that are as legacy says.")
    merged = serializers.IntegerField(min_value=0, help_text="Records merged by the mapping's rule per column.")
    accepted = serializers.IntegerField(min_value=0, help_text="Records that stay as the new platform has them.")
    left = serializers.IntegerField(min_value=0, help_text="Of all these, those that were left alone after all.")
    agreed_at = serializers.DateTimeField(
        source="approved_at", allow_null=True, help_text="When a second person agreed; null where none had to."
    )
    accepted_until = serializers.DateTimeField(allow_null=True, help_text="Until when accepted differences count.")
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    undo_until = serializers.DateTimeField(allow_null=True, help_text="Until when it can be undone.")
    undone_at = serializers.DateTimeField(allow_null=True)
    problem = serializers.CharField(help_text="Why it was not finished; empty if it was.")


class Standing(ApiView):
    """How the tenant stands since its comparison."""

    scopes = {"GET": "parity:read", "POST": "parity:run"}

    @operation("get_drift", tag=TAG, answer=DriftStanding, summary="Read what came to differ since the comparison")
    def get(self, request: Request) -> Response:
        """Return how it stands."""
        return Response(self._told())

    @operation(
        "look_for_drift", tag=TAG, body=NoBody, answer=DriftStanding, status=202, summary="Look for drift now",
        described="Both platforms are read again; poll the address in `Location` until `is_looking` is false. "
        "They are read every quarter of an hour without being asked.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Have everything looked at now."""
        self.read(NoBody)
        drift.request(tenant_id=self.tenant_id, by=self.actor, at=self.at)
        return Response(self._told(), status=202, headers={"Location": reverse("api:drift")})

    def _told(self) -> Any:
        standing = queries.standing(tenant_id=self.tenant_id, at=self.at)
        looking = bool(queue.jobs(self.tenant_id, task=queries.TASK, unfinished=True, limit=1))
        told = {"standing": standing, "is_known": standing.is_known(at=self.at), "is_looking": looking}
        return DriftStanding(told).data


class Records(ApiView):
    """The records that drift, and those that did."""

    scopes = {"GET": "parity:read"}
    parameters = PAGING

    @operation(
        "list_drift", tag=TAG, answer=DriftRecord, paged=True, summary="List records that came to differ, newest first",
        described="Those that are equal again too. Up to 1,000 of an entity stand one by one; all are counted.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List the records."""
        fetch, key = keyset(Drift.objects.filter(tenant_id=self.tenant_id), at="first_seen_at")
        return self.page("drift", DriftRecord, fetch=fetch, key=key)


class Reconciliations(ApiView):
    """What was done about drift."""

    scopes = {"GET": "parity:read"}
    parameters = PAGING

    @operation(
        "list_reconciliations", tag=TAG, answer=ReconciliationRecord, paged=True,
        summary="List what was done about drift, newest first",
        described="What nobody has agreed to yet is not told.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List the reconciliations."""
        fetch, key = keyset(reconciliations.told_of(tenant_id=self.tenant_id), at="requested_at")
        return self.page("reconciliations", ReconciliationRecord, fetch=fetch, key=key)


class OneReconciliation(ApiView):
    """One reconciliation."""

    scopes = {"GET": "parity:read"}

    @operation(
        "get_reconciliation", tag=TAG, answer=ReconciliationRecord, summary="Read one reconciliation",
        parameters=(item_id("reconciliation_id", "Id of a reconciliation."),),
    )  # fmt: skip
    def get(self, request: Request, reconciliation_id: UUID) -> Response:
        """Return one."""
        found = reconciliations.told_of(tenant_id=self.tenant_id).filter(pk=reconciliation_id).first()
        if found is None:
            raise Problem("not-found", "There is no such reconciliation.")
        return Response(ReconciliationRecord(found).data)


urlpatterns = [
    path("parity/drift", Standing.as_view(), name="drift"),
    path("parity/drift/records", Records.as_view(), name="drift_records"),
    path("parity/reconciliations", Reconciliations.as_view(), name="reconciliations"),
    path("parity/reconciliations/<uuid:reconciliation_id>", OneReconciliation.as_view(), name="reconciliation"),
]
