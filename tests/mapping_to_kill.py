"""A mapping of people to kill: `python -m tests.mapping_to_kill RUN TENANT PLACE` says “here” at a place, and waits.

The places: `read` (a batch is read, nothing of it written), `kept` (written, not committed) and `judged` (everybody is
judged, the run not closed).
"""

import os
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

PLACES = ("read", "kept", "judged")
BATCH, PEOPLE = 100, 1_050


def population(tenant_ref: str, account_id: UUID) -> None:
    """Let the fake know a thousand people: most on both sides, some twice, some gone."""
    from core.people import Person
    from tests.fakes.people import FakePeople

    FakePeople.legacy[tenant_ref] = [
        Person(str(n), user_name=f"u{n % (PEOPLE - 9)}", email=f"m{n}@zz.example", is_active=bool(n % 13))
        for n in range(PEOPLE)
    ]
    FakePeople.new[account_id] = [
        Person(f"n{n}", external_id=f"x{n}", user_name=f"u{n}", email=f"m{n + 3}@zz.example")
        for n in range(0, PEOPLE, 2)
    ]


def main(run_id: str, tenant_id: str, place: str) -> None:
    """Carry the run on up to the place."""
    import django

    django.setup()
    from django.conf import settings
    from django.utils import timezone

    from accounts.models import TenantLink
    from accounts.services.identity_map import batches, runs
    from core import tenancy
    from core.actor import Actor
    from tests.fakes.people import FakePeople

    settings.ADAPTERS["people"] = {"BACKEND": "tests.fakes.people.FakePeople"}
    runs.BATCH = BATCH
    calls = 0

    def stopping[**P, R](function: Callable[P, R], *, after: int) -> Callable[P, R]:
        def stop(*args: P.args, **kwargs: P.kwargs) -> R:
            nonlocal calls
            found = function(*args, **kwargs)
            calls += 1
            if calls == after:
                os.write(1, b"here\n")
                sys.stdin.read()
            return found

        return stop

    places: dict[str, tuple[Any, str]] = {
        "read": (FakePeople, "_page"), "kept": (batches, "keep"), "judged": (runs, "_judge"),
    }  # fmt: skip
    owner, name = places[place]
    setattr(owner, name, staticmethod(stopping(getattr(owner, name), after=1 if place == "judged" else 9)))
    with tenancy.scope(tenant_id=UUID(tenant_id)):
        known = TenantLink.objects.get(tenant_id=tenant_id)
        population(known.legacy_ref, known.account_id)
        runs.advance(run_id=UUID(run_id), by=Actor.system("tests"), now=timezone.now)


if __name__ == "__main__":
    main(*sys.argv[1:])
