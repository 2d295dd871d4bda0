"""The page that a link for the editor of a domain's DNS opens."""

from django.urls import path

from accounts.views import domain_links

app_name = "domain_links"

urlpatterns = [
    path("<str:token>/", domain_links.show, name="show"),
]
