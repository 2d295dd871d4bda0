"""Whose rows may be seen: the signed context that the database's row-level policies check.

Every request, task and command begins without a context and sees no tenant's rows. `scope` opens one tenant,
`staff_scope` all of them for a named reason. The context is a session setting of the connection,
`subject|expiry|HMAC(key, subject|expiry|backend pid)`: SQL smuggled into a query can change the setting but
cannot sign another tenant's, and a signature lifted from one connection is worth nothing on another
(`docs/adr/0002-signed-tenancy-context.md`). No scope opens a transaction.
"""

import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils import timezone

from core.actor import Actor, ActorKind

LIFETIME = 600
"""Seconds that a signature holds; a scope that lasts longer is signed anew before the next query."""

STAFF_ROLE = "crossing_staff"

_SAVEPOINTS = ("SAVEPOINT", "ROLLBACK TO", "RELEASE")

log = logging.getLogger(__name__)


class TransactionOpenError(RuntimeError):
    """The code must not run inside a transaction: a programming error, never the customer's."""


@dataclass(frozen=True, slots=True)
class Context:
    """Whose rows the connection shows: nobody's, one tenant's, or (`staff`) everybody's for a reason."""

    tenant_id: UUID | None = None
    staff: Actor | None = None
    reason: str = ""

    @property
    def subject(self) -> str:
        """What is signed, or nothing for the empty context."""
        if self.tenant_id is not None:
            return f"tenant:{self.tenant_id}"
        return f"staff:{self.staff.id}" if self.staff is not None else ""


@dataclass(frozen=True, slots=True)
class Membership:
    """A user's place in a tenant, found before any tenant's rows may be read."""

    tenant_id: UUID
    member_id: UUID
    role: str
    sso_only: str = ""
    """The connection by which alone people sign in now; empty where a password opens the tenant's pages."""


@dataclass(frozen=True, slots=True)
class TenantName:
    """A tenant a user belongs to, for the choice after sign-in."""

    slug: str
    name: str
    role: str
    tenant_id: UUID
    sso_only: str = ""


@dataclass(frozen=True, slots=True)
class _Applied:
    """What the connection was last told: until when it holds, and the transaction that could take it back."""

    context: Context
    until: float
    block: object | None


EMPTY = Context()
_context: ContextVar[Context] = ContextVar("crossing_context", default=EMPTY)


def current() -> Context:
    """Return the context of this request, task or command."""
    return _context.get()


@contextmanager
def scope(*, tenant_id: UUID) -> Iterator[None]:
    """Let the connection see one tenant's rows until the block ends, then what it saw before."""
    with _within(Context(tenant_id=UUID(str(tenant_id)))):
        yield


@contextmanager
def staff_scope(*, by: Actor, reason: str) -> Iterator[None]:
    """Let the connection see every tenant's rows for a named reason; a person's scope is audited with it.

    Only the vendor's people and parts of the house itself may open one.
    """
    if by.kind not in (ActorKind.STAFF, ActorKind.SYSTEM) or by.id is None:
        raise PermissionError("Only staff and the house itself may open a staff scope.")
    if not reason.strip():
        raise ValueError("A staff scope names its reason.")
    with _within(Context(staff=by, reason=reason)):
        log.info("staff scope opened by %s %s: %s", by.kind.value, by.id, reason)
        if by.kind is ActorKind.STAFF:
            _audit(by, reason)
        yield


@contextmanager
def empty_scope() -> Iterator[None]:
    """Let the connection see no tenant's rows: the state in which everything begins."""
    with _within(EMPTY):
        yield


def stream[T](items: Iterable[T]) -> Iterator[T]:
    """Yield the items of a response body that is produced after its view, each inside the scope of now."""
    return _streamed(_context.get(), iter(items))


def forbid_transaction(doing: str = "Calling another system") -> None:
    """Raise `TransactionOpenError` inside a transaction (one that a test wraps around itself does not count)."""
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise TransactionOpenError(f"{doing} inside a transaction would hold its locks: do it before or after.")


def find_membership(*, user_id: UUID, slug: str) -> Membership | None:
    """Return the user's active membership of the tenant called so, or None for a stranger."""
    rows = _look_up(
        "SELECT tenant_id, member_id, role, sso_only FROM crossing.membership(%s, %s)",
        [user_id, slug],
    )
    return Membership(*rows[0]) if rows else None


def find_memberships(*, user_id: UUID) -> list[TenantName]:
    """Return the tenants a user is an active member of, by name."""
    rows = _look_up(
        "SELECT slug, name, role, tenant_id, sso_only FROM crossing.memberships(%s) ORDER BY name, slug",
        [user_id],
    )
    return [TenantName(*row) for row in rows]


