"""The addresses that a tenant's identity provider knows, under `/sso/<provider id>/`."""

from django.urls import path

from accounts.views import saml

app_name = "sso"

urlpatterns = [
    path("<slug:provider_id>/acs/", saml.acs, name="acs"),
    path("<slug:provider_id>/metadata/", saml.metadata, name="metadata"),
]
