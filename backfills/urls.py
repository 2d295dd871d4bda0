"""The pages of a tenant's data, under `/t/<slug>/`."""

from django.urls import path

from backfills.views import fates, inspections, mapping, runs, standing

app_name = "backfills"

urlpatterns = [
    path("runs/", runs.listing, name="runs"),
    path("runs/start/", runs.start, name="start"),
    path("runs/standing/", standing.switch_on, name="standing"),
    path("runs/standing/end/", standing.switch_off, name="end_standing"),
    path("runs/inspection/", inspections.latest, name="inspection"),
    path("runs/inspection/request/", inspections.request, name="inspect"),
    path("runs/entities/<str:entity>/", runs.entity, name="entity"),
    path("runs/entities/<str:entity>/find/", fates.find, name="fate"),
    path("runs/entities/<str:entity>/rows/", fates.ended, name="ended"),
    path("runs/entities/<str:entity>/mapping/", mapping.told, name="mapping"),
    path("runs/entities/<str:entity>/mapping/changes/", mapping.changed, name="mapping_changes"),
    path("runs/entities/<str:entity>/rejected.csv", runs.rejected, name="rejected"),
    path("runs/<uuid:run_id>/pause/", runs.pause, name="pause"),
    path("runs/<uuid:run_id>/resume/", runs.resume, name="resume"),
    path("runs/<uuid:run_id>/cancel/", runs.cancel, name="cancel"),
    path("runs/<uuid:run_id>/retry/", runs.retry, name="retry"),
]
