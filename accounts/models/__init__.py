"""The tables of accounts."""

from accounts.models.tenants import Member, Tenant
from accounts.models.users import StaffAssignment, User

__all__ = ["Member", "StaffAssignment", "Tenant", "User"]
