"""How the staff's admin looks: django-unfold in the portal's colours."""

from typing import Any

from django.templatetags.static import static

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Crossing",
    "SITE_HEADER": "Crossing",
    "SITE_SUBHEADER": "The programme",
    "SITE_SYMBOL": "route",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("crossing/mark.svg")},
    ],
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "core.admin.front_page",
    "STYLES": [lambda request: static("crossing/admin.css")],
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": "core.admin.sidebar"},
    "COLORS": {
        "primary": {
            "50": "oklch(97% .02 274)",
            "100": "oklch(94% .03 274)",
            "200": "oklch(88% .06 274)",
            "300": "oklch(80% .1 274)",
            "400": "oklch(70% .15 274)",
            "500": "oklch(62% .18 274)",
            "600": "oklch(50% .21 274)",
            "700": "oklch(45% .21 274)",
            "800": "oklch(38% .17 274)",
            "900": "oklch(32% .12 274)",
            "950": "oklch(24% .08 274)",
        }
    },
}
