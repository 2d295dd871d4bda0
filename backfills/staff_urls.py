"""The pages of a tenant's data for the vendor's people."""

from django.urls import path

from backfills.views import letters

app_name = "staff_backfills"

urlpatterns = [
    path("rejected/<uuid:letter_id>/", letters.page, name="letter"),
]
