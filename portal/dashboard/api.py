"""The API of readiness, and of the jobs that any endpoint starts."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import queue, readiness
from core.api import PAGING, Answer, ApiView, Body, Cursor, Flaw, Problem, Text, item_id, operation
from core.findings import Outcome
from core.permissions import Permission
from core.queue import JobState, JobView
from core.readiness import CHECKS, GATES, OWNERS, Line, Standing
from core.tokens import SCOPES, TokenScope
from portal.dashboard.queries import jobs

for _scope in (
    TokenScope("readiness:read", "Read what the checks found", Permission.VIEW_TENANT),
    TokenScope("readiness:run", "Run the checks", Permission.RUN_CHECKS),
    TokenScope("jobs:read", "Read how jobs progress", Permission.VIEW_RUNS),
):
    SCOPES.add(_scope.name, _scope)

READINESS, JOBS = "Readiness", "Jobs"
_CHECK_ID = OpenApiParameter("check_id", OpenApiTypes.STR, OpenApiParameter.PATH, description="Id of a check.")
_GATE = OpenApiParameter("name", OpenApiTypes.STR, OpenApiParameter.PATH, description="`preflight` or `go_no_go`.")


class CheckResult(Answer):
    """One check, what it last found, and what that means now."""

    example = {
        "id": "accounts.domain_verified",
        "title": "Your domain is proven",
        "owner": "customer",
        "due": "T-30",
        "gates": ["go_no_go", "preflight"],
        "standing": "blocked",
        "blocks": True,
        "outcome": "block",
        "summary": "No domain of yours is proven yet",
        "fix": "Publish the record on the domains page, then check it.",
        "facts": {"domains": []},
        "evidence": {},
        "evaluated_at": "2026-11-26T05:00:00Z",
        "expires_at": "2026-11-27T05:00:00Z",
        "excepted_until": None,
    }

    id = serializers.CharField(source="check.id")
    title = serializers.CharField(source="check.title")
    owner = serializers.ChoiceField(sorted(OWNERS), source="check.owner", help_text="Whose turn it is if it blocks.")
    due = serializers.CharField(source="check.due", help_text="Day relative to the cutover, such as `T-30`.")
    gates = serializers.SerializerMethodField()
    standing = serializers.ChoiceField([each.value for each in Standing], help_text="What it means now.")
    blocks = serializers.BooleanField(help_text="Whether it keeps its gates shut.")
    outcome = serializers.ChoiceField([each.value for each in Outcome], source="answer.outcome", allow_null=True)
    summary = serializers.CharField(source="answer.finding.summary", allow_null=True)
    fix = serializers.CharField(source="answer.finding.fix", allow_null=True)
    facts = serializers.SerializerMethodField(help_text="The facts that an approval stands on.")
    evidence = serializers.SerializerMethodField(help_text="What else was found.")
    evaluated_at = serializers.DateTimeField(source="answer.evaluated_at", allow_null=True)
    expires_at = serializers.DateTimeField(source="answer.expires_at", allow_null=True)
    excepted_until = serializers.DateTimeField(source="cover.expires_at", allow_null=True)

    def get_gates(self, line: Line) -> list[str]:
        """Return the gates that it can shut."""
        return sorted(line.check.gates)

    def get_facts(self, line: Line) -> dict[str, Any]:
        """Return the material facts."""
        return dict(line.answer.finding.facts) if line.answer else {}

    def get_evidence(self, line: Line) -> dict[str, Any]:
        """Return the other findings."""
        return dict(line.answer.finding.evidence) if line.answer else {}


class GateResult(Answer):
    """A gate at this moment."""

    example = {
        "name": "go_no_go",
        "open": False,
        "open_until": None,
        "at": "2026-11-26T05:00:00Z",
        "blocking": ["accounts.domain_verified"],
    }

    name = serializers.CharField()
    open = serializers.BooleanField()
    open_until = serializers.DateTimeField(allow_null=True, help_text="When the first answer it stands on expires.")
    at = serializers.DateTimeField(help_text="The moment.")
    blocking = serializers.SerializerMethodField(help_text="Ids of the checks that keep it shut.")

    def get_blocking(self, gate: readiness.GateState) -> list[str]:
        """Return what keeps it shut."""
        return [line.check_id for line in gate.blocking]


class RunChecks(Body):
    """Which checks to run."""

    example = {"check_id": "accounts.domain_verified"}

    check_id = Text(required=False, max_length=100, help_text="One check; without it every check is run.")


class JobProgress(Answer):
    """A piece of work and how far it is."""

    example = {
        "id": "5f0c2f6e-6f57-4a0c-9c58-0d8e0f7f3a11",
        "title": "Preflight checks",
        "state": "running",
        "is_over": False,
        "done": 3,
        "total": 8,
        "message": "Both platforms hold the same records",
        "problem": "",
        "created_at": "2026-11-26T05:00:00Z",
        "started_at": "2026-11-26T05:00:01Z",
        "finished_at": None,
    }

    id = serializers.UUIDField()
    title = serializers.SerializerMethodField()
    state = serializers.ChoiceField([each.value for each in JobState])
    is_over = serializers.BooleanField(help_text="Whether asking again is of no use.")
    done = serializers.IntegerField(source="progress.done", min_value=0)
    total = serializers.IntegerField(source="progress.total", min_value=0, allow_null=True)
    message = serializers.CharField(help_text="What it is doing.")
    problem = serializers.CharField(help_text="Why the last attempt failed; empty if none did.")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_title(self, job: JobView) -> str:
        """Return what the work is called on screens."""
        return jobs.TITLES[job.task]


class Checks(ApiView):
    """The tenant's checks."""

    scopes = {"GET": "readiness:read"}
    parameters = PAGING

    @operation(
        "list_checks", tag=READINESS, answer=CheckResult, paged=True, summary="List every check with its latest finding"
    )
    def get(self, request: Request) -> Response:
        """List the checks by id."""
        lines = readiness.overview(tenant_id=self.tenant_id, at=self.at)

        def fetch(after: Cursor, count: int) -> Sequence[Line]:
            return [line for line in lines if after is None or line.check_id > after[0]][:count]

        return self.page("checks", CheckResult, fetch=fetch, key=lambda line: [line.check_id])


