"""Whose recovery code was typed, before any tenant's rows may be read."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from accounts.domain import recovery


@dataclass(frozen=True, slots=True)
class Found:
    """The tenant and the row of a code; whether it still counts is not said."""

    tenant_id: UUID
    code_id: UUID


def find(*, code: str) -> Found | None:
    """Return whose a code is, or None."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant_id, code_id FROM crossing.recovery_code(%s)", [recovery.digest(code)])
        row = cursor.fetchone()
    return Found(*row) if row else None
