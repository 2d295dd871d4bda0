"""The page that an invitation's link opens."""

from django.urls import path

from accounts.views import invitations

app_name = "invitations"

urlpatterns = [
    path("<str:token>/", invitations.open_link, name="open"),
    path("<str:token>/join/", invitations.join, name="join"),
]
