"""Which role may give which: nobody hands out more than they hold."""

from collections.abc import Iterable

from core.permissions import TenantRole

_GRANTABLE: dict[TenantRole, tuple[TenantRole, ...]] = {
    TenantRole.OWNER: (TenantRole.OWNER, TenantRole.ADMIN, TenantRole.AUDITOR, TenantRole.MEMBER),
    TenantRole.ADMIN: (TenantRole.ADMIN, TenantRole.AUDITOR, TenantRole.MEMBER),
}


def grantable(roles: Iterable[str]) -> tuple[TenantRole, ...]:
    """Return the tenant roles that a holder of these roles may give, take away or change, the widest first."""
    held = set(roles)
    return tuple(
        role for role in TenantRole if any(role in given for holder, given in _GRANTABLE.items() if holder in held)
    )


def may_change(*, by_roles: Iterable[str], old: str, new: str) -> bool:
    """Tell whether a holder of these roles may turn `old` into `new`: both must be theirs to give."""
    allowed = grantable(by_roles)
    return old in allowed and new in allowed
