"""Every address of the portal; each app brings its own under `/t/<slug>/`."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from accounts.views import sessions
from portal import health
from portal.dashboard.views import components, home
from portal.reference import views as reference

TENANT_APPS = (
    "accounts",
    "entitlements",
    "integrations",
    "backfills",
    "parity_reports",
    "cutover",
    "comms",
    "compliance",
    "portal.dashboard",
)
"""Apps with pages of a tenant: each has a `urls` module whose routes stand under `/t/<slug>/`."""

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("favicon.ico", home.favicon, name="favicon"),
    path("components/", components.gallery, name="components"),
    path("accounts/sessions/<int:session_id>/end/", sessions.end, name="end_session"),
    path("accounts/", include("allauth.urls")),
    path("invitations/", include("accounts.urls.invitations")),
    path("dns/", reference.domains, name="domain_guide"),
    path("saml/", reference.single_sign_on, name="sso_guide"),
    path("dns/", include("accounts.urls.domain_links")),
    path("admin/password_change/", home.change_password, name="change_password"),
    path("sso/", include("accounts.urls.saml")),
    path("recovery/", include("accounts.urls.recovery")),
    path("admin/", admin.site.urls),
    path("staff/", include("cutover.staff_urls")),
    path("staff/", include("comms.staff_urls")),
    path("staff/", include("portal.dashboard.staff_urls")),
    path("staff/", include("backfills.staff_urls")),
    path("staff/", include("parity_reports.staff_urls")),
    path("staff/", include("compliance.staff_urls")),
    path("api/", reference.page, name="api_reference"),
    path("api/v1/", include("portal.api_urls")),
    path("scim/v2/", include("accounts.urls.scim")),
    *(path("t/<slug:slug>/", include(f"{app}.urls")) for app in TENANT_APPS if find_spec(f"{app}.urls")),
]
