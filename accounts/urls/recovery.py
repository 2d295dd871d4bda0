"""The page that takes a recovery code."""

from django.urls import path

from accounts.views import recovery

app_name = "recovery"

urlpatterns = [path("", recovery.recover, name="recover")]
