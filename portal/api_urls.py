"""Every address of the API: each app brings its own in `<app>/api.py`."""

from importlib import import_module
from importlib.util import find_spec

from django.urls import URLPattern, path, re_path

from core.api.views import NoSuchAddress
from portal.reference import views

API_APPS = (
    "accounts",
    "entitlements",
    "integrations",
    "backfills",
    "parity_reports",
    "cutover",
    "portal.dashboard",
)
"""Apps with endpoints: each has an `api` module whose `urlpatterns` stand under `/api/v1/`."""

app_name = "api"

urlpatterns: list[URLPattern] = [
    path("openapi.json", views.description, name="description"),
    *(pattern for app in API_APPS if find_spec(f"{app}.api") for pattern in import_module(f"{app}.api").urlpatterns),
    re_path("", NoSuchAddress.as_view(), name="no_such_address"),
]
