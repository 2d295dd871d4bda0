"""Checks, gates and where exceptions come from: what apps contribute in their `readiness.py`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from core.domain.checks import GO_NO_GO, PREFLIGHT, Check, Gate
from core.domain.gates import Cover
from core.findings import Finding
from core.registry import Registry


class Exceptions(Protocol):
    """Tells which policy exceptions stand for tenants at a moment: approved, not revoked, not expired."""

    def __call__(self, *, tenant_ids: Collection[UUID], at: datetime) -> Mapping[UUID, Iterable[Cover]]:
        """Return the exceptions of each tenant, in one query for all of them."""
        ...


CHECKS: Registry[Check] = Registry("check")
GATES: Registry[Gate] = Registry("gate")
EXCEPTIONS: Registry[Exceptions] = Registry("source of exceptions")

GATES.add(PREFLIGHT, Gate(PREFLIGHT, "Preflight"))
GATES.add(GO_NO_GO, Gate(GO_NO_GO, "Go/no-go"))


def check[F: Callable[..., Finding]](
    check_id: str,
    *,
    title: str,
    owner: str,
    due: str,
    valid_for: timedelta,
    link: str | None = None,
    gates: Iterable[str] = (PREFLIGHT, GO_NO_GO),
) -> Callable[[F], F]:
    """Register `(*, tenant_id, at) -> Finding` as a check, named `<app>.<subject>`.

    It runs in the tenant's scope and outside any transaction, so it may ask a port; it only reads. `owner` is whose
    turn it is when it blocks, `due` the day relative to the cutover (`T-30`), `valid_for` how long an answer counts,
    `link` a path inside the tenant (`domains/`) where it is put right, `gates` what it keeps shut. A crash and an
    outage become UNKNOWN by themselves; catch `Unavailable` only to say it better.
    """

    def register(function: F) -> F:
        CHECKS.add(check_id, Check(check_id, title, owner, due, valid_for, frozenset(gates), link or "", function))
        return function

    return register


def title_of(check_id: str) -> str:
    """Return what a check is called; one that is no more keeps its id."""
    return CHECKS[check_id].title if check_id in CHECKS else check_id


def exceptions[F: Exceptions](function: F) -> F:
    """Register a source of policy exceptions (`Exceptions`); one that fails covers nothing."""
    EXCEPTIONS.add(f"{function.__module__}.{getattr(function, '__name__', function)}", function)
    return function


def checks_of(gate: str) -> list[Check]:
    """Return the checks of a gate; KeyError for a gate that nobody registered."""
    known = GATES[gate]
    return [check for check in CHECKS.values() if known.name in check.gates]
