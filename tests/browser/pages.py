"""Where every page is, as whom and in which state it is looked at: written by hand, one line a visit.

A route that answers with a page and stands nowhere here fails `test_every_route_is_visited`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

from tests.browser.acts import WRONG, connect_nonsense, fill, issue_token, press, replace_secret


@dataclass(frozen=True)
class Visit:
    """One look at a page: its route, who looks, what stands in the address, and what is done before looking."""

    name: str
    state: str
    who: str = "nobody"
    args: dict[str, str] = field(default_factory=dict)
    """Of the address: the name of an id of `Populated`, or `=` and the text itself."""
    query: str = ""
    status: int = 200
    then: Callable[[Page], None] | None = None

    @property
    def label(self) -> str:
        return f"{self.name}-{self.state}-{self.who}"


def of_tenant(name: str, *, error: tuple[int, Callable[[Page], None]] | None = None, **args: str) -> list[Visit]:
    """A page of a tenant: of one who is ready, of one who is blocked, of one who has nothing yet."""
    slugs = {"owner": "hawaiian", "blocked": "skywest", "empty": "empty"}
    found = [
        Visit(name, "empty" if who == "empty" else "populated", who, {"slug": f"={slug}", **args})
        for who, slug in slugs.items()
    ]
    if error:
        found.append(Visit(name, "error", "empty", {"slug": "=empty", **args}, status=error[0], then=error[1]))
    return found


def of_request(which: str, name: str, state: str, who: str = "owner", **more: Any) -> Visit:
    """A page of a go/no-go request of the ready tenant."""
    slug = {} if name.startswith("staff") else {"slug": "=hawaiian"}
    return Visit(name, state, who, {**slug, "request_id": which}, **more)


TENANT_PAGES = [
    *of_tenant("dashboard:overview"),
    *of_tenant("dashboard:preflight"),
    *of_tenant("dashboard:jobs"),
    *of_tenant("dashboard:activity"),
    *of_tenant("compliance:promises"),
    *of_tenant("backfills:runs"),
    *of_tenant("backfills:inspection"),
    *of_tenant("backfills:standing"),
    *of_tenant("backfills:fate", entity="=flights"),
    *(
        Visit("backfills:fate", name, "blocked", {"slug": "=skywest", "entity": "=flights"}, then=fill("Find", key=key))
        for name, key in (("found", "1"), ("nothing-found", "0"))
    ),
    *(visit for entity in ("flights", "airports") for visit in of_tenant("backfills:mapping", entity=f"={entity}")),
    *(visit for entity in ("flights", "airports") for visit in of_tenant("backfills:entity", entity=f"={entity}")),
    *of_tenant("backfills:mapping_changes", entity="=flights"),
    Visit(
        "backfills:mapping_changes",
        "error",
        "blocked",
        {"slug": "=skywest", "entity": "=flights"},
        query="?before=nothing",
        status=422,
    ),
    *of_tenant("backfills:ended", entity="=flights"),
    *of_tenant("parity_reports:history", error=(422, fill("Run a new comparison"))),
    *of_tenant("parity_reports:drift"),
    *of_tenant("parity_reports:shadow", error=(422, fill("Switch on"))),
    Visit("parity_reports:report", "populated", "owner", {"slug": "=hawaiian", "report_id": "report"}),
    Visit("parity_reports:report", "different", "blocked", {"slug": "=skywest", "report_id": "blocked_report"}),
    Visit("parity_reports:report", "sampled", "owner", {"slug": "=hawaiian", "report_id": "sampled_report"}),
    Visit(
        "parity_reports:report",
        "sample-differs",
        "blocked",
        {"slug": "=skywest", "report_id": "blocked_sampled_report"},
    ),
    *of_tenant("parity_reports:what_changed"),
    Visit("parity_reports:what_changed", "found", "owner", {"slug": "=hawaiian"}, query="?q=delay&all=1"),
    Visit("parity_reports:what_changed", "nothing-found", "owner", {"slug": "=hawaiian"}, query="?q=zeppelin"),
    *of_tenant(
        "parity_reports:workflow", workflow_id="=log_delay", error=(422, fill("Keep the old way", until="2020-01-01"))
    ),
    *(
        Visit("parity_reports:workflow", name, who, {"slug": f"={slug}", "workflow_id": f"={name}"})
        for name, who, slug in (
            ("swap_crew", "owner", "hawaiian"),
            ("irregular_operations", "owner", "hawaiian"),
            ("receive_partner_feed", "blocked", "skywest"),
            ("send_day_plan", "blocked", "skywest"),
        )
    ),
    Visit(
        "parity_reports:workflow",
        "error",
        "blocked",
        {"slug": "=skywest", "workflow_id": "=receive_partner_feed"},
        status=422,
        then=fill("Accept it", reason=""),
    ),
    Visit("staff_parity_reports:workflows", "populated", "staff"),
    Visit("staff_parity_reports:workflows", "regional", "staff", query="?segment=regional"),
    *of_tenant("parity_reports:guide", guide_slug="=new-in-10-minutes"),
    *of_tenant("integrations:overview", error=(422, fill("Register", url=WRONG))),
    Visit("integrations:overview", "secret", "blocked", {"slug": "=skywest"}, then=replace_secret),
    *of_tenant("integrations:messages"),
    *of_tenant("accounts:access", error=(422, fill("Begin the review", due_on="2020-01-01"))),
    Visit("accounts:access_review", "populated", "owner", {"slug": "=hawaiian", "review_id": "access_review"}),
    *of_tenant("accounts:people"),
    *(
        Visit("accounts:people", outcome, "owner", {"slug": "=hawaiian"}, query=f"?outcome={outcome}")
        for outcome in ("mapped", "placeholder", "merged")
    ),
    *(
        Visit("accounts:people", name, "owner", {"slug": "=hawaiian"}, then=fill("Find", words=words))
        for name, words in (("found", "owner"), ("nothing-found", WRONG))
    ),
    Visit("accounts:person", "populated", "owner", {"slug": "=hawaiian", "person_id": "person"}),
    Visit("accounts:person", "conflict", "blocked", {"slug": "=skywest", "person_id": "conflict"}),
    Visit(
        "accounts:person",
        "error",
        "blocked",
        {"slug": "=skywest", "person_id": "conflict"},
        status=422,
        then=fill("Decide", reason="As agreed"),
    ),
    *of_tenant("accounts:people_decisions"),
    *of_tenant("accounts:people_file", error=(422, fill("Carry out", reason="As agreed"))),
    *of_tenant("accounts:tenant_link"),
    Visit(
        "accounts:tenant_link",
        "error",
        "owner",
        {"slug": "=hawaiian"},
        status=422,
        then=fill("Take it", reason=""),
    ),
    *of_tenant("accounts:members", error=(422, fill("Send invitation", email=WRONG))),
    *of_tenant("accounts:provisioning"),
    Visit("accounts:provisioning_guide", "populated", "owner", {"slug": "=hawaiian", "product": "=onelogin"}),
    *of_tenant("accounts:domains", error=(422, fill("Claim", name="co.uk"))),
    *of_tenant("integrations:tokens", error=(422, fill("Issue token"))),
    Visit("integrations:tokens", "secret", "blocked", {"slug": "=skywest"}, then=issue_token),
    *of_tenant("entitlements:preview"),
    *of_tenant("entitlements:why"),
    Visit("entitlements:why", "answered", "member", {"slug": "=hawaiian"}, query="?ask=export-reports"),
    Visit(
        "entitlements:why",
        "error",
        "member",
        {"slug": "=hawaiian"},
        query="?ask=export-reports",
        status=422,
        then=fill("Request access", reason=""),
    ),
    *of_tenant("accounts:sso", error=(422, connect_nonsense)),
    Visit("accounts:sso_guide", "populated", "owner", {"slug": "=hawaiian", "product": "=onelogin"}),
    Visit("accounts:sso_guide", "empty", "empty", {"slug": "=empty", "product": "=entra"}),
    Visit("accounts:sso_test", "passed", "owner", {"slug": "=hawaiian", "test_id": "sso_test"}),
    Visit("accounts:sso_test", "failed", "blocked", {"slug": "=skywest", "test_id": "blocked_sso_test"}),
    *of_tenant("accounts:sso_sign_ins"),
    Visit("accounts:sso_sign_in", "waits", "owner", {"slug": "=hawaiian", "sign_in_id": "sso_sign_in"}),
    Visit("accounts:sso_sign_in", "refused", "blocked", {"slug": "=skywest", "sign_in_id": "blocked_sso_sign_in"}),
    *of_tenant("accounts:sso_links"),
    *of_tenant("accounts:enforcement", error=(422, fill("Announce it", begins_on="", until=""))),
    Visit("accounts:enforcement", "codes", "blocked", {"slug": "=skywest"}, then=press("Make my codes")),
    Visit("accounts:enforcement", "member", "member", {"slug": "=hawaiian"}),
    *of_tenant("accounts:lockouts"),
    Visit("recovery:recover", "populated"),
    Visit("recovery:recover", "error", status=403, then=fill("Sign in", email="a@b.example", code="AAAAA")),
    *of_tenant("cutover:cutover"),
    *of_tenant("cutover:window", error=(422, fill("Save the window"))),
    *of_tenant("cutover:approver"),
    *of_tenant("cutover:go_no_go", error=(422, fill("Freeze the evidence"))),
    *of_tenant("comms:status"),
    *of_tenant("comms:messages"),
    Visit("comms:message", "populated", "owner", {"slug": "=hawaiian", "mailing_id": "mailing"}),
    Visit(
        "comms:message",
        "error",
        "owner",
        {"slug": "=hawaiian", "mailing_id": "mailing"},
        status=422,
        then=fill("Save", due_at="2020-01-01T09:00"),
    ),
    Visit("comms:message", "closed", "owner", {"slug": "=hawaiian", "mailing_id": "sent_mailing"}),
    *of_tenant("comms:support"),
    *of_tenant("comms:new_case", error=(422, fill("Open the case", subject=""))),
    Visit("comms:new_case", "check", "blocked", {"slug": "=skywest"}, query="?check=runbooks.steps_signed"),
    Visit("comms:case", "waiting", "blocked", {"slug": "=skywest", "case_id": "case"}),
    Visit(
        "comms:case", "error", "blocked", {"slug": "=skywest", "case_id": "case"}, status=422, then=fill("Add", text="")
    ),
    Visit("comms:case", "closed", "blocked", {"slug": "=skywest", "case_id": "closed_case"}),
    of_request("request", "cutover:request", "open"),
    of_request("vetoed", "cutover:request", "ended"),
    of_request("request", "cutover:veto", "populated"),
    of_request("request", "cutover:veto", "error", status=422, then=fill("Veto")),
    of_request("request", "staff_cutover:request", "open", "runbook_owner"),
    Visit("staff_cutover:waiting", "populated", "staff"),
    Visit("staff_backfills:letter", "populated", "staff", {"letter_id": "letter"}),
    Visit(
        "staff_backfills:letter", "shown", "staff", {"letter_id": "letter"}, then=fill("Show the row", reason="Case 7")
    ),
    Visit("staff_backfills:letter", "error", "staff", {"letter_id": "letter"}, status=422, then=fill("Show the row")),
    Visit("staff_compliance:preserved", "populated", "staff", {"tenant_id": "tenant_id"}),
    Visit("staff_comms:preview", "sample", "staff"),
    Visit("staff_comms:preview", "populated", "staff", query="?tenant=hawaiian"),
    Visit("staff_comms:preview", "error", "staff", query="?tenant=nobody", status=404),
    Visit("staff_dashboard:programme", "populated", "staff"),
    Visit("staff_dashboard:programme", "nothing fits", "staff", query="?q=nobody&phase=done"),
    Visit("components", "populated", "staff"),
]
LOOKS = ("look=1", "product=okta")
OF_A_SECOND_FACTOR = (
    "index", "reauthenticate", "deactivate_totp", "view_recovery_codes", "generate_recovery_codes", "list_webauthn",
    "add_webauthn", "reauthenticate_webauthn",
)  # fmt: skip
ACCOUNT_PAGES = [
    Visit("api_reference", "populated"),
    Visit("home", "populated", "both"),
    Visit("home", "empty", "stranger"),
    Visit("account_login", "empty"),
    Visit("account_login", "error", then=fill("Sign in", login="no@one.example", password=WRONG)),
    Visit("sso:ask", "empty"),
    Visit("sso:ask", "error", then=fill("Continue", email="somebody@nowhere.example"), status=422),
    Visit("sso:start", "populated", args={"provider_id": "provider_id"}),
    Visit(
        "sso:finish",
        "refused",
        args={"provider_id": "provider_id", "sign_in_id": "sso_sign_in"},
        status=403,
    ),
    Visit("account_logout", "populated", "owner"),
    Visit("account_inactive", "populated"),
    Visit("account_signup", "closed"),
    Visit("account_reauthenticate", "populated", "newcomer"),
    Visit("account_reauthenticate", "error", "newcomer", then=fill("Confirm", password=WRONG)),
    Visit("account_email", "populated", "owner"),
    Visit("account_email", "error", "owner", then=fill("Add", email=WRONG)),
    Visit("account_email_verification_sent", "populated"),
    Visit("account_change_password", "populated", "newcomer"),
    Visit("account_change_password", "error", "newcomer", then=fill("Change", oldpassword=WRONG, password1="a")),
    Visit("account_set_password", "populated", "stranger"),
    Visit("account_reset_password", "empty"),
    Visit("account_reset_password", "error", then=fill("Reset", email=WRONG)),
    Visit("account_confirm_email", "populated", args={"key": "confirmation"}),
    Visit("account_confirm_email", "error", args={"key": "=damaged"}),
    Visit("account_reset_password_from_key", "populated", args={"uidb36": "uidb36", "key": "reset_key"}),
    Visit("account_reset_password_from_key", "error", args={"uidb36": "uidb36", "key": "=damaged"}),
    Visit("account_reset_password_from_key_done", "populated"),
    Visit("account_reset_password_done", "populated"),
    *(Visit(f"mfa_{name}", "populated", "owner") for name in OF_A_SECOND_FACTOR),
    Visit("mfa_index", "empty", "stranger"),
    Visit("mfa_reauthenticate", "error", "owner", then=fill("Confirm", code="000000")),
    Visit("mfa_activate_totp", "populated", "newcomer"),
    Visit("mfa_activate_totp", "error", "newcomer", then=fill("Activate", code="000000")),
    Visit("mfa_list_webauthn", "empty", "newcomer"),
    Visit("mfa_remove_webauthn", "populated", "owner", {"pk": "passkey"}),
    Visit("mfa_edit_webauthn", "populated", "owner", {"pk": "passkey"}),
    Visit("mfa_edit_webauthn", "error", "owner", {"pk": "passkey"}, then=fill("Save", name="")),
    Visit("usersessions_list", "populated", "owner"),
    Visit("invitations:open", "new", args={"token": "invitation_new"}),
    Visit("invitations:open", "known", args={"token": "invitation_known"}),
    Visit("invitations:open", "invited", "known", {"token": "invitation_known"}),
    Visit("invitations:open", "other", "stranger", {"token": "invitation_new"}, status=403),
    Visit("invitations:open", "error", args={"token": "invitation_new"}, status=422, then=fill("Create", name="")),
    Visit("invitations:open", "closed", args={"token": "=damaged"}, status=404),
    *(Visit("domain_links:show", state, args={"token": f"link_{state}"}) for state in ("waiting", "wrong", "proven")),
    *(Visit("domain_links:show", at, args={"token": "link_wrong"}, query=f"?{at}") for at in LOOKS),
    *(Visit(name, "populated") for name in ("domain_guide", "sso_guide")),
    Visit("domain_links:show", "closed", args={"token": "=damaged"}, status=404),
]
REFUSALS = [
    Visit("dashboard:overview", "404", "stranger", {"slug": "=hawaiian"}, status=404),
    Visit("accounts:members", "403", "member", {"slug": "=hawaiian"}, status=403),
    Visit("staff_cutover:waiting", "404", "owner", status=404),
]
NOT_A_PAGE = {
    "healthz": "plain words for machines",
    "readyz": "plain words for machines",
    "favicon": "a picture",
    "account_confirm_login_code": "leads to the sign-in page: signing in by a mailed code is off",
    "mfa_authenticate": "stands only in the middle of a sign-in: test_the_second_step_of_a_sign_in",
    "mfa_login_webauthn": "JSON for the browser's passkey call",
    "mfa_download_recovery_codes": "a text file",
    "dashboard:ledger_verifier": "a Python file",
    "dashboard:export_ledger": "POST, a file",
    "accounts:domain": "one row of the domains page, which asks for it again",
    "sso:metadata": "a file",
    "staff_compliance:preserved_copies": "POST, a file",
    "accounts:sso_test_report": "a file",
    "sso:leave": "leads on to the provider at once (tests/journeys/test_company_sign_in.py)",
    "accounts:lockouts_csv": "a file",
    "accounts:download_people": "a file",
    "accounts:access_file": "a file",
    "accounts:access_review_file": "a file",
    "accounts:access_review_pack": "a file",
    "cutover:pack": "a file",
    "staff_cutover:pack": "a file",
    "staff_dashboard:programme_csv": "a file",
    "staff_dashboard:snapshot": "a file",
    "dashboard:snapshot_pdf": "a file",
    "dashboard:snapshot_csv": "a file",
    "backfills:rejected": "a file",
    "parity_reports:was": "leads on to a guide, a workflow or a search",
    "compliance:attestation": "a file",
    "compliance:verifier": "a Python file",
    "compliance:evidence": "POST, a file",
    "parity_reports:pdf": "a file",
    "parity_reports:xlsx": "a file",
    "parity_reports:csv": "a file",
    "parity_reports:json": "a file",
    "parity_reports:verifier": "a file",
    **dict.fromkeys(
        (
            "invitations:join",
            "accounts:begin_access_review", "accounts:decide_access", "accounts:finish_access_review",
            "accounts:abandon_access_review", "accounts:ask_to_sign_access", "accounts:begin_signing_access",
            "accounts:invite", "accounts:change_role", "accounts:deactivate", "accounts:reset_second_factor",
            "accounts:sign_access_review", "end_session", "accounts:resend_invitation", "accounts:revoke_invitation",
            "accounts:claim_domain", "accounts:check_domain", "accounts:renew_domain",
            "accounts:release_domain", "accounts:choose_domain", "accounts:make_domain_link",
            "accounts:revoke_domain_link", "accounts:ask_for_domain", "accounts:ask_no_longer_for_domain",
            "accounts:map_people", "accounts:decide_person", "accounts:agree_people", "accounts:decline_people",
            "accounts:undo_people", "accounts:upload_people", "accounts:take_checkpoint", "accounts:restore_checkpoint",
            "accounts:enable_provisioning", "accounts:trial_provisioning", "accounts:give_group_role",
            "accounts:restore_provisioned", "accounts:begin_sso", "accounts:connect_sso", "accounts:disconnect_sso",
            "accounts:decline_sso", "accounts:start_sso_test", "sso:acs", "sso:acs_cut_short",
            "accounts:decide_links", "accounts:make_link_rule", "accounts:end_link_rule", "accounts:unlink",
            "accounts:reopen_link", "accounts:announce_enforcement", "accounts:end_enforcement",
            "accounts:name_break_glass", "accounts:issue_recovery_codes", "accounts:ask_cutback",
            "accounts:approve_cutback", "accounts:end_cutback",
            "accounts:follow_sso", "accounts:leave_sso", "accounts:read_sso", "accounts:accept_sso",
            "accounts:refuse_sso", "accounts:add_sso_certificate", "accounts:retire_sso_certificate",
            "accounts:restore_sso_certificate", "accounts:map_sso", "accounts:remove_passwords",
            "accounts:restore_passwords",
            "backfills:start", "backfills:end_standing", "backfills:inspect",
            "backfills:pause", "backfills:resume", "backfills:cancel", "backfills:retry",
            "parity_reports:request", "parity_reports:look", "parity_reports:mark_guide", "parity_reports:rely",
            "parity_reports:release", "parity_reports:confirm", "parity_reports:accept", "parity_reports:keep_old_way",
            "parity_reports:end_old_way", "parity_reports:shadow_on", "parity_reports:shadow_off",
            "integrations:read", "integrations:accept", "integrations:decide", "integrations:register",
            "integrations:run_harness", "integrations:send_test", "integrations:switch_off", "integrations:resend",
            "integrations:rotate_token", "integrations:revoke_token", "integrations:rotate_secret",
            "integrations:end_old_secret", "integrations:take_secret_back",
            "comms:confirm", "comms:skip", "comms:prefer", "comms:dismiss",
            "entitlements:refresh", "entitlements:choose", "entitlements:search_why", "entitlements:ask_access",
            "entitlements:grant_access",
            "entitlements:decline_access",
            "cutover:ask", "cutover:begin", "cutover:sign", "staff_cutover:begin", "staff_cutover:sign",
            "dashboard:run_checks", "dashboard:run_check", "dashboard:stop_checks",
        ),
        "POST only; what it answers is shown by the page it belongs to",
    ),
}  # fmt: skip
"""Routes that no browser shows as a page, each with its reason."""
