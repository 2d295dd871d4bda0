"""The API of the move: what happens to each kind of object, the runs, and where every row ended."""

from backfills.api import changes, fates, inspections, mapping, runs

urlpatterns = [
    *mapping.urlpatterns,
    *changes.urlpatterns,
    *runs.urlpatterns,
    *fates.urlpatterns,
    *inspections.urlpatterns,
]
