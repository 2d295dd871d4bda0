"""The people of both platforms in PostgreSQL, read page by page through roles that need only read."""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from core.people import Person
from core.ports import Rejected
from entitlements.queries import matrix
from portal.adapters.postgres import connected

LEGACY: LiteralString = """
    SELECT usr_id, login, full_nm, role_cd, act_flg FROM usr_mast
     WHERE carr_cd = %s AND usr_id > %s ORDER BY usr_id LIMIT %s
"""
NEW: LiteralString = """
    SELECT key, external_id, user_name, email, name, role, is_active FROM platform.person
     WHERE account_id = %s AND key > %s ORDER BY key LIMIT %s
"""
_BEFORE_ALL = -(2**31)


class PostgresPeople:
    """Reads the demo's two tables of people. `owner` is what the new platform calls its widest role.

    The legacy platform's logins are addresses; its roles are told as what the entitlement matrix makes of them.
    """

    def __init__(self, *, legacy: str, new: str, owner: str, statement_timeout: int = 30) -> None:
        self.legacy, self.new, self.owner, self.statement_timeout = legacy, new, owner, statement_timeout

    def of_legacy(self, *, tenant_ref: str, after: str | None, limit: int) -> Sequence[Person]:
        """Return people of the legacy platform; see `core.ports.People`."""
        last = _BEFORE_ALL if after is None else _number(after)
        roles = {code: role.to for code, role in matrix.declared().roles.items()}
        with connected(self.legacy, platform="legacy", statement_timeout=self.statement_timeout) as connection:
            rows = connection.execute(LEGACY, [tenant_ref, last, limit]).fetchall()
        return [
            Person(
                key=str(key), user_name=login, email=login, name=name, role=roles.get(code, code),
                is_owner=roles.get(code) == self.owner, is_active=active == "Y",
            )
            for key, login, name, code, active in rows
        ]  # fmt: skip

    def of_new(self, *, account_id: UUID, after: str | None, limit: int) -> Sequence[Person]:
        """Return people of the new platform; see `core.ports.People`."""
        with connected(self.new, platform="new", statement_timeout=self.statement_timeout) as connection:
            rows = connection.execute(NEW, [account_id, after or "", limit]).fetchall()
        return [
            Person(
                key=key, external_id=external_id or "", user_name=user_name, email=email or "", name=name, role=role,
                is_owner=role == self.owner, is_active=is_active,
            )
            for key, external_id, user_name, email, name, role, is_active in rows
        ]  # fmt: skip


def _number(key: str) -> int:
    try:
        return int(key)
    except ValueError as error:
        raise Rejected("The legacy platform has no person with such a key.") from error


__all__ = ["PostgresPeople"]
