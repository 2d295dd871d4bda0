"""What people can ask about ("why can't I …?"): abilities of the portal itself, which apps contribute."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from core.domain.decisions import Gate, Grant, Step, Verdict
from core.permissions import TENANT_ROLE_GRANTS, Permission, TenantRole, tenant_grants
from core.registry import Registry


class Gates(Protocol):
    """Asks an ability's own gates about one member of one tenant, by the rules that its use case enforces."""

    def __call__(self, *, tenant_id: UUID, user_id: UUID, role: str, at: datetime) -> tuple[Step, ...]:
        """Return the steps; reads only, and asks nobody outside."""
        ...


@dataclass(frozen=True, slots=True)
class Ability:
    """Something the portal lets people do. Without `gates`, the permission alone decides."""

    id: str
    title: str
    """To follow “Why can't I”: `sign the go/no-go`."""
    permission: Permission
    words: str = ""
    gates: Gates | None = None

    def steps(self, *, tenant_id: UUID, user_id: UUID, role: str, at: datetime) -> tuple[Step, ...]:
        """Return what each gate says of a member."""
        if self.gates is None:
            return (role_step(self.permission, role),)
        return self.gates(tenant_id=tenant_id, user_id=user_id, role=role, at=at)


ABILITIES: Registry[Ability] = Registry("ability")

TITLES = {
    "view_tenant": "open the account's pages",
    "run_checks": "run the checks",
    "view_members": "see who belongs to the account",
    "manage_members": "invite people and change roles",
    "map_people": "map your people to the new platform and decide about them",
    "manage_domains": "claim and prove domains",
    "manage_sso": "connect and test single sign-on",
    "withdraw_links": "take back what lets a person of your directory in",
    "manage_break_glass": "name who holds recovery codes",
    "request_cutback": "ask for a cutback to passwords",
    "approve_cutback": "approve a cutback to passwords",
    "remove_passwords": "take passwords away for good",
    "view_runs": "see how the data move",
    "manage_runs": "start or pause the move of the data",
    "view_parity": "read parity reports",
    "run_parity": "ask for a new comparison",
    "verify_parity": "check a parity report against an export of your own",
    "manage_workflows": "keep an old way of working for a time",
    "view_integrations": "see what is connected and where webhooks go",
    "manage_integrations": "decide about integrations and register webhooks",
    "view_evidence": "open the go/no-go's evidence",
    "view_entitlements": "see plan, limits and prices",
    "decide_entitlements": "choose what becomes of an add-on that ends",
    "manage_window": "set the cutover window",
    "request_approval": "ask for a go/no-go",
    "veto_cutover": "veto the go/no-go",
    "view_ledger": "read the account's activity",
    "provision_members": "let your directory say who belongs to the account",
    "manage_tokens": "issue API tokens",
    "manage_directory_tokens": "let a tool rotate your directory's tokens",
    "view_obligations": "read what was promised to the account",
    "open_case": "ask for support",
    "view_cases": "see the support cases of colleagues",
    "manage_comms": "choose what colleagues are told of the move",
}
"""How a permission of a tenant's people goes on after “Why can't I”; of what an app contributes, the app says it."""


def ability(ability_id: str, *, title: str, permission: Permission, words: str = "") -> Callable[[Gates], Gates]:
    """Contribute an ability with gates of its own, in an app's `abilities.py`."""

    def register(gates: Gates) -> Gates:
        ABILITIES.add(ability_id, Ability(ability_id, title, permission, words, gates))
        return gates

    return register


def every() -> list[Ability]:
    """Return every ability of a tenant's people: what apps contribute, and each other permission by its name."""
    contributed = ABILITIES.values()
    covered = {one.permission for one in contributed}
    known: frozenset[Permission] = frozenset().union(*TENANT_ROLE_GRANTS.values())
    named = [
        Ability(
            f"portal.{permission}",
            TITLES[permission.value],
            permission,
            words=permission.value.replace("_", " "),
        )
        for permission in Permission
        if permission in known - covered
    ]
    return [*contributed, *named]


def role_step(permission: Permission, role: str) -> Step:
    """Ask the gate of roles, by the table that enforces; the grant is the narrowest role that would do."""
    if permission in tenant_grants(role):
        return Step(Gate.ROLE, Verdict.PASS, f"The role {_title(role)} includes it.")
    able = [one for one in TenantRole if permission in tenant_grants(one)]
    nearest = min(able, key=lambda one: len(tenant_grants(one)), default=None)
    grant = None
    if nearest is not None:
        who = "an owner of your account" if nearest is TenantRole.OWNER else "an owner or admin of your account"
        grant = Grant(f"the role {_title(nearest)}", who, f"role:{nearest}")
    return Step(Gate.ROLE, Verdict.FAIL, f"The role {_title(role)} does not include it.", grant)


def _title(role: str) -> str:
    return role.replace("_", " ").capitalize()
