"""Moments as SAML writes them, and spans as people say them."""

import re
from datetime import datetime, timedelta

_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


def instant(text: str | None) -> datetime | None:
    """Read an xs:dateTime in UTC (SAML 2.0 core 1.3.3); None for anything else."""
    if text is None or not _UTC.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def told(span: timedelta) -> str:
    """Say how long something took: `45 seconds`, `14 minutes`, `3 days`."""
    seconds = int(span.total_seconds())
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {word}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
