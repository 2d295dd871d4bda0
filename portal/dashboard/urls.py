"""The dashboard's pages of a tenant."""

from django.urls import path

from portal.dashboard.views import activity, jobs, overview, preflight, snapshot

app_name = "dashboard"

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("snapshot.pdf", snapshot.as_pdf, name="snapshot_pdf"),
    path("snapshot.csv", snapshot.as_csv, name="snapshot_csv"),
    path("preflight/", preflight.preflight, name="preflight"),
    path("preflight/run/", preflight.run, name="run_checks"),
    path("preflight/run/<str:check_id>/", preflight.run, name="run_check"),
    path("preflight/stop/<uuid:job_id>/", preflight.stop, name="stop_checks"),
    path("jobs/", jobs.live, name="jobs"),
    path("activity/", activity.entries, name="activity"),
    path("activity/export/", activity.export, name="export_ledger"),
    path("activity/verifier/", activity.verifier, name="ledger_verifier"),
]