class Check(ApiView):
    """One check."""

    scopes = {"GET": "readiness:read"}

    @operation(
        "get_check",
        tag=READINESS,
        answer=CheckResult,
        parameters=(_CHECK_ID,),
        summary="Read one check's latest finding",
    )
    def get(self, request: Request, check_id: str) -> Response:
        """Return one check."""
        if check_id not in CHECKS:
            raise Problem("not-found", "There is no such check.")
        lines = readiness.overview(tenant_id=self.tenant_id, at=self.at)
        return Response(CheckResult(next(line for line in lines if line.check_id == check_id)).data)


class Gate(ApiView):
    """A gate's state."""

    scopes = {"GET": "readiness:read"}

    @operation("get_gate", tag=READINESS, answer=GateResult, parameters=(_GATE,), summary="Read whether a gate is open")
    def get(self, request: Request, name: str) -> Response:
        """Return the gate's state now."""
        if name not in GATES:
            raise Problem("not-found", "There is no such gate.")
        return Response(GateResult(readiness.gate(tenant_id=self.tenant_id, name=name, at=self.at)).data)


class Runs(ApiView):
    """Running checks."""

    scopes = {"POST": "readiness:run"}

    @operation(
        "run_checks", tag=READINESS, body=RunChecks, answer=JobProgress, status=202, summary="Run one check, or all",
        described="Starts a job and answers with it; poll the address in `Location` until `is_over`.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Start the checks."""
        check_id = self.read(RunChecks).get("check_id")
        if check_id is not None and check_id not in CHECKS:
            flaw = Flaw("There is no such check.", pointer="#/check_id")
            raise Problem("refused", flaw.detail, "The list of checks has their ids.", errors=[flaw])
        return started(readiness.request(tenant_id=self.tenant_id, by=self.actor, check_id=check_id))


class Jobs(ApiView):
    """The tenant's jobs."""

    scopes = {"GET": "jobs:read"}
    parameters = PAGING

    @operation("list_jobs", tag=JOBS, answer=JobProgress, paged=True, summary="List jobs, newest first")
    def get(self, request: Request) -> Response:
        """List the jobs."""

        def fetch(after: Cursor, count: int) -> Sequence[JobView]:
            before = UUID(after[0]) if after else None
            return jobs.watched(tenant_id=self.tenant_id, before=before, limit=count)

        return self.page("jobs", JobProgress, fetch=fetch, key=lambda job: [str(job.id)])


class Job(ApiView):
    """One job."""

    scopes = {"GET": "jobs:read"}

    @operation(
        "get_job", tag=JOBS, answer=JobProgress, parameters=(item_id("job_id", "Id of a job."),),
        summary="Read how far a job is",
    )  # fmt: skip
    def get(self, request: Request, job_id: UUID) -> Response:
        """Return one job."""
        found = jobs.find(tenant_id=self.tenant_id, job_id=job_id)
        if found is None:
            raise Problem("not-found", "There is no such job.")
        return Response(JobProgress(found).data)


def started(job_id: UUID) -> Response:
    """Answer that a job was taken on, and where it tells its progress."""
    job = queue.job(job_id)
    assert job is not None
    return Response(JobProgress(job).data, status=202, headers={"Location": reverse("api:job", args=[job_id])})


urlpatterns = [
    path("readiness/checks", Checks.as_view(), name="checks"),
    path("readiness/checks/<str:check_id>", Check.as_view(), name="check"),
    path("readiness/gates/<str:name>", Gate.as_view(), name="gate"),
    path("readiness/runs", Runs.as_view(), name="run_checks"),
    path("jobs", Jobs.as_view(), name="jobs"),
    path("jobs/<uuid:job_id>", Job.as_view(), name="job"),
]
