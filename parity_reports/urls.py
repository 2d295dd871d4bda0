"""The pages of parity reports, under a tenant."""

from django.urls import path

from parity_reports.views import changes, files, reports

app_name = "parity_reports"

urlpatterns = [
    path("parity/", reports.history, name="history"),
    path("parity/new/", reports.request_report, name="request"),
    path("parity/<uuid:report_id>/", reports.report, name="report"),
    path("parity/<uuid:report_id>/report.csv", files.as_csv, name="csv"),
    path("parity/<uuid:report_id>/report.json", files.as_json, name="json"),
    path("what-changed/", changes.matrix, name="what_changed"),
    path("what-changed/workflows/<slug:workflow_id>/", changes.workflow, name="workflow"),
    path("what-changed/guides/<slug:guide_slug>/", changes.guide, name="guide"),
    path("was/<path:old>", changes.was, name="was"),
]
