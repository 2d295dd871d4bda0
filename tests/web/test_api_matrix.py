"""Who may do what at every address of the API: scope × endpoint × method, written by hand.

A new endpoint fails `test_every_endpoint_is_in_the_matrix` until somebody has written down which scope it needs.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from core.models import Token
from core.permissions import TenantRole
from core.tokens import SCOPES
from tests import addresses, api, make
from tests.worlds import World

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
ROLES = (TenantRole.OWNER, TenantRole.ADMIN, TenantRole.AUDITOR, TenantRole.MEMBER)


@dataclass(frozen=True)
class Row:
    """One method of one endpoint: the scope it needs, the role its issuer must still have, and what it then answers."""

    name: str
    method: str
    scope: str
    roles: tuple[TenantRole, ...]
    status: int = 200
    ids: dict[str, str] = field(default_factory=dict)
    """What stands in the address: the name of an id of the world, or `=` and the text itself."""
    body: Any = None

    @property
    def label(self) -> str:
        return f"{self.method} {self.name}"

    def address(self, world: World) -> str:
        ids = {name: id_[1:] if id_[:1] == "=" else world.ids[id_] for name, id_ in self.ids.items()}
        return reverse(self.name, kwargs=ids)


READERS, MANAGERS = ROLES[:3], ROLES[:2]

TABLE = (
    Row("api:domains", "GET", "domains:read", ROLES),
    Row("api:domains", "POST", "domains:write", MANAGERS, 201, body={"name": "new.example"}),
    Row("api:domain", "GET", "domains:read", ROLES, ids={"domain_id": "domain_id"}),
    Row("api:domain", "DELETE", "domains:write", MANAGERS, 204, ids={"domain_id": "domain_id"}),
    Row("api:check_domain", "POST", "domains:write", MANAGERS, ids={"domain_id": "domain_id"}),
    Row("api:domain_method", "PUT", "domains:write", MANAGERS, ids={"domain_id": "domain_id"}, body={"method": "file"}),
    Row("api:renew_domain_token", "POST", "domains:write", MANAGERS, ids={"domain_id": "domain_id"}),
    Row(
        "api:domain_transfer",
        "POST",
        "domains:write",
        MANAGERS,
        422,  # no other account holds it
        ids={"domain_id": "domain_id"},
        body={"reason": "We bought it."},
    ),
    Row("api:domain_transfer", "DELETE", "domains:write", MANAGERS, 404, ids={"domain_id": "domain_id"}),
    Row("api:domain_links", "GET", "domains:read", ROLES, ids={"domain_id": "domain_id"}),
    Row("api:domain_links", "POST", "domains:write", MANAGERS, 201, ids={"domain_id": "domain_id"}),
    Row("api:domain_link", "DELETE", "domains:write", MANAGERS, 204, ids={"link_id": "link_id"}),
    Row("api:people_map", "GET", "people:read", READERS),
    Row("api:people_map", "POST", "people:write", MANAGERS, 202),
    Row("api:people", "GET", "people:read", READERS),
    Row("api:person", "GET", "people:read", READERS, ids={"person_id": "person_id"}),
    Row(
        "api:decide_about_person",
        "POST",
        "people:write",
        MANAGERS,
        201,
        ids={"person_id": "person_id"},
        body={"kind": "apart", "reason": "As agreed"},
    ),
    Row("api:people_decisions", "GET", "people:read", READERS),
    Row("api:people_decision", "GET", "people:read", READERS, ids={"decision_id": "decision_id"}),
    Row("api:undo_people_decision", "POST", "people:write", MANAGERS, ids={"decision_id": "decision_id"}),
    Row("api:access_reviews", "GET", "access:read", READERS),
    Row("api:access_review", "GET", "access:read", READERS, ids={"review_id": "review_id"}),
    Row("api:access_lines", "GET", "access:read", READERS, ids={"review_id": "review_id"}),
    Row("api:access_file", "GET", "access:read", READERS, ids={"review_id": "review_id"}),
    Row("api:provisioning", "GET", "provisioning:read", READERS),
    Row("api:provisioning_calls", "GET", "provisioning:read", READERS),
    Row("api:directory_tokens", "GET", "provisioning:read", READERS),
    Row("api:directory_tokens", "POST", "provisioning:tokens", MANAGERS, 201, body={"name": "Directory"}),
    Row("api:rotate_directory_token", "POST", "provisioning:tokens", MANAGERS, 201, ids={"token_id": "scim_token_id"}),
    Row("api:directory_token", "DELETE", "provisioning:tokens", MANAGERS, 204, ids={"token_id": "scim_token_id"}),
    Row("api:members", "GET", "members:read", READERS),
    Row("api:member", "GET", "members:read", READERS, ids={"member_id": "member_id"}),
    Row("api:sso", "GET", "sso:read", ROLES),
    Row("api:sso", "PUT", "sso:write", MANAGERS),
    # People of this world sign in by their provider, so what it is believed is no token's to change: 422.
    Row("api:sso_metadata", "PUT", "sso:write", MANAGERS, 422, body={"document": "<a/>"}),
    Row("api:sso_metadata", "DELETE", "sso:write", MANAGERS, 204),
    Row("api:sso_metadata_address", "PUT", "sso:write", MANAGERS, 422, body={"url": "https://idp.example/"}),
    Row("api:sso_metadata_address", "DELETE", "sso:write", MANAGERS, 204),
    Row("api:read_sso_metadata", "POST", "sso:write", MANAGERS, 404),  # no address is followed
    Row("api:sso_certificates", "POST", "sso:write", MANAGERS, 422, body={"certificate": "MIIC"}),
    Row(
        "api:sso_certificate", "DELETE", "sso:write", MANAGERS, 422, ids={"certificate_id": "certificate_id"}
    ),  # the last one
    Row("api:sso_mapping", "GET", "sso:read", ROLES),
    Row("api:sso_mapping", "PUT", "sso:write", MANAGERS, 422, body={"email": "mail"}),
    Row("api:sso_tests", "GET", "sso:read", ROLES),
    Row("api:sso_tests", "POST", "sso:write", MANAGERS, 201),
    Row("api:sso_test", "GET", "sso:read", ROLES, ids={"test_id": "test_id"}),
    Row("api:sso_test_report", "GET", "sso:read", ROLES, ids={"test_id": "test_id"}),
    Row("api:company_sign_in", "GET", "sso:read", ROLES),
    Row("api:cutbacks", "GET", "sso:read", ROLES),
    Row("api:forecast", "GET", "forecast:read", MANAGERS),
    Row("api:sign_ins", "GET", "sign_ins:read", READERS),
    Row("api:waiting_links", "GET", "sign_ins:read", READERS),
    Row("api:approve_links", "POST", "links:approve", MANAGERS, body={"links": ["waiting_id"]}),
    Row("api:reject_links", "POST", "links:withdraw", MANAGERS, body={"links": ["waiting_id"]}),
    Row("api:rejected_links", "GET", "sign_ins:read", READERS),
    Row("api:rejected_link", "DELETE", "links:approve", MANAGERS, 204, ids={"proposal_id": "proposal_id"}),
    Row("api:links", "GET", "sign_ins:read", READERS),
    Row("api:link", "DELETE", "links:withdraw", MANAGERS, 204, ids={"identity_id": "identity_id"}),
    Row("api:link_rules", "GET", "sign_ins:read", READERS),
    Row("api:link_rule", "DELETE", "links:withdraw", MANAGERS, 204, ids={"rule_id": "rule_id"}),
    Row("api:endpoints", "GET", "harness:read", READERS),
    Row("api:endpoint_rotation", "POST", "endpoints:rotate", MANAGERS, 201, ids={"endpoint_id": "endpoint_id"}),
    Row(
        "api:endpoint_rotation", "DELETE", "endpoints:rotate", MANAGERS, 422, ids={"endpoint_id": "endpoint_id"}
    ),  # no secret is being replaced
    Row("api:endpoint_old_secret", "DELETE", "endpoints:rotate", MANAGERS, 204, ids={"endpoint_id": "endpoint_id"}),
    Row("api:harness_runs", "GET", "harness:read", READERS),
    Row("api:harness_runs", "POST", "harness:run", MANAGERS, 202, body={"endpoint_id": "endpoint_id"}),
    Row("api:harness_run", "GET", "harness:read", READERS, ids={"harness_run_id": "harness_run_id"}),
    Row("api:entitlements", "GET", "entitlements:read", READERS),
    Row("api:parity_reports", "GET", "parity:read", READERS),
    Row("api:parity_reports", "POST", "parity:run", MANAGERS, 422),  # a run of this world is on its way
    Row("api:parity_report", "GET", "parity:read", READERS, ids={"report_id": "report_id"}),
    Row("api:parity_document", "GET", "parity:read", READERS, ids={"report_id": "report_id"}),
    Row("api:parity_pdf", "GET", "parity:read", READERS, ids={"report_id": "report_id"}),
    Row("api:parity_table", "GET", "parity:read", READERS, ids={"report_id": "report_id"}),
    Row("api:parity_workbook", "GET", "parity:read", READERS, ids={"report_id": "report_id"}),
    Row("api:parity_samples", "GET", "parity:read", READERS, ids={"report_id": "report_id"}),
    Row("api:parity_trend", "GET", "parity:read", READERS),
    Row("api:drift", "GET", "parity:read", READERS),
    Row("api:drift", "POST", "parity:run", MANAGERS, 422),  # a run of this world is on its way
    Row("api:drift_records", "GET", "parity:read", READERS),
    Row("api:reconciliations", "GET", "parity:read", READERS),
    Row("api:reconciliation", "GET", "parity:read", READERS, ids={"reconciliation_id": "reconciliation_id"}),
    Row("api:runs", "GET", "runs:read", READERS),
    Row("api:runs", "POST", "runs:manage", MANAGERS, 202),
    Row("api:run", "GET", "runs:read", READERS, ids={"run_id": "run_id"}),
    Row("api:pause_run", "POST", "runs:manage", MANAGERS, ids={"run_id": "run_id"}),
    Row("api:resume_run", "POST", "runs:manage", MANAGERS, ids={"run_id": "run_id"}),
    Row("api:end_run", "POST", "runs:manage", MANAGERS, ids={"run_id": "run_id"}),
    Row("api:retry_run", "POST", "runs:manage", MANAGERS, 422, ids={"run_id": "run_id"}),  # it has not ended
    Row("api:inspections", "GET", "runs:read", READERS),
    Row("api:inspections", "POST", "runs:manage", MANAGERS, 202),
    Row("api:inspection", "GET", "runs:read", READERS, ids={"inspection_id": "inspection_id"}),
    Row("api:fates", "POST", "runs:read", READERS, 422, body={"entity": "nothing", "key": "1"}),  # no such entity
    Row("api:mapping", "GET", "runs:read", READERS),
    Row("api:mapping_of", "GET", "runs:read", READERS, ids={"entity": "entity"}),
    Row("api:mapping_versions", "GET", "runs:read", READERS, ids={"entity": "entity"}),
    Row("api:mapping_changes", "GET", "runs:read", READERS, 422, ids={"entity": "entity"}),  # no text was kept
    Row("api:rejected_rows", "GET", "runs:read", READERS),
    Row("api:shadow_reads", "GET", "parity:read", READERS),
    Row("api:shadow_reads", "POST", "parity:run", MANAGERS, 422, body={"until": "2026-01-01T00:00:00Z", "reason": "x"}),
    Row("api:shadow_reads", "DELETE", "parity:run", MANAGERS, 204),
    Row("api:approvals", "GET", "approvals:read", READERS),
    Row("api:approval", "GET", "approvals:read", READERS, ids={"request_id": "request_id"}),
    Row("api:evidence_pack", "GET", "approvals:read", READERS, ids={"request_id": "request_id"}),
    Row("api:checks", "GET", "readiness:read", ROLES),
    Row("api:check", "GET", "readiness:read", ROLES, ids={"check_id": "check_id"}),
    Row("api:gate", "GET", "readiness:read", ROLES, ids={"name": "=go_no_go"}),
    Row("api:run_checks", "POST", "readiness:run", MANAGERS, 202),
    Row("api:jobs", "GET", "jobs:read", READERS),
    Row("api:job", "GET", "jobs:read", READERS, ids={"job_id": "job_id"}),
)
OPEN = {"api:description": "the description itself", "api:no_such_address": "says that there is nothing"}


@pytest.fixture
def world(standing_world: World, db: None, settings: Any) -> World:
    settings.API_QUOTA = 10_000
    return standing_world


def status(world: World, row: Row, secret: str | None, *, method: str = "") -> int:
    """Call an endpoint, take back what it did, and return its status; every refusal keeps the contract."""
    before = transaction.savepoint()
    try:
        method = method or row.method
        body = {name: _filled(world, value) for name, value in row.body.items()} if row.body else None
        response = api.call(method, row.address(world), secret=secret, body=body if method == row.method else None)
    finally:
        transaction.savepoint_rollback(before)
    if response.status_code >= 400:
        api.problem(response)
    assert "RateLimit-Policy" in response.headers
    assert "RateLimit" in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    assert not response.cookies
    return response.status_code


def _filled(world: World, value: Any) -> Any:
    return [_filled(world, each) for each in value] if isinstance(value, list) else world.ids.get(value, value)


def test_every_endpoint_is_in_the_matrix() -> None:
    written = {(row.name, row.method, row.scope) for row in TABLE}
    found = {
        (address.name, method, scope)
        for address in addresses.every()
        if address.name.startswith("api:") and address.name not in OPEN
        for method, scope in address.view.view_class.scopes.items()
    }
    assert found == written


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.label)
def test_an_endpoint_answers_only_a_token_with_its_scope(world: World, row: Row) -> None:
    owner = world.case.owner
    others = [scope for scope in SCOPES if scope != row.scope]
    assert status(world, row, api.token(owner, row.scope)) == row.status
    assert status(world, row, api.token(owner, *others)) == 403
    for nobody in (None, "", "crossing_", "nonsense", api.token(owner, row.scope) + "x"):
        assert status(world, row, nobody) == 401


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.label)
def test_a_token_falls_with_its_issuers_role_membership_and_its_own_end(world: World, row: Row) -> None:
    admin = make.member(world.case.owner.tenant, TenantRole.ADMIN)
    secret = api.token(admin, row.scope)
    with make.arranging():
        member, token = Member.objects.filter(pk=admin.pk), Token.objects.filter(prefix=secret[:17])
        for role in ROLES:
            member.update(role=role)
            assert status(world, row, secret) == (row.status if role in row.roles else 403), role
        member.update(role=TenantRole.ADMIN, deactivated_at=timezone.now(), deactivated_by=admin.user_id)
        assert status(world, row, secret) == 401
        member.update(deactivated_at=None, deactivated_by=None)
        token.update(revoked_at=timezone.now(), revoked_by=admin.user_id)
        assert status(world, row, secret) == 401
        token.update(revoked_at=None, revoked_by=None, created_at=timezone.now() - timedelta(days=2))
        token.update(expires_at=timezone.now() - timedelta(days=1))
        assert status(world, row, secret) == 401


@pytest.mark.parametrize("name", sorted({row.name for row in TABLE}))
def test_an_address_refuses_every_other_method(world: World, name: str) -> None:
    rows = [row for row in TABLE if row.name == name]
    served = {row.method for row in rows}
    secret = api.token(world.case.owner)
    for method in METHODS:
        if method not in served:
            assert status(world, rows[0], secret, method=method) == 405, method


@pytest.mark.parametrize(
    "row",
    [row for row in TABLE if row.ids and not {"check_id", "entity", "=go_no_go"} & set(row.ids.values())],
    ids=lambda row: row.label,
)
def test_another_tenants_token_finds_nothing_by_our_ids(world: World, row: Row) -> None:
    with make.arranging():
        theirs = Member.objects.select_related("tenant", "user").get(user=world.people["other_owner"])
    assert status(world, row, api.token(theirs)) == 404
