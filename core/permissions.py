"""Who may do what: permissions, roles, and the grants of each role, as code."""

from enum import StrEnum


class Permission(StrEnum):
    """One thing an actor may do. A tenant permission holds for one tenant, a staff permission for all."""

    # What a tenant's people do.
    VIEW_TENANT = "view_tenant"
    RUN_CHECKS = "run_checks"
    VIEW_MEMBERS = "view_members"
    MANAGE_MEMBERS = "manage_members"
    MAP_PEOPLE = "map_people"
    PROVISION_MEMBERS = "provision_members"
    """Of a directory, by its token: what it says of people counts, within what whoever issued the token may give."""
    MANAGE_DOMAINS = "manage_domains"
    MANAGE_SSO = "manage_sso"
    WITHDRAW_LINKS = "withdraw_links"
    """Take back what lets a person of a directory in: reject or undo a link, end a standing rule."""
    MANAGE_BREAK_GLASS = "manage_break_glass"
    REQUEST_CUTBACK = "request_cutback"
    APPROVE_CUTBACK = "approve_cutback"
    REMOVE_PASSWORDS = "remove_passwords"
    VIEW_RUNS = "view_runs"
    MANAGE_RUNS = "manage_runs"
    MANAGE_WORKFLOWS = "manage_workflows"
    VIEW_PARITY = "view_parity"
    RUN_PARITY = "run_parity"
    VERIFY_PARITY = "verify_parity"
    VIEW_INTEGRATIONS = "view_integrations"
    MANAGE_INTEGRATIONS = "manage_integrations"
    VIEW_EVIDENCE = "view_evidence"
    VIEW_ENTITLEMENTS = "view_entitlements"
    DECIDE_ENTITLEMENTS = "decide_entitlements"
    MANAGE_WINDOW = "manage_window"
    REQUEST_APPROVAL = "request_approval"
    APPROVE_CUTOVER = "approve_cutover"
    VETO_CUTOVER = "veto_cutover"
    VIEW_LEDGER = "view_ledger"
    MANAGE_TOKENS = "manage_tokens"
    MANAGE_DIRECTORY_TOKENS = "manage_directory_tokens"
    """Of a token: to issue, rotate and revoke those by which the directory calls, and no others."""
    VIEW_OBLIGATIONS = "view_obligations"
    OPEN_CASE = "open_case"
    VIEW_CASES = "view_cases"
    MANAGE_COMMS = "manage_comms"

    # What the vendor's people do.
    VIEW_PROGRAMME = "view_programme"
    INVITE_FIRST_OWNER = "invite_first_owner"
    MANAGE_TENANTS = "manage_tenants"
    SIGN_STEPS = "sign_steps"
    MANAGE_STEPS = "manage_steps"
    REQUEST_EXCEPTION = "request_exception"
    APPROVE_EXCEPTION = "approve_exception"
    SIGN_AS_RUNBOOK_OWNER = "sign_as_runbook_owner"
    MOVE_PHASE = "move_phase"
    SHOW_ROWS = "show_rows"
    EXPLAIN_DRIFT = "explain_drift"
    RECONCILE = "reconcile"
    APPROVE_RECONCILIATION = "approve_reconciliation"
    PROVISION_SUBSCRIPTION = "provision_subscription"
    ANSWER_ACCESS = "answer_access"
    APPROVE_DOMAIN_TRANSFER = "approve_domain_transfer"
    HOLD_PROVISIONING = "hold_provisioning"
    """To let nothing follow any more from what a directory says, and to settle again what it said."""
    MANAGE_FREEZE = "manage_freeze"
    MANAGE_STAFF = "manage_staff"
    MANAGE_OBLIGATIONS = "manage_obligations"
    WORK_CASES = "work_cases"


class TenantRole(StrEnum):
    """The role of a member in their tenant."""

    OWNER = "owner"
    ADMIN = "admin"
    AUDITOR = "auditor"
    MEMBER = "member"


class StaffRole(StrEnum):
    """The role of one of the vendor's people in the programme; the leads are the charter's."""

    CS = "cs"
    SUPPORT = "support"
    RUNBOOK_OWNER = "runbook_owner"
    STEERING_GROUP = "steering_group"
    AUDITOR = "auditor"
    TECHNICAL_LEAD = "technical_lead"
    DATA_LEAD = "data_lead"
    INTEGRATIONS_LEAD = "integrations_lead"
    IDENTITY_BILLING_LEAD = "identity_billing_lead"
    CS_LEAD = "cs_lead"
    SRE_LEAD = "sre_lead"
    LEGAL_PRIVACY_LEAD = "legal_privacy_lead"
    PROGRAMME_MANAGER = "programme_manager"


P = Permission

_READ = frozenset({P.VIEW_TENANT, P.VIEW_RUNS, P.VIEW_PARITY})
_AUDIT = _READ | {
    P.VIEW_MEMBERS,
    P.VIEW_ENTITLEMENTS,
    P.VIEW_INTEGRATIONS,
    P.VIEW_EVIDENCE,
    P.VIEW_LEDGER,
    P.VIEW_OBLIGATIONS,
    P.VIEW_CASES,
}
_ADMIN = _AUDIT | {
    P.OPEN_CASE,
    P.MANAGE_COMMS,
    P.RUN_CHECKS,
    P.MANAGE_MEMBERS,
    P.MAP_PEOPLE,
    P.PROVISION_MEMBERS,
    P.MANAGE_DOMAINS,
    P.MANAGE_SSO,
    P.WITHDRAW_LINKS,
    P.REQUEST_CUTBACK,
    P.MANAGE_RUNS,
    P.RUN_PARITY,
    P.VERIFY_PARITY,
    P.MANAGE_INTEGRATIONS,
    P.MANAGE_WINDOW,
    P.MANAGE_WORKFLOWS,
    P.REQUEST_APPROVAL,
    P.MANAGE_TOKENS,
    P.MANAGE_DIRECTORY_TOKENS,
}

