"""What accounts does when something has happened."""

from datetime import datetime
from uuid import UUID

from core import readiness
from core.actor import Actor
from core.outbox import subscribe


@subscribe("accounts.domain.verified")
@subscribe("accounts.domain.released")
@subscribe("accounts.domain.passed_on")
def ask_about_domains(*, tenant_id: UUID, at: datetime) -> None:
    """Ask the readiness check again as soon as the answer may have changed."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("outbox"), check_id="accounts.domain_verified")


@subscribe("accounts.domain.fresh_proof_asked")
@subscribe("accounts.domain.verified")
@subscribe("accounts.domain.released")
@subscribe("accounts.domain.passed_on")
def ask_about_fresh_proofs(*, tenant_id: UUID, at: datetime) -> None:
    """Ask whether the domains are proven afresh as soon as the answer may have changed."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("outbox"), check_id="accounts.domain_proven_afresh")


@subscribe("accounts.sso.changed")
@subscribe("accounts.sso.tested")
def ask_about_sso(*, tenant_id: UUID, at: datetime) -> None:
    """Ask whether sign-in was tested, at both addresses, now that the connection or its last test is another."""
    for check_id in ("accounts.sso_tested", "accounts.sso_failover_tested"):
        readiness.request(tenant_id=tenant_id, by=Actor.system("outbox"), check_id=check_id)


@subscribe("accounts.enforcement.announced")
@subscribe("accounts.enforcement.ended")
@subscribe("accounts.enforcement.ending")
@subscribe("accounts.break_glass.named")
@subscribe("accounts.break_glass.ended")
@subscribe("accounts.break_glass.codes_issued")
@subscribe("accounts.break_glass.used")
@subscribe("accounts.cutback.asked")
@subscribe("accounts.cutback.begun")
@subscribe("accounts.cutback.ended")
@subscribe("accounts.cutback.lapsed")
@subscribe("accounts.cutback.withdrawn")
@subscribe("accounts.passwords.removed")
@subscribe("accounts.passwords.restored")
def ask_about_enforcement(*, tenant_id: UUID, at: datetime) -> None:
    """Ask whether the way in and the way back stand, now that how people sign in is another."""
    for check_id in ("accounts.sso_enforcement", "accounts.break_glass", "accounts.no_cutback"):
        readiness.request(tenant_id=tenant_id, by=Actor.system("outbox"), check_id=check_id)


@subscribe("accounts.sso.changed")
@subscribe("cutover.window.set")
def ask_about_certificates(*, tenant_id: UUID, at: datetime) -> None:
    """Ask whether a certificate outlasts the window, now that either may be another."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("outbox"), check_id="accounts.sso_certificates")


@subscribe("accounts.member.joined")
@subscribe("accounts.member.role_changed")
@subscribe("accounts.member.deactivated")
@subscribe("accounts.member.second_factor_reset")
def ask_about_owners(*, tenant_id: UUID, at: datetime) -> None:
    """Ask whether every owner has a second factor and two hold codes, now that the owners may be others."""
    for check_id in ("accounts.owner_has_second_factor", "accounts.break_glass"):
        readiness.request(tenant_id=tenant_id, by=Actor.system("outbox"), check_id=check_id)


@subscribe("accounts.people.mapped")
@subscribe("accounts.people.decided")
def ask_about_people(*, tenant_id: UUID, at: datetime) -> None:
    """Ask whether everybody is mapped, now that a run ended or somebody decided."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("outbox"), check_id="accounts.people_mapped")


@subscribe("accounts.provisioning.changed")
def ask_about_provisioning(*, tenant_id: UUID, at: datetime) -> None:
    """Ask whether the directory gets in, now that what it says counts, or counts no more."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("outbox"), check_id="accounts.provisioning")


@subscribe("accounts.access_review.begun")
@subscribe("accounts.access_review.finished")
@subscribe("accounts.access_review.abandoned")
@subscribe("accounts.access_review.given_up")
@subscribe("accounts.access_review.signed")
def ask_about_access(*, tenant_id: UUID, at: datetime) -> None:
    """Ask whether everybody's access was reviewed, now that a review began, ended or was signed."""
    readiness.request(tenant_id=tenant_id, by=Actor.system("outbox"), check_id="accounts.access_reviewed")
