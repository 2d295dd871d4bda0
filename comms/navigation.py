"""Comms' pages in the sidebar."""

from comms.queries import cases
from core import navigation
from core.navigation import Entry, Section
from core.permissions import Permission

for entry in (
    Entry(
        id="comms.status",
        label="Status",
        url="comms:status",
        icon="megaphone",
        permission=Permission.VIEW_TENANT,
        section=Section.MOVE,
        order=70,
        words="news incident updates",
    ),
    Entry(
        id="comms.messages",
        label="Messages",
        url="comms:messages",
        icon="mail",
        permission=Permission.VIEW_TENANT,
        section=Section.PEOPLE,
        order=85,
        words="mails announcement reminder notifications opt out",
    ),
    Entry(
        id="comms.support",
        label="Support",
        url="comms:support",
        icon="life-buoy",
        permission=Permission.OPEN_CASE,
        section=Section.PEOPLE,
        order=90,
        words="help case ticket question problem",
        count=cases.count_open_of,
    ),
):
    navigation.add(entry)