TENANT_ROLE_GRANTS: dict[TenantRole, frozenset[Permission]] = {
    TenantRole.MEMBER: frozenset({P.VIEW_TENANT, P.OPEN_CASE}),
    TenantRole.AUDITOR: _AUDIT | {P.OPEN_CASE},
    TenantRole.ADMIN: _ADMIN,
    TenantRole.OWNER: _ADMIN
    | {P.APPROVE_CUTOVER, P.VETO_CUTOVER, P.DECIDE_ENTITLEMENTS, P.MANAGE_BREAK_GLASS, P.APPROVE_CUTBACK}
    | {P.REMOVE_PASSWORDS},
}

_STAFF_READ = frozenset({P.VIEW_PROGRAMME, *_AUDIT})
_STAFF_LEAD = _STAFF_READ | {P.SIGN_STEPS, P.REQUEST_EXCEPTION, P.RUN_CHECKS}

STAFF_ROLE_GRANTS: dict[StaffRole, frozenset[Permission]] = {
    StaffRole.AUDITOR: _STAFF_READ,
    StaffRole.SUPPORT: _STAFF_READ | {P.RUN_CHECKS, P.SIGN_STEPS, P.WORK_CASES, P.REQUEST_CUTBACK, P.HOLD_PROVISIONING},
    StaffRole.CS: _STAFF_LEAD | {P.ANSWER_ACCESS, P.INVITE_FIRST_OWNER, P.MANAGE_STEPS, P.MANAGE_COMMS, P.WORK_CASES},
    StaffRole.RUNBOOK_OWNER: _STAFF_LEAD
    | {P.MANAGE_STEPS, P.MANAGE_RUNS, P.RUN_PARITY, P.MANAGE_WINDOW, P.REQUEST_APPROVAL}
    | {P.SIGN_AS_RUNBOOK_OWNER, P.MOVE_PHASE},
    StaffRole.STEERING_GROUP: _STAFF_READ | {P.APPROVE_EXCEPTION, P.APPROVE_RECONCILIATION, P.MANAGE_FREEZE},
    StaffRole.TECHNICAL_LEAD: _STAFF_LEAD
    | {P.MANAGE_RUNS, P.RUN_PARITY, P.WORK_CASES}
    | {P.EXPLAIN_DRIFT, P.RECONCILE, P.APPROVE_RECONCILIATION},
    StaffRole.DATA_LEAD: _STAFF_LEAD
    | {P.MANAGE_RUNS, P.RUN_PARITY, P.SHOW_ROWS, P.EXPLAIN_DRIFT}
    | {P.RECONCILE, P.APPROVE_RECONCILIATION},
    StaffRole.INTEGRATIONS_LEAD: _STAFF_LEAD | {P.MANAGE_INTEGRATIONS},
    StaffRole.IDENTITY_BILLING_LEAD: _STAFF_LEAD
    | {P.PROVISION_SUBSCRIPTION, P.ANSWER_ACCESS, P.REQUEST_CUTBACK, P.APPROVE_CUTBACK}
    | {P.MANAGE_DOMAINS, P.APPROVE_DOMAIN_TRANSFER, P.MAP_PEOPLE, P.REMOVE_PASSWORDS, P.WITHDRAW_LINKS}
    | {P.HOLD_PROVISIONING},
    StaffRole.CS_LEAD: _STAFF_LEAD
    | {P.ANSWER_ACCESS, P.INVITE_FIRST_OWNER, P.MANAGE_STEPS, P.MANAGE_TENANTS, P.MANAGE_COMMS, P.WORK_CASES},
    StaffRole.SRE_LEAD: _STAFF_LEAD
    | {P.MANAGE_WINDOW, P.MOVE_PHASE, P.WORK_CASES, P.REQUEST_CUTBACK, P.APPROVE_CUTBACK, P.HOLD_PROVISIONING},
    StaffRole.LEGAL_PRIVACY_LEAD: _STAFF_LEAD | {P.MANAGE_OBLIGATIONS},
    StaffRole.PROGRAMME_MANAGER: _STAFF_LEAD
    | {P.MANAGE_TENANTS, P.MANAGE_STEPS, P.INVITE_FIRST_OWNER, P.MANAGE_FREEZE, P.MANAGE_STAFF, P.MOVE_PHASE}
    | {P.MANAGE_COMMS, P.WORK_CASES, P.REQUEST_CUTBACK, P.APPROVE_CUTBACK, P.APPROVE_DOMAIN_TRANSFER},
}


def tenant_grants(role: TenantRole | str) -> frozenset[Permission]:
    """Return what a tenant role may do; an unknown role may do nothing."""
    try:
        return TENANT_ROLE_GRANTS[TenantRole(role)]
    except ValueError:
        return frozenset()


def staff_grants(roles: "set[str] | frozenset[str] | list[str]") -> frozenset[Permission]:
    """Return the union of what staff roles may do; unknown roles add nothing."""
    known = {role.value for role in StaffRole}
    return frozenset().union(*(STAFF_ROLE_GRANTS[StaffRole(role)] for role in roles if role in known))
