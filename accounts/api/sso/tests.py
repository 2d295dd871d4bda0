"""The API of test sign-ins: start one, read how it ended and why, hand the result on."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.sso.connection import TAG
from accounts.domain import sharing
from accounts.domain.verdicts import TITLES, Code, Verdict
from accounts.models import SsoTest
from accounts.queries import sso as known
from accounts.services import sso_tests
from core.api import PAGING, Answer, ApiView, Body, Problem, file_of, item_id, keyset, operation

_ID = (item_id("test_id", "Id of a test."),)
_VERDICTS = [verdict.value for verdict in Verdict]


class SsoCheck(Answer):
    """One check of a test's response."""

    code = serializers.ChoiceField([code.value for code in Code])
    title = serializers.CharField()
    verdict = serializers.ChoiceField(_VERDICTS)


class SsoDiagnosedCheck(SsoCheck):
    """One check with what it found; what may speak of a person is left out, and stands on the test's page."""

    expected = serializers.CharField()
    got = serializers.CharField()
    fix = serializers.CharField(help_text="What to do; empty where nothing is.")
    is_trusted = serializers.BooleanField(help_text="Whether what it looked at is signed by the provider.")


class SsoTestResult(Answer):
    """A test sign-in. What the provider said of a person stands on its page, not here."""

    example = {
        "id": "6c1d8a0e-2f64-4c39-8b1c-2f6d7e9a0b12",
        "outcome": "failed",
        "is_current": True,
        "is_second_address": False,
        "started_at": "2026-11-26T05:00:00Z",
        "expires_at": "2026-11-26T05:10:00Z",
        "answered_at": "2026-11-26T05:00:20Z",
        "checks": [{"code": "audience", "title": "It is meant for us", "verdict": "fail"}],
    }

    id = serializers.UUIDField()
    outcome = serializers.SerializerMethodField()
    is_current = serializers.SerializerMethodField()
    is_second_address = serializers.BooleanField(source="is_failover")
    started_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="Until when it can be answered.")
    answered_at = serializers.DateTimeField(allow_null=True)
    checks = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField(["passed", "failed"], allow_null=True))
    def get_outcome(self, test: SsoTest) -> str | None:
        """How it ended; null until something came back."""
        return test.outcome or None

    def get_is_current(self, test: SsoTest) -> bool:
        """Whether the connection is still the one that was tested."""
        return test.fingerprint == test.connection.fingerprint

    @extend_schema_field(SsoCheck(many=True))
    def get_checks(self, test: SsoTest) -> list[dict[str, Any]]:
        """Every check of the response, in the order of reading."""
        ordered = [code for code in Code if code.value in test.verdicts]
        found = [{"code": code.value, "title": TITLES[code], "verdict": test.verdicts[code.value]} for code in ordered]
        return list(SsoCheck(found, many=True).data)


class SsoDiagnosis(SsoTestResult):
    """A test sign-in with what every check expected and got, and what to do."""

    example = {
        **SsoTestResult.example,
        "checks": [
            {
                "code": "audience",
                "title": "It is meant for us",
                "verdict": "fail",
                "expected": "https://crossing.example/sso/org_2c1f…/metadata/",
                "got": "https://crossing.example/sso/org_2c1f…/metadata",
                "fix": "Enter our entity ID at your provider as the audience, exactly as it stands.",
                "is_trusted": True,
            }
        ],
    }

    @extend_schema_field(SsoDiagnosedCheck(many=True))
    def get_checks(self, test: SsoTest) -> list[dict[str, Any]]:
        """Every check of the response, in the order of reading; after a week without details."""
        found = map(sharing.shareable, known.opened(test).checks) if test.answered_at else ()
        order = list(Code)
        return list(SsoDiagnosedCheck(sorted(found, key=lambda check: order.index(check.code)), many=True).data)


class StartedTest(SsoTestResult):
    """A test that has begun."""

    example = {
        **SsoTestResult.example,
        "outcome": None,
        "answered_at": None,
        "checks": [],
        "continue_at": "https://idp.airline.example/saml/sso?SAMLRequest=…",
    }

    continue_at = serializers.CharField(
        source="leaves_for",
        help_text="Open it in a browser within ten minutes and sign in at your provider: it leads back to us, and "
        "signs nobody in here. In this answer alone.",
    )


class StartTest(Body):
    """Which of our addresses is tested."""

    example = {"second_address": False}

    second_address = serializers.BooleanField(default=False, help_text="True: our second one, where there is one.")


class Tests(ApiView):
    """The tenant's test sign-ins."""

    scopes = {"GET": "sso:read", "POST": "sso:write"}
    parameters = PAGING

    @operation("list_sso_tests", tag=TAG, answer=SsoTestResult, paged=True, summary="List test sign-ins, newest first")
    def get(self, request: Request) -> Response:
        """List the tests."""
        rows = known.tests(tenant_id=self.tenant_id).select_related("connection")
        fetch, key = keyset(rows, at="started_at")
        return self.page("sso_tests", SsoTestResult, fetch=fetch, key=key)

    @operation(
        "start_sso_test", tag=TAG, answer=StartedTest, status=201, body=StartTest, summary="Start a test sign-in",
        described="A person goes on with it in a browser, because your provider wants to see one; it signs nobody in. "
        "Ask for the test again until `outcome` says how it ended.",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Start a test."""
        failover = self.read(StartTest)["second_address"]
        test = sso_tests.start(tenant_id=self.tenant_id, by=self.actor, at=self.at, failover=failover)
        headers = {"Location": reverse("api:sso_test", args=[test.pk])}
        return Response(StartedTest(test).data, status=201, headers=headers)


class OneTest(ApiView):
    """One test sign-in."""

    scopes = {"GET": "sso:read"}

    @operation(
        "get_sso_test", tag=TAG, answer=SsoDiagnosis, parameters=_ID, summary="Read how a test sign-in ended, and why"
    )
    def get(self, request: Request, test_id: UUID) -> Response:
        """Return one test."""
        return Response(SsoDiagnosis(_find(self.tenant_id, test_id)).data)


class Report(ApiView):
    """One test sign-in as a text."""

    scopes = {"GET": "sso:read"}
    renderer_classes = file_of("text/plain")

    @operation(
        "get_sso_test_report", tag=TAG, answer=OpenApiTypes.STR, media_type="text/plain", parameters=_ID,
        summary="Take a test's result as a text to hand on", refuses=(409,),
        described="For whoever looks after your provider, or for our support: nothing in it speaks of a person. 409 "
        "until something came back.",
    )  # fmt: skip
    def get(self, request: Request, test_id: UUID) -> HttpResponse:
        """Return the text."""
        test = _find(self.tenant_id, test_id)
        if test.answered_at is None:
            raise Problem("conflict", "Nothing came back for this test yet.", "Ask again once its outcome is told.")
        return HttpResponse(known.report(test), content_type="text/plain; charset=utf-8")


def _find(tenant_id: UUID, test_id: UUID) -> SsoTest:
    found = known.tests(tenant_id=tenant_id).select_related("connection").filter(pk=test_id).first()
    if found is None:
        raise Problem("not-found", "There is no such test.")
    return found


urlpatterns = [
    path("sso/tests", Tests.as_view(), name="sso_tests"),
    path("sso/tests/<uuid:test_id>", OneTest.as_view(), name="sso_test"),
    path("sso/tests/<uuid:test_id>/report", Report.as_view(), name="sso_test_report"),
]
