"""The API of single sign-on: the connection, and how its tests ended; connecting needs a person."""

from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.domain.certificates import Source
from accounts.domain.verdicts import TITLES, Code, Verdict
from accounts.models import SsoCertificate, SsoConnection, SsoSource, SsoTest
from accounts.queries import sso
from core.api import PAGING, Answer, ApiView, Problem, item_id, keyset, operation
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope

SCOPES.add("sso:read", TokenScope("sso:read", "Read the sign-in connection and its tests", Permission.VIEW_TENANT))

TAG = "Single sign-on"


class SigningCertificate(Answer):
    """A certificate by which the provider may sign."""

    fingerprint = serializers.CharField(help_text="SHA-256.")
    subject = serializers.CharField()
    not_before = serializers.DateTimeField(help_text="From when on it is valid.")
    not_after = serializers.DateTimeField(help_text="Until when it is valid.")
    origin = serializers.ChoiceField([each.value for each in Source], source="source", help_text="Where it came from.")
    signed_at = serializers.DateTimeField(allow_null=True, help_text="When an answer was last signed with it.")
    is_listed = serializers.SerializerMethodField()

    def get_is_listed(self, certificate: SsoCertificate) -> bool:
        """Whether the provider's metadata listed it when they were last read; true of one that was added by hand."""
        return not certificate.missed


class MetadataAddress(Answer):
    """Where the provider's metadata are read from every day."""

    url = serializers.CharField()
    read_at = serializers.DateTimeField(help_text="When they were last read and understood.")
    due_at = serializers.DateTimeField(help_text="When they are read next.")
    problem = serializers.CharField(help_text="Why the last reading failed; empty if it did not.")
    waits = serializers.SerializerMethodField()

    def get_waits(self, source: SsoSource) -> bool:
        """Whether another provider or sign-in address in them waits for a person's yes."""
        return source.proposal is not None


class SsoState(Answer):
    """How the account's people will sign in."""

    example = {
        "state": "connected",
        "entity_id": "https://idp.airline.example/saml",
        "sign_in_address": "https://idp.airline.example/saml/sso",
        "certificates": [
            {
                "fingerprint": "9F86D081884C7D65…",
                "subject": "CN=idp.airline.example",
                "not_before": "2026-01-01T00:00:00Z",
                "not_after": "2028-01-01T00:00:00Z",
                "origin": "address",
                "signed_at": "2026-11-26T05:00:20Z",
                "is_listed": True,
            }
        ],
        "metadata_address": {
            "url": "https://idp.airline.example/metadata",
            "read_at": "2026-11-26T05:00:00Z",
            "due_at": "2026-11-27T05:00:00Z",
            "problem": "",
            "waits": False,
        },
        "connected_at": "2026-11-26T05:00:00Z",
    }

    state = serializers.SerializerMethodField()
    entity_id = serializers.CharField(help_text="The provider's; empty without one.")
    sign_in_address = serializers.CharField(source="sso_url", help_text="The provider's; empty without one.")
    certificates = serializers.SerializerMethodField()
    metadata_address = serializers.SerializerMethodField()
    connected_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(serializers.ChoiceField(["connected", "declined", "begun"]))
    def get_state(self, connection: SsoConnection) -> str:
        """`begun` until the provider's metadata are given; `declined` by an account that does without."""
        if connection.is_connected:
            return "connected"
        return "declined" if connection.declined_at else "begun"

    @extend_schema_field(SigningCertificate(many=True))
    def get_certificates(self, connection: SsoConnection) -> list[dict[str, Any]]:
        """Those that are trusted, the one that lasts longest first."""
        trusted = sso.certificates(connection).filter(retired_at=None)
        return list(SigningCertificate(trusted, many=True).data)

    @extend_schema_field(MetadataAddress(allow_null=True))
    def get_metadata_address(self, connection: SsoConnection) -> dict[str, Any] | None:
        """Where the metadata are read from every day; null where they were given as a file."""
        source = sso.source(tenant_id=connection.tenant_id)
        return dict(MetadataAddress(source).data) if source else None


class SsoCheck(Answer):
    """One check of a test's response."""

    code = serializers.ChoiceField([code.value for code in Code])
    title = serializers.CharField()
    verdict = serializers.ChoiceField([verdict.value for verdict in Verdict])


class SsoTestResult(Answer):
    """A test sign-in. What the provider said of a person stands on its page, not here."""

    example = {
        "id": "6c1d8a0e-2f64-4c39-8b1c-2f6d7e9a0b12",
        "outcome": "failed",
        "is_current": True,
        "started_at": "2026-11-26T05:00:00Z",
        "expires_at": "2026-11-26T05:10:00Z",
        "answered_at": "2026-11-26T05:00:20Z",
        "checks": [{"code": "audience", "title": "It is meant for us", "verdict": "fail"}],
    }

    id = serializers.UUIDField()
    outcome = serializers.SerializerMethodField()
    is_current = serializers.SerializerMethodField()
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


class Connection(ApiView):
    """The tenant's connection."""

    scopes = {"GET": "sso:read"}

    @operation(
        "get_sso", tag=TAG, answer=SsoState, summary="Read how sign-in is connected", refuses=(404,),
        described="404 for an account that has not begun with it.",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return the connection."""
        connection = sso.of_tenant(tenant_id=self.tenant_id)
        if connection is None:
            raise Problem("not-found", "Single sign-on was not begun.", "An owner or admin begins it on its page.")
        return Response(SsoState(connection).data)


class Tests(ApiView):
    """The tenant's test sign-ins."""

    scopes = {"GET": "sso:read"}
    parameters = PAGING

    @operation("list_sso_tests", tag=TAG, answer=SsoTestResult, paged=True, summary="List test sign-ins, newest first")
    def get(self, request: Request) -> Response:
        """List the tests."""
        rows = sso.tests(tenant_id=self.tenant_id).select_related("connection")
        fetch, key = keyset(rows, at="started_at")
        return self.page("sso_tests", SsoTestResult, fetch=fetch, key=key)


class OneTest(ApiView):
    """One test sign-in."""

    scopes = {"GET": "sso:read"}

    @operation(
        "get_sso_test", tag=TAG, answer=SsoTestResult, parameters=(item_id("test_id", "Id of a test."),),
        summary="Read how a test sign-in ended",
    )  # fmt: skip
    def get(self, request: Request, test_id: UUID) -> Response:
        """Return one test."""
        found = sso.tests(tenant_id=self.tenant_id).select_related("connection").filter(pk=test_id).first()
        if found is None:
            raise Problem("not-found", "There is no such test.")
        return Response(SsoTestResult(found).data)


urlpatterns = [
    path("sso", Connection.as_view(), name="sso"),
    path("sso/tests", Tests.as_view(), name="sso_tests"),
    path("sso/tests/<uuid:test_id>", OneTest.as_view(), name="sso_test"),
]
