"""The API's answer to “where is invoice 4711?”. The key is in the body: it may name a person; addresses are kept."""

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backfills.domain.judgement import Fate
from backfills.queries import mapping
from backfills.services import fates
from core.api import Answer, ApiView, Body, Flaw, Problem, Text, operation

TAG = "Runs"


class FindRow(Body):
    """Which row is looked for."""

    example = {"entity": "flights", "key": "20130115-51"}

    entity = Text(max_length=60, help_text="Its name in the mapping.")
    key = Text(max_length=fates.LONGEST_KEY, help_text="Its key in legacy, or of its object on the new platform.")


class RowFate(Answer):
    """Where one row ended. What was asked for is not repeated; keys are told where the mapping calls them public."""

    example = {
        "title": "Moved as it was",
        "fate": "migrated",
        "rule": "",
        "because": "The row satisfies every rule and moved without a change of meaning.",
        "fix": "",
        "in_legacy": True,
        "source_key": "20130115-51",
        "target_key": "UA51-20130115-1",
        "merged_with": "",
        "run_id": "5b0f6c1e-7d2a-4c8b-9e3f-1a2b3c4d5e6f",
        "spec": "flights@1+9f86d081884c",
        "written_at": "2026-11-26T05:00:10Z",
        "held_at": None,
    }

    title = serializers.CharField(help_text="In words; also that no run has met the row yet, or that there is none.")
    fate = serializers.ChoiceField(
        [fate.value for fate in Fate], allow_null=True, help_text="Null where no run has met it."
    )
    rule = serializers.CharField(help_text="The rule that decided; empty where a row moved as it was.")
    because = serializers.CharField()
    fix = serializers.CharField(help_text="What to do; empty where there is nothing to do.")
    in_legacy = serializers.BooleanField(help_text="Whether legacy holds such a row now.")
    source_key = serializers.CharField(help_text="Empty where it is not public or came from no row.")
    target_key = serializers.CharField(help_text="Empty where it is not public or there is no object.")
    merged_with = serializers.CharField(
        help_text="The row of legacy whose object it became part of, if its key is public."
    )
    run_id = serializers.UUIDField(allow_null=True, help_text="The run that wrote this.")
    spec = serializers.CharField(help_text="Names the mapping that judged it.")
    written_at = serializers.DateTimeField(allow_null=True)
    held_at = serializers.DateTimeField(
        allow_null=True, help_text="Since when its object is held although nothing of legacy asks for it; else null."
    )

    def to_representation(self, instance: fates.Found) -> dict[str, object]:
        """Tell what is known; a row that no run has met has no trace."""
        trace, words = instance.trace, instance.words
        told = {
            "title": instance.label,
            "fate": trace and trace.fate,
            "rule": trace.rule if trace else "",
            "because": words.because if words else "",
            "fix": words.fix if words else "",
            "in_legacy": instance.in_legacy,
            "source_key": instance.source_key,
            "target_key": instance.target_key,
            "merged_with": instance.merged_with,
            "run_id": trace and trace.run_id,
            "spec": trace.spec if trace else "",
            "written_at": trace and trace.at,
            "held_at": trace and trace.held_at,
        }
        return dict(super().to_representation(told))


class Fates(ApiView):
    """Where single rows ended."""

    scopes = {"POST": "runs:read"}

    @operation(
        "find_row", tag=TAG, body=FindRow, answer=RowFate, summary="Find out where one row ended",
        described="Asks both platforms, and writes nothing. It is posted, since a key may name a person.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Find it."""
        wanted = self.read(FindRow)
        spec = mapping.specs().get(wanted["entity"])
        if spec is None:
            flaw = Flaw("There is no such entity.", pointer="#/entity")
            raise Problem("refused", flaw.detail, "The list of what moves has their names.", errors=[flaw])
        return Response(RowFate(fates.find(tenant_id=self.tenant_id, spec=spec, key=wanted["key"], by=self.actor)).data)


urlpatterns = [path("fates", Fates.as_view(), name="fates")]
