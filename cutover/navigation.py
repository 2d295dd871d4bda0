"""Cutover's pages in the sidebar."""

from core import navigation
from core.navigation import Entry, Section
from core.permissions import Permission

for entry in (
    Entry(
        id="cutover.cutover",
        label="Cutover window",
        url="cutover:cutover",
        icon="calendar-clock",
        permission=Permission.VIEW_TENANT,
        section=Section.MOVE,
        order=50,
        words="date time move schedule approver",
    ),
    Entry(
        id="cutover.go_no_go",
        label="Go/no-go",
        url="cutover:go_no_go",
        icon="signature",
        permission=Permission.VIEW_EVIDENCE,
        section=Section.MOVE,
        order=60,
        words="sign approve evidence veto pack",
    ),
):
    navigation.add(entry)
