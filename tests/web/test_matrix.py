"""Who may do what at every address: URL × method × role, written by hand.

A new route fails `test_every_route_is_in_the_matrix` until somebody has written down who may call it.
"""

from dataclasses import dataclass, field

import pytest
from django.db import transaction
from django.urls import reverse

from accounts.models import Member
from tests import addresses, make
from tests.worlds import MEMBERS, STAFF, World

pytestmark = pytest.mark.django_db

OUTSIDE = ("stranger", "other_owner")
ROLES = ("anonymous", *OUTSIDE, *MEMBERS, *STAFF)

ALL = frozenset(MEMBERS)
READERS = frozenset({"owner", "admin", "auditor"})
MANAGERS = frozenset({"owner", "admin"})
OWNERS = frozenset({"owner"})
EVERY_STAFF = frozenset(STAFF)
RUNBOOK_OWNERS = frozenset({"staff:runbook_owner"})
LEGAL = frozenset({"staff:legal_privacy_lead"})


@dataclass(frozen=True)
class Row:
    """One route: who may call it by which method, and what a caller who may gets for an otherwise empty call."""

    name: str
    who: frozenset[str]
    get: int | None = None
    post: int | None = None
    ids: tuple[str, ...] = ()
    exceptions: dict[tuple[str, str], int] = field(default_factory=dict)
    """What differs for one method and role, because the object or the person's seat decides."""


DATA_LEAD_ONLY = {("POST", role): 403 for role in STAFF if role != "staff:data_lead"}
"""The row's values are the data lead's alone to see."""
OWN_ONLY = {("GET", "member"): 404, ("POST", "member"): 404}
"""A member sees the cases they opened themselves, and this is the owner's."""