def signing_keys() -> list[bytes]:
    """Return the keys of TENANCY_KEY, the signing one first; more than one only while keys are rotated."""
    return _parse_keys(settings.TENANCY_KEY)


def pads(key: bytes) -> tuple[bytes, bytes]:
    """Return HMAC-SHA-256's inner and outer padded key (RFC 2104), for a database that only has sha256."""
    block = key.ljust(64, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


def token(context: Context, *, backend_pid: int, expiry: int) -> str:
    """Return the signed setting of a context for one backend until `expiry` (Unix seconds)."""
    if not context.subject:
        return ""
    message = f"{context.subject}|{expiry}"
    signature = hmac.new(signing_keys()[0], f"{message}|{backend_pid}".encode(), hashlib.sha256).hexdigest()
    return f"{message}|{signature}"


@contextmanager
def _within(context: Context) -> Iterator[None]:
    former = _context.get()
    if context == former:
        yield
        return
    forbid_transaction("Changing the tenant")
    _switch(context)
    try:
        yield
    finally:
        _switch(former)


def _audit(by: Actor, reason: str) -> None:
    from core import (
        ledger,
    )  # needs the models, which need this module's callers loaded first

    ledger.append(
        "core.staff_scope.opened", by=by, at=timezone.now(), tenant_id=None,
        subject=("core.staff_scope", by.id), data={"reason": reason},
    )  # fmt: skip


def _switch(context: Context) -> None:
    """Make the context current; a connection that cannot take it over is given up rather than left as it was."""
    _context.set(context)
    if connection.connection is None:
        return  # `_greet` tells the connection when it opens
    try:
        _apply(connection, context)
    except DatabaseError:
        if connection.in_atomic_block:
            _remember(connection, None)  # told again after the rollback, before the next query
        else:
            connection.close()


def _streamed[T](context: Context, items: Iterator[T]) -> Iterator[T]:
    try:
        while True:
            with _within(context):
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item
    finally:
        if callable(close := getattr(items, "close", None)):
            with _within(context):
                close()


def _apply(connection: BaseDatabaseWrapper, context: Context) -> None:
    expiry = int(time.time()) + LIFETIME
    raw = connection.connection
    signed = token(context, backend_pid=raw.info.backend_pid, expiry=expiry)
    role = STAFF_ROLE if context.staff is not None else "none"
    # The driver's own cursor: not counted as a query of the page, and not wrapped by `_keep`.
    with connection.wrap_database_errors, raw.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('role', %s, false), set_config('crossing.context', %s, false)",
            [role, signed],
        )
    block = connection.atomic_blocks[-1] if connection.atomic_blocks else None
    _remember(
        connection,
        _Applied(context, expiry if context.subject else float("inf"), block),
    )


def _keep(execute: Callable[..., Any], sql: object, params: Any, many: bool, info: dict[str, Any]) -> Any:
    """Before each query: renew a signature that is half spent, restore one that a rollback took back."""
    if isinstance(sql, str) and sql.startswith(_SAVEPOINTS):
        return execute(sql, params, many, info)  # what is signed just before a rollback would be taken back by it
    connection: BaseDatabaseWrapper = info["connection"]
    applied: _Applied | None = getattr(connection, "crossing_applied", None)
    stands = (
        applied is not None
        and applied.context == _context.get()
        and applied.until - time.time() > LIFETIME / 2
        and (applied.block is None or applied.block in connection.atomic_blocks)
    )
    if not stands and not connection.needs_rollback:
        _apply(connection, _context.get())
    return execute(sql, params, many, info)


def _greet(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """Tell a new connection the context of now; one out of a pool may still hold another's."""
    if connection.alias != "default":
        return
    if connection.connection.info.parameter_status("is_superuser") == "on":
        connection.close()
        raise ImproperlyConfigured("Crossing never connects as a superuser: row-level security would not apply.")
    if _keep not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _keep)  # first: `execute_wrapper()` blocks take away the last
    if _context.get() == EMPTY and not connection.settings_dict.get("OPTIONS", {}).get("pool"):
        _remember(connection, _Applied(EMPTY, float("inf"), None))
    else:
        _apply(connection, _context.get())


def _remember(connection: BaseDatabaseWrapper, applied: _Applied | None) -> None:
    setattr(connection, "crossing_applied", applied)  # noqa: B010  (an attribute of ours on Django's object)


def _look_up(sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@cache
def _parse_keys(text: str) -> list[bytes]:
    try:
        found = [bytes.fromhex(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError:
        found = []
    if not found or any(len(key) != 32 for key in found):
        raise ImproperlyConfigured("TENANCY_KEY must be 64 hexadecimal digits (or two such keys, comma between).")
    return found


connection_created.connect(_greet, dispatch_uid="core.tenancy")
