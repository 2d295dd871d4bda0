"""The API of shadow reads: what reads that were made of both platforms found, and the switch that lets them be made."""

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import Answer, ApiView, Body, NoBody, Text, operation
from core.stages import Traffic
from parity_reports.domain.shadow import LONGEST
from parity_reports.queries import shadow, shadow_verdicts
from parity_reports.services import shadow as switch

TAG = "Shadow reads"


class ReadLatency(Answer):
    """How long reads took one platform."""

    reads = serializers.IntegerField(min_value=1)
    p50 = serializers.FloatField(help_text="Seconds that half of the reads took at most.")
    p95 = serializers.FloatField()
    p99 = serializers.FloatField()


class ShadowReads(Answer):
    """What reads that were made of both platforms in the last day found."""

    example = {
        "stage": "moving",
        "on_until": "2026-12-03T05:00:00Z",
        "headline": "All 12,480 reads were answered alike in the last day",
        "statement": "99 % confident that fewer than 1 in 2,710 reads differ.",
        "read_at": "2026-11-26T05:02:00Z",
        "counts": {"compared": 12_480, "mismatched": 0, "newer": 0, "known": 0, "settled": 2, "unasked": 31},
        "open": 0,
        "unexplained": 0,
        "legacy": {"reads": 12_480, "p50": 0.0031, "p95": 0.0082, "p99": 0.014},
        "new": {"reads": 12_480, "p50": 0.0012, "p95": 0.0028, "p99": 0.0061},
    }

    stage = serializers.ChoiceField(
        [one.value for one in Traffic], help_text="Reads are made while it is `moving`: from the canary to the end."
    )
    on_until = serializers.DateTimeField(allow_null=True, help_text="Null while they are off.")
    headline = serializers.CharField()
    statement = serializers.CharField(help_text="How sure these reads make of all that could have been made.")
    read_at = serializers.DateTimeField(allow_null=True, help_text="Null before the first reads.")
    counts = serializers.DictField(
        child=serializers.IntegerField(min_value=0),
        help_text="In reads. No mismatch: `newer` (people work on the new platform), `known` since the comparison.",
    )
    open = serializers.IntegerField(min_value=0, help_text="Reads that still disagree.")
    unexplained = serializers.IntegerField(min_value=0, help_text="Those of them that nobody can explain yet.")
    legacy = ReadLatency(allow_null=True)
    new = ReadLatency(allow_null=True)


class SwitchOn(Body):
    """Until when reads are made, and why."""

    example = {"until": "2026-12-03T05:00:00Z", "reason": "The canary begins."}

    until = serializers.DateTimeField(help_text=f"At most {LONGEST.days} days from now. They end by themselves.")
    reason = Text(max_length=500, help_text="It is kept with the switch.")


class Shadow(ApiView):
    """The tenant's shadow reads."""

    scopes = {"GET": "parity:read", "POST": "parity:run", "DELETE": "parity:run"}

    @operation(
        "get_shadow_reads", tag=TAG, answer=ShadowReads, summary="Read what shadow reads found",
        described="Reads that people make, made of both platforms while traffic moves. Without a value of any record.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return how they stand."""
        return self.tell()

    @operation(
        "switch_shadow_reads_on", tag=TAG, body=SwitchOn, answer=ShadowReads, summary="Switch shadow reads on",
        described="Made while traffic moves; they end by themselves. Switch them off first to change their end.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Let reads be made."""
        switch.switch_on(tenant_id=self.tenant_id, by=self.actor, at=self.at, **self.read(SwitchOn))
        return self.tell()

    @operation(
        "switch_shadow_reads_off", tag=TAG, answer=None, status=204, summary="Switch shadow reads off",
        described="No more are made, as where they are off already.",
    )  # fmt: skip
    def delete(self, request: Request) -> Response:
        """Make no more reads."""
        self.read(NoBody)
        switch.switch_off(tenant_id=self.tenant_id, by=self.actor, at=self.at)
        return Response(status=204)

    def tell(self) -> Response:
        """Answer with how they stand."""
        now = shadow.standing(tenant_id=self.tenant_id, at=self.at)
        legacy, new = shadow.latencies(tenant_id=self.tenant_id, at=self.at)
        told = {
            "stage": now.stage.traffic,
            "on_until": now.on_until,
            "headline": shadow_verdicts.tell(now, at=self.at).headline,
            "statement": now.tally.statement,
            "read_at": now.read_at,
            "counts": {name: getattr(now.tally, name) for name in now.tally.__slots__},
            "open": now.open,
            "unexplained": now.unexplained,
            "legacy": legacy,
            "new": new,
        }
        return Response(ShadowReads(told).data)


urlpatterns = [path("parity/shadow-reads", Shadow.as_view(), name="shadow_reads")]
