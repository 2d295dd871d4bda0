"""The API of parity: reports, what came to differ since, what was done about it, and shadow reads."""

from parity_reports.api import drift, reports, shadow

urlpatterns = [*reports.urlpatterns, *drift.urlpatterns, *shadow.urlpatterns]
