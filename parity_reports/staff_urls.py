"""The pages of parity reports for the vendor's people."""

from django.urls import path

from parity_reports.views import staff

app_name = "staff_parity_reports"

urlpatterns = [
    path("workflows/", staff.workflows, name="workflows"),
]
