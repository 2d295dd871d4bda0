"""The tables of accounts."""

from accounts.models.access import AccessLine, AccessReview
from accounts.models.cutbacks import Cutback
from accounts.models.domains import Domain, DomainCheck, DomainLink
from accounts.models.enforcement import BreakGlassOwner, Enforcement, RecoveryCode
from accounts.models.identities import LinkedIdentity, LinkProposal, SsoSignIn, StandingRule
from accounts.models.identity_map import (
    CheckpointPerson,
    LegacyPerson,
    LinkCheckpoint,
    MapBatch,
    MapRun,
    NewPerson,
    PersonChange,
    PersonDecision,
    PersonPart,
    TenantLink,
)
from accounts.models.invitations import Invitation
from accounts.models.passwords import PasswordRemoval, SealedPassword
from accounts.models.provisioning import (
    ProvisionedEmail,
    ProvisionedGroup,
    ProvisionedMembership,
    ProvisionedUser,
    Provisioning,
    ProvisioningCall,
)
from accounts.models.sso import SsoConnection, SsoTest, UsedAssertion
from accounts.models.sso_trust import SsoCertificate, SsoSource
from accounts.models.tenants import Member, Tenant
from accounts.models.transfers import DomainTransfer
from accounts.models.users import StaffAssignment, User

__all__ = [
    "AccessLine",
    "AccessReview",
    "BreakGlassOwner",
    "CheckpointPerson",
    "Cutback",
    "Domain",
    "DomainCheck",
    "DomainLink",
    "DomainTransfer",
    "Enforcement",
    "Invitation",
    "LegacyPerson",
    "LinkCheckpoint",
    "LinkProposal",
    "LinkedIdentity",
    "MapBatch",
    "MapRun",
    "Member",
    "NewPerson",
    "PasswordRemoval",
    "PersonChange",
    "PersonDecision",
    "PersonPart",
    "ProvisionedEmail",
    "ProvisionedGroup",
    "ProvisionedMembership",
    "ProvisionedUser",
    "Provisioning",
    "ProvisioningCall",
    "RecoveryCode",
    "SealedPassword",
    "SsoCertificate",
    "SsoConnection",
    "SsoSignIn",
    "SsoSource",
    "SsoTest",
    "StaffAssignment",
    "StandingRule",
    "Tenant",
    "TenantLink",
    "UsedAssertion",
    "User",
]
