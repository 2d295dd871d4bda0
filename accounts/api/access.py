"""The API of access reviews: read them and their lines, take them as a file, attest, and take access away.

Beginning, ending and signing a review is people's, on the page; so is every decision about an owner.
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
from accounts.services.access import decisions
from accounts.views import access_files as downloads
from core.api import PAGING, Answer, ApiView, Body, Cursor, NoBody, Problem, file_of, item_id, keyset, operation
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope

for _scope in (
    TokenScope("access:read", "Read who has which access, and its reviews", Permission.VIEW_MEMBERS),
    TokenScope("access:write", "Attest access in reviews, and take it away", Permission.MANAGE_MEMBERS),
):
    SCOPES.add(_scope.name, _scope)

TAG = "Access reviews"
MOST_AT_ONCE = 500
_ID = (item_id("review_id", "Id of a review."),)
_LINE = (*_ID, item_id("line_id", "Id of a line of the review."))
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
    people = serializers.IntegerField(help_text="How many lines it has.")
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
    old_role = serializers.CharField(help_text="On the old platform; empty: none.")
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


class AttestationsState(Answer):
    """What became of lines that were to be attested."""

    example = {"attested": 12, "changed": 0}

    attested = serializers.IntegerField(source="count")
    changed = serializers.IntegerField(help_text="Not attested: their role changed since. Read their lines again.")


class Attest(Body):
    """Lines whose access is right."""

    example = {"line_ids": ["0a3f0e0d-6f5d-4c0b-9d3c-2f1f4f1f7f10"]}

    line_ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_AT_ONCE)


class Reviews(ApiView):
    """The access reviews."""

    scopes = {"GET": "access:read"}
    parameters = PAGING

    @operation("list_access_reviews", tag=TAG, answer=ReviewState, paged=True, summary="List reviews, newest first")
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


class Attestations(ApiView):
    """Attesting lines."""

    scopes = {"POST": "access:write"}

    @operation(
        "attest_access", tag=TAG, body=Attest, answer=AttestationsState, parameters=_ID,
        summary="Say that people's access is right",
        described="All of them or none: one that this token may not attest refuses them all, with the reason. Owners, "
        "and whoever issued the token, are attested on the page.",
    )  # fmt: skip
    def post(self, request: Request, review_id: UUID) -> Response:
        """Attest the lines."""
        line_ids = self.read(Attest)["line_ids"]
        review = _review(self.tenant_id, review_id)
        made = decisions.attest(review=review, line_ids=line_ids, by=self.actor, at=self.at)
        return Response(AttestationsState(made).data)


class Revocation(ApiView):
    """Taking one person's access away."""

    scopes = {"POST": "access:write"}

    @operation(
        "revoke_access", tag=TAG, body=NoBody, answer=LineState, parameters=_LINE,
        summary="Take a person's access to Crossing away",
        described="They are out at once, and are told. From an owner it is taken away on the page, by two owners.",
    )  # fmt: skip
    def post(self, request: Request, review_id: UUID, line_id: UUID) -> Response:
        """Take it away."""
        self.read(NoBody)
        line = queries.lines(_review(self.tenant_id, review_id)).filter(pk=line_id).first()
        if line is None:
            raise Problem("not-found", "There is no such line in this review.")
        return Response(LineState(decisions.revoke(line=line, by=self.actor, at=self.at)).data)


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
    path("access/reviews/<uuid:review_id>/attestations", Attestations.as_view(), name="attest_access"),
    path("access/reviews/<uuid:review_id>/lines/<uuid:line_id>/revocation", Revocation.as_view(), name="revoke_access"),
]
