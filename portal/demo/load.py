"""Everything the demo knows, brought in once: the two platforms with their data, and the tenants' stories."""

import os
from collections.abc import Callable

from portal.demo import (
    contracts,
    crossing,
    drifting,
    integrations,
    keeping,
    legacy,
    moves,
    newplatform,
    people,
    stories,
    words,
)


def load(*, report: Callable[[str], None]) -> None:
    """Load the platforms, tell the stories, move and compare the data, sign one go/no-go.

    A second call finds all that in seconds. The worker must be up: the data move through the queue, as they would
    for a customer.
    """
    legacy.fill(os.environ["DEMO_LEGACY_OWNER_URL"], report=_each_fourth(report))
    newplatform.create(os.environ["DEMO_NEW_OWNER_URL"])
    stories.prepare(report=report)
    integrations.connect(report=report)
    contracts.set_up(report=report)
    mapped = people.set_up(report=report)
    moves.move_and_compare(report=report)
    drifting.drift(report=report)
    begun = keeping.begin(report=report)
    words.ask(report=report)
    people.wait(mapped)
    crossing.cross(report=report)
    keeping.wait(begun)


def _each_fourth(report: Callable[[str], None]) -> legacy.Report:
    """Tell the loading of flights in a few lines only."""

    def tell(what: str, done: int, total: int) -> None:
        if done % 80_000 == 0 or done == total:
            report(f"{what}: {done:,} of {total:,}")

    return tell