TENANT = (
    Row("dashboard:overview", ALL, get=200),
    Row("dashboard:preflight", ALL, get=200),
    Row("dashboard:run_checks", MANAGERS, post=302),
    Row("dashboard:run_check", MANAGERS, post=302, ids=("check_id",)),
    Row("dashboard:stop_checks", MANAGERS, post=302, ids=("job_id",)),
    Row("dashboard:jobs", READERS, get=200),
    Row("dashboard:activity", READERS, get=200),
    Row("dashboard:snapshot_pdf", READERS, get=200),
    Row("dashboard:snapshot_csv", READERS, get=200),
    Row("dashboard:ledger_verifier", READERS, get=200),
    Row("dashboard:export_ledger", READERS, post=200),
    Row("compliance:promises", READERS, get=200),
    Row("compliance:evidence", READERS, post=200),
    Row("compliance:attestation", READERS, get=200, ids=("attestation_id",)),
    Row("compliance:verifier", READERS, get=200),
    Row("backfills:runs", READERS, get=200),
    Row("backfills:entity", READERS, get=200, ids=("entity",)),
    Row("backfills:rejected", READERS, get=200, ids=("entity",)),
    Row("backfills:fate", READERS, get=200, post=200, ids=("entity",)),
    Row("backfills:mapping", READERS, get=200, ids=("entity",)),
    Row("backfills:mapping_changes", READERS, get=200, ids=("entity",)),
    Row("backfills:ended", READERS, get=200, ids=("entity",)),
    Row("backfills:start", MANAGERS, post=302),
    Row("backfills:standing", MANAGERS, get=200, post=422),
    Row("backfills:end_standing", MANAGERS, post=302),
    Row("backfills:inspection", READERS, get=200),
    Row("backfills:inspect", MANAGERS, post=302),
    Row("backfills:pause", MANAGERS, post=302, ids=("run_id",)),
    Row("backfills:resume", MANAGERS, post=302, ids=("run_id",)),
    Row("backfills:cancel", MANAGERS, post=302, ids=("run_id",)),
    Row("backfills:retry", MANAGERS, post=302, ids=("run_id",)),
    Row("parity_reports:history", READERS, get=200),
    Row("parity_reports:request", MANAGERS, post=302),
    Row("parity_reports:drift", READERS, get=200),
    Row("parity_reports:look", MANAGERS, post=302),
    Row("parity_reports:shadow", READERS, get=200),
    Row("parity_reports:shadow_on", MANAGERS, post=422),
    Row("parity_reports:shadow_off", MANAGERS, post=302),
    Row("parity_reports:report", READERS, get=200, ids=("report_id",)),
    Row("parity_reports:pdf", READERS, get=200, ids=("report_id",)),
    Row("parity_reports:xlsx", READERS, get=200, ids=("report_id",)),
    Row("parity_reports:csv", READERS, get=200, ids=("report_id",)),
    Row("parity_reports:json", READERS, get=200, ids=("report_id",)),
    Row("parity_reports:verifier", READERS, get=200),
    Row("parity_reports:what_changed", ALL, get=200),
    Row("parity_reports:workflow", ALL, get=200, ids=("workflow_id",)),
    *(
        Row(f"parity_reports:{name}", MANAGERS, post=status, ids=("workflow_id",))
        for name, status in (
            ("rely", 302),
            ("release", 302),
            ("confirm", 302),
            ("accept", 422),
            ("keep_old_way", 422),
            ("end_old_way", 302),
        )
    ),
    Row("parity_reports:mark_guide", ALL, post=302, ids=("guide_slug",)),
    Row("parity_reports:guide", ALL, get=200, ids=("guide_slug",)),
    Row("parity_reports:was", ALL, get=302, ids=("old",)),
    Row("integrations:overview", READERS, get=200),
    Row("integrations:read", MANAGERS, post=302),
    Row("integrations:accept", MANAGERS, post=302),
    Row("integrations:decide", MANAGERS, post=302, ids=("item_id",)),
    Row("integrations:register", MANAGERS, post=422),
    Row("integrations:run_harness", MANAGERS, post=302, ids=("endpoint_id",)),
    Row("integrations:send_test", MANAGERS, post=302, ids=("endpoint_id",)),
    Row("integrations:switch_off", MANAGERS, post=302, ids=("endpoint_id",)),
    Row("integrations:rotate_secret", MANAGERS, post=422, ids=("endpoint_id",)),
    Row("integrations:end_old_secret", MANAGERS, post=302, ids=("endpoint_id",)),
    Row("integrations:take_secret_back", MANAGERS, post=302, ids=("endpoint_id",)),
    Row("integrations:messages", READERS, get=200),
    Row("integrations:resend", MANAGERS, post=302, ids=("message_id",)),
    Row("accounts:access", READERS, get=200),
    Row("accounts:access_file", READERS, get=200, ids=("form",)),
    Row("accounts:begin_access_review", MANAGERS, post=422),
    Row("accounts:access_review", READERS, get=200, ids=("review_id",)),
    Row("accounts:access_review_file", READERS, get=200, ids=("review_id", "form")),
    Row("accounts:decide_access", MANAGERS, post=422, ids=("review_id",)),
    Row("accounts:finish_access_review", MANAGERS, post=422, ids=("review_id",)),
    Row("accounts:abandon_access_review", MANAGERS, post=422, ids=("review_id",)),
    Row("accounts:ask_to_sign_access", MANAGERS, post=422, ids=("review_id",)),
    Row("accounts:begin_signing_access", MANAGERS, post=422, ids=("review_id",)),
    Row("accounts:sign_access_review", MANAGERS, post=302, ids=("review_id",)),  # to confirm who they are first
    Row("accounts:access_review_pack", READERS, get=404, ids=("review_id",)),  # not finished
    Row("accounts:people", READERS, get=200, post=200),
    Row("accounts:map_people", MANAGERS, post=302),
    Row("accounts:person", READERS, get=200, ids=("person_id",)),
    Row("accounts:decide_person", MANAGERS, post=422, ids=("person_id",)),
    Row("accounts:people_decisions", READERS, get=200),
    Row("accounts:agree_people", MANAGERS, post=422, ids=("decision_id",)),  # it stands already
    Row("accounts:decline_people", MANAGERS, post=422, ids=("decision_id",)),
    Row("accounts:undo_people", MANAGERS, post=302, ids=("decision_id",)),
    Row("accounts:people_file", READERS, get=200),
    Row("accounts:download_people", READERS, get=200),
    Row("accounts:upload_people", MANAGERS, post=422),
    Row("accounts:tenant_link", READERS, get=200),
    Row("accounts:take_checkpoint", MANAGERS, post=422),
    Row("accounts:restore_checkpoint", MANAGERS, post=422, ids=("checkpoint_id",)),
    Row("accounts:members", READERS, get=200),
    Row("accounts:invite", MANAGERS, post=422),
    Row("accounts:change_role", MANAGERS, post=422, ids=("member_id",)),
    Row("accounts:deactivate", MANAGERS, post=302, ids=("member_id",)),
    Row("accounts:reset_second_factor", MANAGERS, post=422, ids=("member_id",)),  # they have none
    Row("accounts:resend_invitation", MANAGERS, post=302, ids=("invitation_id",)),
    Row("accounts:revoke_invitation", MANAGERS, post=302, ids=("invitation_id",)),
    Row("accounts:provisioning", READERS, get=200),
    Row("accounts:provisioning_guide", READERS, get=200, ids=("product",)),
    Row("accounts:enable_provisioning", MANAGERS, post=302),
    Row("accounts:trial_provisioning", MANAGERS, post=302),
    Row("accounts:give_group_role", MANAGERS, post=302, ids=("group_id",)),
    Row("accounts:restore_provisioned", MANAGERS, post=302, ids=("user_id",)),
    Row("accounts:domains", ALL, get=200),
    Row("accounts:domain", ALL, get=302, ids=("domain_id",)),
    Row("accounts:claim_domain", MANAGERS, post=422),
    Row("accounts:check_domain", MANAGERS, post=302, ids=("domain_id",)),
    Row("accounts:choose_domain", MANAGERS, post=302, ids=("domain_id",)),
    Row("accounts:renew_domain", MANAGERS, post=302, ids=("domain_id",)),
    Row("accounts:ask_for_domain", MANAGERS, post=302, ids=("domain_id",)),
    Row("accounts:ask_no_longer_for_domain", MANAGERS, post=404, ids=("domain_id",)),  # nobody asked for it
    Row("accounts:make_domain_link", MANAGERS, post=200, ids=("domain_id",)),
    Row("accounts:revoke_domain_link", MANAGERS, post=302, ids=("link_id",)),
    Row("accounts:release_domain", MANAGERS, post=302, ids=("domain_id",)),
    Row("integrations:tokens", MANAGERS, get=200, post=422),
    Row("integrations:rotate_token", MANAGERS, post=422, ids=("token_id",)),
    Row("integrations:revoke_token", MANAGERS, post=302, ids=("token_id",)),
    Row("entitlements:preview", READERS, get=200),
    Row("entitlements:refresh", MANAGERS, post=302),
    Row("entitlements:choose", OWNERS, post=302),
    Row("entitlements:why", ALL, get=200),
    Row("entitlements:search_why", ALL, post=302),
    Row("entitlements:ask_access", ALL, post=422),
    Row("entitlements:grant_access", MANAGERS, post=302, ids=("access_id",)),
    Row("entitlements:decline_access", MANAGERS, post=422, ids=("access_id",)),  # without a reason
    Row("accounts:sso", ALL, get=200),
    Row("accounts:begin_sso", MANAGERS, post=302),
    Row("accounts:connect_sso", MANAGERS, post=422),
    Row("accounts:disconnect_sso", MANAGERS, post=302),
    Row("accounts:decline_sso", MANAGERS, post=422),  # it is connected
    Row("accounts:sso_guide", ALL, get=200, ids=("product",)),
    Row("accounts:follow_sso", MANAGERS, post=422),
    Row("accounts:leave_sso", MANAGERS, post=302),
    Row("accounts:read_sso", MANAGERS, post=302),
    Row("accounts:accept_sso", MANAGERS, post=409),
    Row("accounts:refuse_sso", MANAGERS, post=409),
    Row("accounts:add_sso_certificate", MANAGERS, post=422),
    Row("accounts:retire_sso_certificate", MANAGERS, post=422, ids=("certificate_id",)),  # it is the last
    Row("accounts:restore_sso_certificate", MANAGERS, post=302, ids=("certificate_id",)),
    Row("accounts:start_sso_test", MANAGERS, post=302),
    Row("accounts:sso_test_report", ALL, get=200, ids=("test_id",)),
    Row("accounts:map_sso", MANAGERS, post=302, ids=("test_id",)),
    Row("accounts:sso_test", ALL, get=200, ids=("test_id",)),
    Row("accounts:sso_sign_ins", READERS, get=200),
    Row("accounts:sso_sign_in", READERS, get=200, ids=("sign_in_id",)),
    Row("accounts:sso_links", READERS, get=200),
    Row("accounts:decide_links", MANAGERS, post=302),
    Row("accounts:make_link_rule", MANAGERS, post=422),  # of no kind
    Row("accounts:end_link_rule", MANAGERS, post=302, ids=("rule_id",)),
    Row("accounts:unlink", MANAGERS, post=302, ids=("identity_id",)),
    Row("accounts:reopen_link", MANAGERS, post=302, ids=("proposal_id",)),
    Row("accounts:enforcement", ALL, get=200),
    Row("accounts:announce_enforcement", MANAGERS, post=422),
    Row("accounts:end_enforcement", MANAGERS, post=302),
    Row("accounts:name_break_glass", OWNERS, post=422, ids=("seat",)),
    Row("accounts:issue_recovery_codes", OWNERS, post=200, ids=("owner_id",)),
    Row("accounts:ask_cutback", MANAGERS, post=422),
    Row("accounts:approve_cutback", OWNERS, post=422, ids=("cutback_id",)),  # nobody here has a password
    Row("accounts:end_cutback", MANAGERS, post=302, ids=("cutback_id",)),
    Row("accounts:remove_passwords", OWNERS, post=422),
    Row("accounts:restore_passwords", OWNERS, post=302),
    Row("accounts:lockouts", MANAGERS, get=200),
    Row("accounts:lockouts_csv", MANAGERS, get=200),
    Row("cutover:cutover", ALL, get=200),
    Row("cutover:window", MANAGERS, get=200, post=422),
    Row("cutover:approver", OWNERS, get=200, post=302),
    Row("cutover:go_no_go", READERS, get=302),
    Row("cutover:ask", MANAGERS, post=422),
    Row("cutover:request", READERS, get=200, ids=("request_id",)),
    Row("cutover:begin", OWNERS, post=422, ids=("request_id",)),
    Row("cutover:sign", OWNERS, post=302, ids=("request_id",)),
    Row("cutover:veto", OWNERS, get=200, post=422, ids=("request_id",)),
    Row("cutover:pack", READERS, get=200, ids=("request_id",)),
    Row("comms:status", ALL, get=200),
    Row("comms:dismiss", ALL, post=302),
    Row("comms:messages", ALL, get=200),
    Row("comms:prefer", ALL, post=302),
    Row("comms:message", MANAGERS, get=200, post=422, ids=("mailing_id",)),
    Row("comms:skip", MANAGERS, post=302, ids=("mailing_id",)),
    Row("comms:support", ALL, get=200),
    Row("comms:new_case", ALL, get=200, post=422),
    Row("comms:case", READERS, get=200, post=422, ids=("case_id",), exceptions=OWN_ONLY),
    Row("comms:confirm", READERS, post=422, ids=("case_id",), exceptions=OWN_ONLY),
)

