"""The dashboard's pages in the sidebar."""

from core import navigation
from core.permissions import Permission

navigation.add(
    navigation.Entry(
        id="dashboard.overview",
        label="Overview",
        url="dashboard:overview",
        icon="layout-dashboard",
        permission=Permission.VIEW_TENANT,
        order=10,
        words="start progress phases",
    )
)
