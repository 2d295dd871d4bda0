"""The pages of backfills in the sidebar."""

from core import navigation
from core.navigation import Entry, Section
from core.permissions import Permission

navigation.add(
    Entry(
        id="backfills.runs",
        label="Your data",
        url="backfills:runs",
        icon="database",
        permission=Permission.VIEW_RUNS,
        section=Section.DATA,
        order=30,
        words="runs backfill move rows rejected conservation mapping",
    )
)
