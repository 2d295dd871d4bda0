"""The dashboard's pages of a tenant."""

from django.urls import path

from portal.dashboard.views import overview

app_name = "dashboard"

urlpatterns = [
    path("", overview.overview, name="overview"),
]