VENDOR = (
    Row("components", EVERY_STAFF, get=200),
    Row("staff_dashboard:programme", EVERY_STAFF, get=200),
    Row("staff_dashboard:programme_csv", EVERY_STAFF, get=200),
    Row("staff_dashboard:snapshot", EVERY_STAFF, get=200, ids=("tenant_id",)),
    Row("staff_parity_reports:workflows", EVERY_STAFF, get=200),
    Row("staff_backfills:letter", EVERY_STAFF, get=200, post=422, ids=("letter_id",), exceptions=DATA_LEAD_ONLY),
    Row("staff_compliance:preserved", EVERY_STAFF, get=200, ids=("tenant_id",)),
    Row("staff_compliance:preserved_copies", LEGAL, post=422, ids=("tenant_id",)),
    Row("staff_cutover:waiting", EVERY_STAFF, get=200),
    Row("staff_comms:preview", EVERY_STAFF, get=200),
    Row("staff_cutover:request", EVERY_STAFF, get=200, ids=("request_id",)),
    Row("staff_cutover:begin", RUNBOOK_OWNERS, post=422, ids=("request_id",)),
    Row("staff_cutover:sign", RUNBOOK_OWNERS, post=302, ids=("request_id",)),
    Row("staff_cutover:pack", EVERY_STAFF, get=200, ids=("request_id",)),
)

