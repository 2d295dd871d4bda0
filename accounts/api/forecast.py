"""The API of the lockout forecast: everybody with what would become of them by the company's sign-in alone."""

from collections.abc import Sequence

from django.urls import path
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.sso.connection import TAG
from accounts.domain.lockouts import Outcome, Why
from accounts.queries import lockouts
from accounts.queries.lockouts import Row
from core.api import PAGING, Answer, ApiView, Cursor, Flaw, Problem, operation
from core.permissions import Permission, TenantRole
from core.tokens import SCOPES, TokenScope

SCOPES.add(
    "forecast:read",
    TokenScope("forecast:read", "Read who would get in by your company's sign-in alone", Permission.MANAGE_SSO),
)

OUTCOMES = [outcome.value for outcome in Outcome]
_OUTCOME = OpenApiParameter(
    "outcome", {"type": "string", "enum": OUTCOMES}, description="Those of one outcome only; everybody without it."
)


class ForeseenMember(Answer):
    """A member, and what would become of them; those who left too."""

    example = {
        "member_id": "0b7c2f2e-9a56-4d0e-8f4e-0d8f1f3b7a55",
        "name": "Ben Berg",
        "email": "ben@airline.example",
        "role": "member",
        "outcome": "needs_approval",
        "why": "to_be_approved",
        "words": "The first sign-in waits for your approval",
        "fix": "Approve links as they come, or let a standing rule do so for the domain.",
        "has_passkey": False,
    }

    member_id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.CharField()
    role = serializers.ChoiceField([role.value for role in TenantRole])
    outcome = serializers.ChoiceField(OUTCOMES, source="prediction.outcome")
    why = serializers.ChoiceField([why.value for why in Why], source="prediction.why")
    words = serializers.CharField(source="prediction.words", help_text="The reason in words.")
    fix = serializers.CharField(source="prediction.fix", help_text="What to do; empty where nothing is.")
    has_passkey = serializers.BooleanField(help_text="A passkey opens the account whatever becomes of the sign-in.")


class Forecast(ApiView):
    """The tenant's forecast, person by person."""

    scopes = {"GET": "forecast:read"}
    parameters = PAGING | {"outcome"}

    @operation(
        "list_forecast", tag=TAG, answer=ForeseenMember, paged=True, parameters=(_OUTCOME,),
        summary="List who would get in by your company's sign-in alone",
        described="From what is known now. `/api/v1/sso/company-sign-in` has the counts; the page has open invitations "
        "too, and a file.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List the members in the order of their ids."""
        outcome = _asked(request.query_params.get("outcome"))
        stop = lockouts.barrier(tenant_id=self.tenant_id)
        found = lockouts.groups(tenant_id=self.tenant_id, stop=stop)
        rows = lockouts.listed(tenant_id=self.tenant_id, found=found, outcome=outcome).order_by("pk")

        def fetch(after: Cursor, count: int) -> Sequence[Row]:
            chosen = (rows.filter(pk__gt=after[0]) if after else rows)[:count]
            return [lockouts.row(member, stop=stop) for member in chosen]

        name = f"forecast:{outcome.value if outcome else ''}"
        return self.page(name, ForeseenMember, fetch=fetch, key=lambda row: [str(row.member_id)])


def _asked(text: str | None) -> Outcome | None:
    if text is None:
        return None
    try:
        return Outcome(text)
    except ValueError as error:
        flaw = Flaw(f"It is one of {', '.join(OUTCOMES)}.", parameter="outcome")
        raise Problem("malformed-request", "There is no such outcome.", errors=[flaw]) from error


urlpatterns = [path("sso/forecast", Forecast.as_view(), name="forecast")]
