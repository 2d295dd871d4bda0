"""The API of the entitlements preview: what an account has, what it will have, and what that costs."""

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import Answer, ApiView, Problem, operation
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope
from entitlements.domain.preview import Change, Choice
from entitlements.queries import previews

SCOPES.add(
    "entitlements:read",
    TokenScope("entitlements:read", "Read the preview of your plan and limits", Permission.VIEW_ENTITLEMENTS),
)


class Amount(Answer):
    """An amount of money a month."""

    amount = serializers.CharField(help_text="In whole units of the currency, exactly, such as `1250.00`.")
    currency = serializers.CharField(help_text="ISO 4217.")


class EntitlementLine(Answer):
    """One thing you have, how it was and how it will be."""

    kind = serializers.CharField()
    title = serializers.CharField()
    old = serializers.CharField()
    new = serializers.CharField()
    change = serializers.ChoiceField([change.value for change in Change])
    because = serializers.CharField(help_text="Why; empty where it stays as it is.")
    old_price = Amount(allow_null=True)
    new_price = Amount(allow_null=True)


class EntitlementUsage(Answer):
    """How much of something is used, against what the new platform allows."""

    title = serializers.CharField()
    used = serializers.IntegerField(allow_null=True, help_text="Null where nobody counts it.")
    most = serializers.IntegerField(allow_null=True, help_text="Null without a limit.")
    state = serializers.ChoiceField(["pass", "warn", "block", "unknown"])


class EntitlementChoice(Answer):
    """A choice that waits for an owner, on its page."""

    subject = serializers.CharField()
    title = serializers.CharField()
    offer = serializers.CharField()
    choices = serializers.ListField(child=serializers.ChoiceField([choice.value for choice in Choice]))


class EntitlementPreview(Answer):
    """Everything the account has, what changes first."""

    example = {
        "taken_at": "2026-11-26T02:00:00Z",
        "is_stale": False,
        "lines": [
            {
                "kind": "Plan",
                "title": "Plan",
                "old": "Operations Gold",
                "new": "Operations",
                "change": "changed",
                "because": "The plan is called differently.",
                "old_price": {"amount": "1250.00", "currency": "USD"},
                "new_price": {"amount": "1250.00", "currency": "USD"},
            }
        ],
        "open_choices": [],
        "usage": [{"title": "Aircraft", "used": 171, "most": 250, "state": "pass"}],
        "old_total": {"amount": "1250.00", "currency": "USD"},
        "new_total": {"amount": "1250.00", "currency": "USD"},
        "difference": {"amount": "0.00", "currency": "USD"},
        "mismatches": 0,
    }

    taken_at = serializers.DateTimeField(source="snapshot.taken_at", help_text="When both platforms were read.")
    is_stale = serializers.BooleanField(help_text="Whether that is too long ago to be relied on.")
    lines = EntitlementLine(many=True)
    open_choices = EntitlementChoice(many=True)
    usage = EntitlementUsage(many=True)
    old_total = Amount(allow_null=True, help_text="What a month costs on legacy.")
    new_total = Amount(allow_null=True, help_text="What a month will cost; null while it cannot be said.")
    difference = Amount(allow_null=True)
    mismatches = serializers.IntegerField(min_value=0, help_text="What the new platform does not hold as promised.")


class Preview(ApiView):
    """The tenant's preview."""

    scopes = {"GET": "entitlements:read"}

    @operation(
        "get_entitlements", tag="Entitlements", answer=EntitlementPreview, refuses=(404,),
        summary="Read what becomes of your plan and limits",
        described="What changes comes first. 404 until both platforms were read for the first time.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return the preview."""
        state = previews.state(tenant_id=self.tenant_id, at=self.at)
        if state is None:
            raise Problem("not-found", "Nobody has looked yet.", "The page “Entitlements” has both platforms read.")
        shown = {
            "snapshot": state.snapshot,
            "is_stale": state.is_stale(self.at),
            "lines": [*state.preview.changed, *state.preview.same],
            "open_choices": state.preview.open_options,
            "usage": state.preview.usage,
            "old_total": state.preview.old_total,
            "new_total": state.preview.new_total,
            "difference": state.preview.difference,
            "mismatches": len(state.mismatches),
        }
        return Response(EntitlementPreview(shown).data)


urlpatterns = [path("entitlements", Preview.as_view(), name="entitlements")]
