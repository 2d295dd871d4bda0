"""What the vendor's people see of accounts in their admin, a module for each noun."""

from accounts.admin import access, domains, enforcement, identity_map, links, people, provisioning, sso, tenants

__all__ = ["access", "domains", "enforcement", "identity_map", "links", "people", "provisioning", "sso", "tenants"]
