"""Comms' pages for the vendor's people."""

from django.urls import path

from comms.views import staff

app_name = "staff_comms"

urlpatterns = [path("messages/", staff.preview, name="preview")]
