"""The pages of entitlements in the sidebar."""

from core import navigation
from core.navigation import Entry, Section
from core.permissions import Permission
from entitlements.queries import decisions

navigation.add(
    Entry(
        id="entitlements.preview",
        label="Entitlements",
        url="entitlements:preview",
        icon="badge-check",
        permission=Permission.VIEW_ENTITLEMENTS,
        section=Section.PREPARE,
        order=40,
        words="plan price billing limits add-ons contract subscription roles",
    )
)
navigation.add(
    Entry(
        id="entitlements.why",
        label="Why can’t I …",
        url="entitlements:why",
        icon="circle-question-mark",
        permission=Permission.VIEW_TENANT,
        section=Section.PEOPLE,
        order=85,
        words="permission access denied request role allowed",
        count=decisions.count_open,
    )
)
