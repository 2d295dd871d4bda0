"""Everything the demo knows, brought in once: the two platforms with their data, and the tenants' stories."""

from collections.abc import Callable

from portal.demo import stories


def load(*, report: Callable[[str], None]) -> None:
    """Load the platforms and tell the stories; a second call finds them and is done in seconds."""
    stories.prepare(report=report)