EVERYBODYS_IDS = {"check_id", "entity", "workflow_id", "guide_slug", "product", "old", "seat", "form"}
"""What is the same in every tenant's address: declared, not stored."""

EVERYBODY = {
    "home": "the choice of account, or the sign-in page",
    "favicon": "our mark",
    "end_session": "one of a person's own sessions, POST (tests/web/test_sign_in.py)",
    "change_password": "leads from the admin's form to allauth's (tests/web/test_admin.py)",
    "healthz": "is the process up",
    "readyz": "is it ready to serve",
    "api_reference": "the API's description, which is the same for everybody",
    "invitations:open": "an invitation's link, before there is an account (tests/web/test_invitation_link.py)",
    "invitations:join": "the same, signed in",
    "domain_guide": "how a domain is proven, which is the same for everybody",
    "sso_guide": "what is asked of an identity provider, which is the same for everybody",
    "domain_links:show": "what a link for a domain's DNS shows (tests/web/test_domain_link.py)",
    "sso:ask": "where people begin to sign in with their company (tests/web/test_sso_sign_in.py)",
    "sso:start": "the same by a tenant's own address",
    "sso:leave": "the way to the provider, for the browser that began",
    "sso:finish": "where that browser is signed in",
    "sso:acs": "where a customer's identity provider sends a browser back to (tests/web/test_sso_page.py)",
    "sso:acs_cut_short": "the same, entered without its last character",
    "sso:metadata": "who we are for that provider",
    "recovery:recover": "takes a recovery code (tests/web/test_company_sign_in.py)",
}
"""Routes outside of any tenant, which show nothing of one."""


