"""The tables of accounts."""

from accounts.models.domains import Domain, DomainCheck, DomainLink
from accounts.models.invitations import Invitation
from accounts.models.sso import SsoConnection, SsoTest, UsedAssertion
from accounts.models.tenants import Member, Tenant
from accounts.models.users import StaffAssignment, User

__all__ = [
    "Domain",
    "DomainCheck",
    "DomainLink",
    "Invitation",
    "Member",
    "SsoConnection",
    "SsoTest",
    "StaffAssignment",
    "Tenant",
    "UsedAssertion",
    "User",
]
