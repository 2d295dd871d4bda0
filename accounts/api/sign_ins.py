"""The API of sign-ins by the tenant's provider: how they ended."""

from django.urls import path
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.domain.signing_in import REASONS, Outcome, Reason
from accounts.domain.verdicts import Verdict
from accounts.models import SsoSignIn
from accounts.queries import sso
from core.api import PAGING, Answer, ApiView, keyset, operation
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope

for _scope in (
    TokenScope("sign_ins:read", "Read how people signed in, and links to your directory", Permission.VIEW_MEMBERS),
    TokenScope("links:approve", "Approve links of plain members to your directory", Permission.MANAGE_SSO),
    TokenScope("links:withdraw", "Reject and undo links of plain members, and end rules", Permission.WITHDRAW_LINKS),
):
    SCOPES.add(_scope.name, _scope)

TAG = "Single sign-on"


class SignIn(Answer):
    """A sign-in by the provider. It names a member by id, and nobody else."""

    example = {
        "id": "6c1d8a0e-2f64-4c39-8b1c-2f6d7e9a0b12",
        "reference": "6C1D8A0E",
        "outcome": "refused",
        "reason": "answer_refused",
        "words": "The provider's answer was refused",
        "failed": ["audience"],
        "member_id": None,
        "answered_at": "2026-11-26T05:00:20Z",
    }

    id = serializers.UUIDField()
    reference = serializers.CharField(help_text="What a person who was refused was shown.")
    outcome = serializers.ChoiceField([outcome.value for outcome in Outcome])
    reason = serializers.ChoiceField([reason.value for reason in Reason])
    words = serializers.SerializerMethodField()
    failed = serializers.SerializerMethodField()
    member_id = serializers.UUIDField(allow_null=True)
    answered_at = serializers.DateTimeField()

    @extend_schema_field(serializers.CharField())
    def get_words(self, sign_in: SsoSignIn) -> str:
        """The reason in words."""
        return REASONS[Reason(sign_in.reason)][0]

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_failed(self, sign_in: SsoSignIn) -> list[str]:
        """The checks that failed, by their code."""
        return sorted(code for code, verdict in sign_in.verdicts.items() if verdict == Verdict.FAIL)


class SignIns(ApiView):
    """The tenant's sign-ins."""

    scopes = {"GET": "sign_ins:read"}
    parameters = PAGING

    @operation("list_sign_ins", tag=TAG, answer=SignIn, paged=True, summary="List sign-ins, newest first")
    def get(self, request: Request) -> Response:
        """List the sign-ins of the last 90 days."""
        fetch, key = keyset(sso.sign_ins(tenant_id=self.tenant_id), at="answered_at")
        return self.page("sign_ins", SignIn, fetch=fetch, key=key)


urlpatterns = [path("sso/sign-ins", SignIns.as_view(), name="sign_ins")]
