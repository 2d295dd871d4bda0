"""Tasks: the functions that jobs run, found in each app's `tasks.py`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from core.registry import Registry


class Scope(StrEnum):
    """Whose rows a task may see."""

    TENANT = "tenant"
    """Those of the tenant it was enqueued for; without one it is refused."""
    SYSTEM = "system"
    """Every tenant's: for sweeps and summaries only."""


@dataclass(frozen=True, slots=True)
class Task:
    """A function with what the queue must know to run it."""

    name: str
    scope: Scope
    function: Callable[..., object]
    max_attempts: int
    timeout: timedelta
    every: timedelta | None
    long: bool = False


def call(function: Callable[..., object], offered: Mapping[str, Any]) -> None:
    """Call a function with those arguments it names.

    What it does not name is left out: a job enqueued by an older or newer release must still run.
    """
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        function(**offered)
    else:
        function(**{p.name: offered[p.name] for p in parameters if p.name in offered})


TASKS: Registry[Task] = Registry("task")


def task[F: Callable[..., object]](
    *,
    scope: Scope,
    max_attempts: int = 5,
    timeout: timedelta = timedelta(hours=1),
    every: timedelta | None = None,
    long: bool = False,
) -> Callable[[F], F]:
    """Register a function as a task, named by its module and name (`backfills.tasks.advance_run`).

    It is called with keywords only: the payload as JSON gave it back (an id comes as text), `tenant_id` (UUID or
    None), `job_id` (UUID), `attempt` (from 1), `requested_by` (UUID or None) and `at` (when this attempt began); it
    takes those it names. It may be called twice for one job, so it makes one call of a use case that is safe to repeat.

    What it raises decides what follows: `Unavailable` and unexpected errors are tried again after a pause, up to
    `max_attempts`; `Rejected` and `UseCaseError` are final. An attempt longer than `timeout` is stopped and counts
    as failed. With `every`, the queue enqueues it by itself that often (system tasks only). A `long` task takes
    minutes or hours: its bells ring apart, so that what somebody waits for at a page is never behind it.
    """
    if every is not None and scope is not Scope.SYSTEM:
        raise ValueError("Only a system task runs by itself; let it enqueue one job per tenant.")

    def register(function: F) -> F:
        name = f"{function.__module__}.{function.__name__}"
        TASKS.add(name, Task(name, scope, function, max_attempts, timeout, every, long))
        return function

    return register
