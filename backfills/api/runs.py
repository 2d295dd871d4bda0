"""The API of runs: list and follow them, start them, and let one pause, go on, end early or try rejected rows again."""

from collections.abc import Callable
from uuid import UUID

from django.urls import path, reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backfills.domain.judgement import Fate
from backfills.domain.runs import RunState
from backfills.models import Run
from backfills.queries import runs as listed
from backfills.services import retries, runs
from core.api import PAGING, Answer, ApiView, Body, NoBody, Problem, Text, item_id, keyset, operation

TAG = "Runs"
_ID = (item_id("run_id", "Id of a run."),)
_MOST_ENTITIES = 100


class RunSummary(Answer):
    """A pass over all rows of one kind of object, or over those that changed."""

    example = {
        "id": "5b0f6c1e-7d2a-4c8b-9e3f-1a2b3c4d5e6f",
        "entity": "flights",
        "state": "succeeded",
        "is_conserved": True,
        "catch_up": False,
        "since": None,
        "whole_because": "",
        "standing": False,
        "spec": "flights@1+9f86d081884c",
        "source_total": 54_080,
        "read": 54_080,
        "changed": 54_049,
        "removed": 0,
        "held": 0,
        "problem": "",
        "requested_at": "2026-11-26T05:00:00Z",
        "started_at": "2026-11-26T05:00:01Z",
        "finished_at": "2026-11-26T05:00:20Z",
    }

    id = serializers.UUIDField()
    entity = serializers.CharField()
    state = serializers.ChoiceField(
        [state.value for state in RunState],
        help_text="`stopped`: every row is accounted for, but more were rejected than the mapping allows.",
    )
    is_conserved = serializers.BooleanField(
        source="is_accounted", help_text="Whether every row of legacy has its one outcome; the database holds to it."
    )
    catch_up = serializers.BooleanField(source="is_catch_up", help_text="Whether only what changed was asked for.")
    since = serializers.DateTimeField(allow_null=True, help_text="It reads what changed since; null: every row.")
    whole_because = serializers.CharField(help_text="Why every row was read although a catch-up was asked for.")
    standing = serializers.BooleanField(help_text="Nobody asked for it: catching up by itself did.")
    spec = serializers.CharField(help_text="Names the mapping exactly: entity, version, digest.")
    source_total = serializers.IntegerField(allow_null=True, min_value=0, help_text="Rows in legacy, as last counted.")
    read = serializers.IntegerField(min_value=0, help_text="Rows that were read so far.")
    changed = serializers.IntegerField(min_value=0, help_text="Rows of the new platform that it wrote.")
    removed = serializers.IntegerField(min_value=0, help_text="Objects of the new platform that it removed.")
    held = serializers.IntegerField(min_value=0, help_text="Objects that it would have removed, were they not held.")
    problem = serializers.CharField(help_text="Why it did not succeed; empty if it did.")
    requested_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class RunOutcome(Answer):
    """How many rows of legacy ended in one way."""

    fate = serializers.ChoiceField([fate.value for fate in Fate], help_text="`quarantined`: rejected.")
    rule = serializers.CharField(help_text="The rule that decided; empty where a row moved as it was.")
    count = serializers.IntegerField(min_value=0)
    because = serializers.CharField(source="words.because", help_text="Empty where its entity is not mapped any more.")
    fix = serializers.CharField(source="words.fix", help_text="What to do; empty where there is nothing to do.")


class RunProgress(Answer):
    """Where the rows of a run ended, and how it gets on."""

    outcomes = RunOutcome(many=True, help_text="Once it is conserved, they add up to `source_total`.")
    seconds_left = serializers.FloatField(
        allow_null=True, min_value=0, help_text="Null where nobody can tell, and once it is over."
    )
    is_stuck = serializers.BooleanField(help_text="Whether nothing moves it any more: resume it.")
    trouble = serializers.CharField(help_text="What went wrong at its last attempt, while it is not over.")


class RunDetails(RunSummary, RunProgress):
    """A run, and where its rows ended."""

    example = {
        **RunSummary.example,
        "outcomes": [
            {
                "fate": "migrated",
                "rule": "",
                "count": 54_080,
                "because": "The row satisfies every rule and moved without a change of meaning.",
                "fix": "",
            }
        ],
        "seconds_left": None,
        "is_stuck": False,
        "trouble": "",
    }


class StartRuns(Body):
    """What moves."""

    example = {"entities": ["flights"], "catch_up": False}

    entities = serializers.ListField(
        child=Text(max_length=60),
        required=False,
        min_length=1,
        max_length=_MOST_ENTITIES,
        help_text="Their names in the mapping; all of it where this is left out.",
    )
    catch_up = serializers.BooleanField(
        default=False, help_text="Only what changed in legacy since the last run that accounted for every row."
    )


class StartedRuns(Answer):
    """The runs that were started, in the order in which they move."""

    example = {"runs": [RunSummary.example], "left_out": ""}

    runs = RunSummary(many=True)
    left_out = serializers.CharField(help_text="What a full run of everything left to runs under way; else empty.")


