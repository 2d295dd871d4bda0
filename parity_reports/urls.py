"""The pages of parity reports, under a tenant."""

from django.urls import path

from parity_reports.views import changes, drift, files, reports, shadow, workflows

app_name = "parity_reports"

urlpatterns = [
    path("parity/", reports.history, name="history"),
    path("parity/new/", reports.request_report, name="request"),
    path("parity/drift/", drift.page, name="drift"),
    path("parity/drift/look/", drift.look, name="look"),
    path("parity/shadow/", shadow.page, name="shadow"),
    path("parity/shadow/on/", shadow.switch_on, name="shadow_on"),
    path("parity/shadow/off/", shadow.switch_off, name="shadow_off"),
    path("parity/crossing_verify_parity.py", files.verifier_file, name="verifier"),
    path("parity/<uuid:report_id>/", reports.report, name="report"),
    path("parity/<uuid:report_id>/report.pdf", files.as_pdf, name="pdf"),
    path("parity/<uuid:report_id>/report.xlsx", files.as_xlsx, name="xlsx"),
    path("parity/<uuid:report_id>/report.csv", files.as_csv, name="csv"),
    path("parity/<uuid:report_id>/report.json", files.as_json, name="json"),
    path("what-changed/", changes.matrix, name="what_changed"),
    path("what-changed/workflows/<slug:workflow_id>/", workflows.workflow, name="workflow"),
    path("what-changed/workflows/<slug:workflow_id>/rely/", workflows.rely, name="rely"),
    path("what-changed/workflows/<slug:workflow_id>/release/", workflows.release, name="release"),
    path("what-changed/workflows/<slug:workflow_id>/confirm/", workflows.confirm, name="confirm"),
    path("what-changed/workflows/<slug:workflow_id>/accept/", workflows.accept, name="accept"),
    path("what-changed/workflows/<slug:workflow_id>/keep/", workflows.keep, name="keep_old_way"),
    path("what-changed/workflows/<slug:workflow_id>/end/", workflows.end, name="end_old_way"),
    path("what-changed/guides/<slug:guide_slug>/", changes.guide, name="guide"),
    path("what-changed/guides/<slug:guide_slug>/mark/", changes.mark, name="mark_guide"),
    path("was/<path:old>", changes.was, name="was"),
]
