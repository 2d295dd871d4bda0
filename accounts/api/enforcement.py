"""The API of company sign-in: how it stands, who would get in by it, the ways back. All of it is read only.

Enforcing, naming who holds recovery codes, cutting back and taking passwords away decide who gets in: each needs a
person, an owner or two people (`docs/adr/0044-what-a-token-may-do-to-sign-in.md`). No code is ever told.
"""

from datetime import datetime
from typing import Any

from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.domain.cutbacks import State as CutbackState
from accounts.domain.enforcement import Standing, State
from accounts.domain.lockouts import Outcome
from accounts.models import Cutback
from accounts.queries import cutbacks, enforcement, lockouts, removals
from core.api import PAGING, Answer, ApiView, keyset, operation

TAG = "Single sign-on"


class BreakGlassSeat(Answer):
    """An owner who gets in by a recovery code when the company's sign-in fails."""

    seat = serializers.IntegerField(source="owner.seat")
    member_id = serializers.UUIDField(source="owner.member_id")
    named_at = serializers.DateTimeField(source="owner.named_at")
    has_codes = serializers.BooleanField(help_text="Whether they hold a whole set, which is never told itself.")


class PasswordsTaken(Answer):
    """That nobody of the account has a password any more."""

    removed_at = serializers.DateTimeField()
    reversible_until = serializers.DateTimeField(help_text="Until then an owner can have them given back.")


class CompanySignIn(Answer):
    """How the account's people may sign in now."""

    example = {
        "state": "announced",
        "takes_effect_at": "2026-12-03T09:00:00Z",
        "expires_at": "2027-05-25T00:00:00Z",
        "cutback_ends_at": None,
        "break_glass_owners": 2,
        "break_glass": [
            {
                "seat": 1,
                "member_id": "0b7c2f2e-9a56-4d0e-8f4e-0d8f1f3b7a55",
                "named_at": "2026-11-26T05:00:00Z",
                "has_codes": True,
            },
            {
                "seat": 2,
                "member_id": "0b7c2f2e-9a56-4d0e-8f4e-0d8f1f3b7a56",
                "named_at": "2026-11-26T05:00:00Z",
                "has_codes": True,
            },
        ],
        "passwords_taken": None,
        "people": 120,
        "stuck": 3,
        "owners_stuck": 0,
        "outcomes": {"signs_in": 117, "needs_approval": 2, "new_account": 0, "locked_out": 1},
    }

    state = serializers.ChoiceField(
        [state.value for state in State],
        help_text="`open`: passwords count. `cut_back`: they count for some hours.",
    )
    takes_effect_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True, help_text="From when passwords count again.")
    cutback_ends_at = serializers.DateTimeField(allow_null=True)
    break_glass_owners = serializers.IntegerField(help_text="How many hold a whole set of recovery codes.")
    break_glass = BreakGlassSeat(many=True)
    passwords_taken = PasswordsTaken(allow_null=True, help_text="Null while people have passwords.")
    people = serializers.IntegerField(help_text="Active members.")
    stuck = serializers.IntegerField(help_text="Those who would not get in by themselves.")
    owners_stuck = serializers.IntegerField()
    outcomes = serializers.SerializerMethodField()

    @extend_schema_field(serializers.DictField(child=serializers.IntegerField()))
    def get_outcomes(self, found: dict[str, Any]) -> dict[str, int]:
        """How many active members have each outcome, as it is foreseen."""
        return {outcome.value: found["counts"].get(outcome, 0) for outcome in Outcome}


class CutbackRow(Answer):
    """A timed return to passwords."""

    example = {
        "id": "6c1d8a0e-2f64-4c39-8b1c-2f6d7e9a0b12",
        "state": "running",
        "reason": "Our provider is down.",
        "hours": 4,
        "requested_at": "2026-11-26T05:00:00Z",
        "customer_approved_at": "2026-11-26T05:05:00Z",
        "vendor_approved_at": "2026-11-26T05:07:00Z",
        "starts_at": "2026-11-26T05:07:00Z",
        "ends_at": "2026-11-26T09:07:00Z",
        "ended_at": None,
    }

    id = serializers.UUIDField()
    state = serializers.SerializerMethodField()
    reason = serializers.CharField()
    hours = serializers.IntegerField()
    requested_at = serializers.DateTimeField()
    customer_approved_at = serializers.DateTimeField(allow_null=True)
    vendor_approved_at = serializers.DateTimeField(allow_null=True)
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True, help_text="When it is over by itself.")
    ended_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(serializers.ChoiceField([state.value for state in CutbackState]))
    def get_state(self, cutback: Cutback) -> str:
        """Where it stands."""
        return cutbacks.state_of(cutback, at=timezone.now()).value


class HowItStands(ApiView):
    """The tenant's company sign-in."""

    scopes = {"GET": "sso:read"}

    @operation(
        "get_company_sign_in", tag=TAG, answer=CompanySignIn, summary="Read how people may sign in, and who would",
        described="Announcing it, ending it, recovery codes and taking passwords away stay with people: it is they who "
        "decide how everybody gets in.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return it with the forecast."""
        standing = enforcement.standing(tenant_id=self.tenant_id, at=self.at)
        forecast = lockouts.forecast(tenant_id=self.tenant_id)
        holders = enforcement.holders(tenant_id=self.tenant_id)
        seats = enforcement.break_glass(tenant_id=self.tenant_id)
        found = {
            **_dates(standing, self.at),
            "break_glass_owners": len(holders),
            "break_glass": [{"owner": owner, "has_codes": owner.pk in holders} for owner in seats],
            "passwords_taken": removals.standing(tenant_id=self.tenant_id),
            "people": forecast.people,
            "stuck": forecast.stuck,
            "owners_stuck": forecast.owners_stuck,
            "counts": forecast.counts,
        }
        return Response(CompanySignIn(found).data)


class Cutbacks(ApiView):
    """The tenant's cutbacks."""

    scopes = {"GET": "sso:read"}
    parameters = PAGING

    @operation(
        "list_cutbacks", tag=TAG, answer=CutbackRow, paged=True, summary="List cutbacks, newest first",
        described="Asking for one and approving it stay with people: its reason is a person's word; two approve it.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List them."""
        fetch, key = keyset(cutbacks.every(tenant_id=self.tenant_id), at="requested_at")
        return self.page("cutbacks", CutbackRow, fetch=fetch, key=key)


def _dates(standing: Standing, at: datetime) -> dict[str, Any]:
    return {
        "state": standing.state(at=at).value,
        "takes_effect_at": standing.takes_effect_at,
        "expires_at": standing.expires_at,
        "cutback_ends_at": standing.cutback_ends_at,
    }


urlpatterns = [
    path("sso/company-sign-in", HowItStands.as_view(), name="company_sign_in"),
    path("sso/cutbacks", Cutbacks.as_view(), name="cutbacks"),
]
