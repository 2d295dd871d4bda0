"""The pages of integrations in the sidebar."""

from core import navigation
from core.navigation import Entry, Section
from core.permissions import Permission

navigation.add(
    Entry(
        id="integrations.overview",
        label="Integrations",
        url="integrations:overview",
        icon="plug",
        permission=Permission.VIEW_INTEGRATIONS,
        section=Section.PREPARE,
        order=45,
        words="webhook harness api key connector inventory test event delivery",
    )
)
navigation.add(
    Entry(
        id="integrations.tokens",
        label="API tokens",
        url="integrations:tokens",
        icon="key-round",
        permission=Permission.MANAGE_TOKENS,
        section=Section.PREPARE,
        order=60,
        words="api key secret machine automation rotate",
    )
)
