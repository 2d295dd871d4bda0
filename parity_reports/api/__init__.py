"""The API of parity: reports, what came to differ since, and what was done about it."""

from parity_reports.api import drift, reports

urlpatterns = [*reports.urlpatterns, *drift.urlpatterns]
