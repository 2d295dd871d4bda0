"""The dashboard's pages for the vendor's people."""

from django.urls import path

from portal.dashboard.views import programme, snapshot

app_name = "staff_dashboard"

urlpatterns = [
    path("programme/", programme.dashboard, name="programme"),
    path("programme.csv", programme.as_csv, name="programme_csv"),
    path("programme/<uuid:tenant_id>/snapshot.pdf", snapshot.for_staff, name="snapshot"),
]