class Runs(ApiView):
    """The tenant's runs."""

    scopes = {"GET": "runs:read", "POST": "runs:manage"}
    parameters = PAGING

    @operation(
        "list_runs", tag=TAG, answer=RunSummary, paged=True, summary="List runs, newest first",
        described="Each is of one kind of object. Catching up by itself leaves a run only where something changed.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List the runs."""
        fetch, key = keyset(listed.history(tenant_id=self.tenant_id), at="requested_at")
        return self.page("runs", RunSummary, fetch=fetch, key=key)

    @operation(
        "start_runs", tag=TAG, body=StartRuns, answer=StartedRuns, status=202, summary="Start runs",
        described="One for each kind of object, each after those that it needs. What a run under way moves is left to "
        "that run, and so is what cannot be caught up; it is refused where nothing is left. Poll each by its id.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Start runs."""
        wanted = self.read(StartRuns)
        entities, catch_up = wanted.get("entities"), wanted["catch_up"]
        begun = runs.start(tenant_id=self.tenant_id, by=self.actor, at=self.at, entities=entities, catch_up=catch_up)
        whole = entities is None and not catch_up
        left = listed.left_out(tenant_id=self.tenant_id, begun=begun) if whole else ""
        told = StartedRuns({"runs": begun, "left_out": left}).data
        return Response(told, status=202, headers={"Location": reverse("api:runs")})


class RunView(ApiView):
    """What answers about one run."""

    def find(self, run_id: UUID) -> Run:
        """Return a run of the tenant."""
        run = listed.find(tenant_id=self.tenant_id, run_id=run_id)
        if run is None:
            raise Problem("not-found", "There is no such run.", "The list of runs has their ids.")
        return run

    def tell(self, run: Run) -> Response:
        """Answer with all that is known of a run."""
        return Response({**RunSummary(run).data, **RunProgress(listed.told(run, at=self.at)).data})

    def steer(self, run_id: UUID, use_case: Callable[..., Run]) -> Response:
        """Do something to a run, and answer with what it is then."""
        self.read(NoBody)
        return self.tell(use_case(run=self.find(run_id), by=self.actor, at=self.at))


class OneRun(RunView):
    """One run."""

    scopes = {"GET": "runs:read"}

    @operation("get_run", tag=TAG, answer=RunDetails, parameters=_ID, summary="Read where a run stands")
    def get(self, request: Request, run_id: UUID) -> Response:
        """Return one run."""
        return self.tell(self.find(run_id))


class Pause(RunView):
    """Pausing a run."""

    scopes = {"POST": "runs:manage"}

    @operation(
        "pause_run", tag=TAG, body=NoBody, answer=RunDetails, parameters=_ID, summary="Pause a run",
        described="It stops after the batch it is at and keeps its place. A paused run stays paused.",
    )  # fmt: skip
    def post(self, request: Request, run_id: UUID) -> Response:
        """Pause it."""
        return self.steer(run_id, runs.pause)


class Resume(RunView):
    """Letting a run go on."""

    scopes = {"POST": "runs:manage"}

    @operation(
        "resume_run", tag=TAG, body=NoBody, answer=RunDetails, parameters=_ID, summary="Let a run go on",
        described="Where it stands: a paused one, or one that is stuck. One that moves goes on as it does.",
    )  # fmt: skip
    def post(self, request: Request, run_id: UUID) -> Response:
        """Let it go on."""
        return self.steer(run_id, runs.resume)


class End(RunView):
    """Ending a run early."""

    scopes = {"POST": "runs:manage"}

    @operation(
        "end_run", tag=TAG, body=NoBody, answer=RunDetails, parameters=_ID, summary="End a run early",
        described="After the batch it is at, for good. What has moved stays; the next run begins anew.",
    )  # fmt: skip
    def post(self, request: Request, run_id: UUID) -> Response:
        """End it."""
        return self.steer(run_id, runs.cancel)


class TryAgain(RunView):
    """Trying the rejected rows of a run again."""

    scopes = {"POST": "runs:manage"}

    @operation(
        "retry_run", tag=TAG, body=NoBody, answer=RunDetails, parameters=_ID, summary="Try rejected rows again",
        described="The rejected rows of a run that has ended are judged again, as they stand in legacy now and by the "
        "mapping of now. No other row is touched.",
    )  # fmt: skip
    def post(self, request: Request, run_id: UUID) -> Response:
        """Try them again."""
        return self.steer(run_id, retries.request)


urlpatterns = [
    path("runs", Runs.as_view(), name="runs"),
    path("runs/<uuid:run_id>", OneRun.as_view(), name="run"),
    path("runs/<uuid:run_id>/pause", Pause.as_view(), name="pause_run"),
    path("runs/<uuid:run_id>/resume", Resume.as_view(), name="resume_run"),
    path("runs/<uuid:run_id>/end", End.as_view(), name="end_run"),
    path("runs/<uuid:run_id>/retry", TryAgain.as_view(), name="retry_run"),
]
