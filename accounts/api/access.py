"""The API of access reviews, read only: reviews, their lines, and a review as a file.

An attestation says that somebody looked, so people make it, on the page; so do they begin, end and sign a review.
"""

from collections.abc import Sequence
from uuid import UUID

from django.http import HttpResponseBase
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.domain.access import DIFFERENCES, Verdict, Way
from accounts.models import AccessLine, AccessReview
from accounts.queries import access as queries
from accounts.queries import tenants
from accounts.views import access_files as downloads
from core.api import PAGING, Answer, ApiView, Cursor, Problem, file_of, item_id, keyset, operation
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope

SCOPES.add(
    "access:read", TokenScope("access:read", "Read who has which access, and its reviews", Permission.VIEW_MEMBERS)
)

TAG = "Access reviews"
_ID = (item_id("review_id", "Id of a review."),)
_STATES = ("open", "finished", "abandoned")


class ReviewState(Answer):
    """An access review, and how far it is."""

    example = {
        "id": "8a4f2f9c-0f37-4d0e-8a1b-2f6d7e9a0b12",
        "state": "finished",
        "begun_at": "2026-11-26T05:00:00Z",
        "due_on": "2026-12-10",
        "people": 60,
        "decided": 60,
        "finished_at": "2026-11-27T09:00:00Z",
        "signed_at": "2026-11-27T09:05:00Z",
        "lines_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }

    id = serializers.UUIDField()
    state = serializers.SerializerMethodField()
    begun_at = serializers.DateTimeField()
    due_on = serializers.DateField()
    people = serializers.IntegerField(help_text="How many lines it has; 0 until they are written down.")
    decided = serializers.IntegerField(help_text="How many are decided about.")
    finished_at = serializers.DateTimeField(allow_null=True)
    signed_at = serializers.DateTimeField(allow_null=True, help_text="When somebody signed its summary.")
    lines_sha256 = serializers.CharField(source="sha256", help_text="Digest of the finished lines; empty before.")

    @extend_schema_field(serializers.ChoiceField(_STATES))
    def get_state(self, review: AccessReview) -> str:
        """Whether it is open, or how it ended."""
        return "open" if review.is_open else "finished" if review.finished_at else "abandoned"


class LineState(Answer):
    """One person's access as it was when the review began, and what was decided."""

    example = {
        "id": "0a3f0e0d-6f5d-4c0b-9d3c-2f1f4f1f7f10",
        "number": 1,
        "name": "Ben Berg",
        "email": "ben@airline.example",
        "old_role": "dispatcher",
        "platform_role": "dispatcher",
        "role": "admin",
        "difference": "more",
        "ways": ["company", "provisioned"],
        "seen_at": "2026-11-25T16:20:00Z",
        "decision": "attested",
        "decided_at": "2026-11-26T05:00:00Z",
        "role_now": "admin",
    }

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField()
    old_role = serializers.CharField(help_text="On the legacy platform; empty: none.")
    platform_role = serializers.CharField(help_text="On the new platform; empty: none.")
    role = serializers.CharField(help_text="In Crossing; empty: none.")
    difference = serializers.ChoiceField([difference.value for difference in DIFFERENCES])
    ways = serializers.ListField(child=serializers.ChoiceField([way.value for way in Way]), help_text="Ways in.")
    seen_at = serializers.DateTimeField(allow_null=True)
    decision = serializers.SerializerMethodField()
    decided_at = serializers.DateTimeField(allow_null=True)
    role_now = serializers.CharField(help_text="In Crossing now; another than `role`: it changed since.")

    @extend_schema_field(serializers.ChoiceField(["open", *(verdict.value for verdict in Verdict if verdict.value)]))
    def get_decision(self, line: AccessLine) -> str:
        """`asked`: taken away from an owner once a second one agrees."""
        return line.verdict or "open"


class Reviews(ApiView):
    """The access reviews."""

    scopes = {"GET": "access:read"}
    parameters = PAGING

    @operation(
        "list_access_reviews", tag=TAG, answer=ReviewState, paged=True, summary="List reviews, newest first",
        described="Attesting access, taking it away and signing stay with people: each says that somebody looked.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List the reviews."""
        fetch, key = keyset(queries.told(tenant_id=self.tenant_id), at="begun_at")
        return self.page("access_reviews", ReviewState, fetch=fetch, key=key)


class OneReview(ApiView):
    """One access review."""

    scopes = {"GET": "access:read"}

    @operation("get_access_review", tag=TAG, answer=ReviewState, parameters=_ID, summary="Read one review")
    def get(self, request: Request, review_id: UUID) -> Response:
        """Return one review."""
        return Response(ReviewState(_review(self.tenant_id, review_id)).data)


class Lines(ApiView):
    """The lines of a review."""

    scopes = {"GET": "access:read"}
    parameters = PAGING

    @operation(
        "list_access_lines", tag=TAG, answer=LineState, paged=True, parameters=_ID,
        summary="List a review's lines, what needs a look first",
    )  # fmt: skip
    def get(self, request: Request, review_id: UUID) -> Response:
        """List the lines."""
        rows = queries.lines(_review(self.tenant_id, review_id))

        def fetch(after: Cursor, count: int) -> Sequence[AccessLine]:
            return list((rows.filter(number__gt=after[0]) if after else rows)[:count])

        return self.page(f"access_lines:{review_id}", LineState, fetch=fetch, key=lambda line: [line.number])


class LinesFile(ApiView):
    """A review as CSV."""

    scopes = {"GET": "access:read"}
    renderer_classes = file_of("text/csv")

    @operation(
        "get_access_file", tag=TAG, answer=OpenApiTypes.STR, media_type="text/csv", parameters=_ID,
        summary="Take a review as CSV", described="Every line with what was decided. The ledger says who took it.",
    )  # fmt: skip
    def get(self, request: Request, review_id: UUID) -> HttpResponseBase:
        """Send the file."""
        review, tenant = _review(self.tenant_id, review_id), tenants.get(tenant_id=self.tenant_id)
        return downloads.of_review(tenant, review, "csv", by=self.actor, at=self.at)


def _review(tenant_id: UUID, review_id: UUID) -> AccessReview:
    found = queries.told(tenant_id=tenant_id).filter(pk=review_id).first()
    if found is None:
        raise Problem("not-found", "There is no such review.")
    return found


urlpatterns = [
    path("access/reviews", Reviews.as_view(), name="access_reviews"),
    path("access/reviews/<uuid:review_id>", OneReview.as_view(), name="access_review"),
    path("access/reviews/<uuid:review_id>/lines", Lines.as_view(), name="access_lines"),
    path("access/reviews/<uuid:review_id>/file", LinesFile.as_view(), name="access_file"),
]