@pytest.fixture
def world(standing_world: World, db: None) -> World:
    return standing_world


def call(world: World, row: Row, role: str, method: str, *, slug: str | None = None) -> int:
    """Call a route as somebody, take back what it did, and return its status."""
    kwargs = {name: world.ids[name] for name in row.ids}
    if row in TENANT:
        kwargs["slug"] = slug or world.case.owner.tenant.slug
    client = world.client(role)
    before = transaction.savepoint()
    try:
        return client.generic(method, reverse(row.name, kwargs=kwargs)).status_code
    finally:
        transaction.savepoint_rollback(before)


def expected(row: Row, role: str, method: str) -> int:
    """Say what the matrix demands."""
    if (method, role) in row.exceptions:
        return row.exceptions[method, role]
    answer = {"GET": row.get, "POST": row.post}.get(method)
    if role == "anonymous":
        return 302 if answer else 405
    if answer is None:
        return 405
    if role in row.who:
        return answer
    if row in TENANT:
        return 403 if role in MEMBERS else 404
    return 403 if role in STAFF else 404


@pytest.mark.parametrize("row", [*TENANT, *VENDOR], ids=lambda row: row.name)
def test_a_route_answers_each_role_as_written(world: World, row: Row) -> None:
    served = [method for method, answer in (("GET", row.get), ("POST", row.post)) if answer]
    refused = [method for method in ("GET", "POST", "PUT", "PATCH", "DELETE") if method not in served]
    who_may = next(role for role in ROLES if role in row.who)
    pairs = [(role, method) for role in ROLES for method in served] + [(who_may, method) for method in refused]
    told = {(role, method): call(world, row, role, method) for role, method in pairs}
    wanted = {(role, method): expected(row, role, method) for role, method in pairs}
    wrong = {key: f"{told[key]}, wanted {wanted[key]}" for key in told if told[key] != wanted[key]}
    assert wrong == {}


@pytest.mark.parametrize("row", [row for row in TENANT if set(row.ids) - EVERYBODYS_IDS], ids=lambda row: row.name)
def test_another_tenants_owner_finds_nothing_by_our_ids_under_their_own_address(world: World, row: Row) -> None:
    with make.arranging():
        theirs = Member.objects.select_related("tenant").get(user=world.people["other_owner"])
    for method in ("GET", "POST"):
        wanted = 404 if {"GET": row.get, "POST": row.post}[method] else 405
        assert call(world, row, "other_owner", method, slug=theirs.tenant.slug) == wanted


def test_every_route_is_in_the_matrix() -> None:
    written = {row.name for row in (*TENANT, *VENDOR)} | set(EVERYBODY)
    # tests/web/test_admin.py, tests/web/test_api_matrix.py, tests/web/test_scim_matrix.py
    elsewhere = ("admin:", "api:", "scim:")
    ours = {address.name for address in addresses.every() if address.ours and not address.name.startswith(elsewhere)}
    assert ours == written
