"""Compliance's pages for the vendor's people."""

from django.urls import path

from compliance.views import preserved

app_name = "staff_compliance"

urlpatterns = [
    path("preserved/<uuid:tenant_id>/", preserved.page, name="preserved"),
    path("preserved/<uuid:tenant_id>/copies.jsonl", preserved.take, name="preserved_copies"),
]
